import { type FileNames, withNames } from "../engine/file-names.ts";
import { withVisibleName } from "../engine/visible-name.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";

/** @returns The info with the paths that the files of a transfer have on disk. */
export function placedInfo(info: TorrentInfo, names: FileNames | undefined): TorrentInfo {
  return withNames(withVisibleName(info), names);
}
