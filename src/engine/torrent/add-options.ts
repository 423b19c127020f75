import type { ExistingFiles } from "../existing-files.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { AddTorrent } from "../session-contract.ts";
import { withVisibleName } from "../visible-name.ts";

/** @returns The info with the paths that its files have on disk. */
export function named(info: TorrentInfo, { mode, keepsHiddenName }: AddTorrent): TorrentInfo {
  return mode === "seed" || keepsHiddenName === true ? info : withVisibleName(info);
}

/** @returns What may be done to files that are there already. */
export function existingOf({ existing, mode }: AddTorrent): ExistingFiles {
  return existing ?? (mode === "seed" ? "untouched" : "proven");
}
