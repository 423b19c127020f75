import type { ExistingFiles } from "../existing-files.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { AddTorrent } from "../session-contract.ts";
import { withNames } from "../file-names.ts";
import { withVisibleName } from "../visible-name.ts";

/** @returns The info, with the paths of its files on disk. */
export function named(
  info: TorrentInfo,
  { mode, keepsHiddenName, names }: AddTorrent,
): TorrentInfo {
  const shown = mode === "seed" || keepsHiddenName === true ? info : withVisibleName(info);
  return withNames(shown, names);
}

/** @returns What we may do to existing files. */
export function existingOf({ existing, mode }: AddTorrent): ExistingFiles {
  return existing ?? (mode === "seed" ? "untouched" : "proven");
}
