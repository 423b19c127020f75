import { withPath } from "../metainfo/file-table.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { ExistingFiles } from "../engine/existing-files.ts";
import type { TorrentRow } from "../store/torrents.ts";

/**
 * A torrent's description with the paths that its files have on this disk. What we keep lies under the names that
 * every system takes; what its owner keeps, under the names that the torrent gives.
 */
export function infoOnDisk(row: Pick<TorrentRow, "content_root">, info: TorrentInfo): TorrentInfo {
  if (row.content_root === null || !info.files.some((file) => file.pathAsWritten)) return info;
  const files = info.files.map((file) =>
    file.pathAsWritten ? withPath(file, file.pathAsWritten) : file,
  );
  return { ...info, files };
}

/**
 * What may be done to a torrent's files: the data folder is ours alone, and nothing in it lies behind links; the
 * files of others are read, through links too, and never written to.
 */
export function existingFiles({ content_root }: Pick<TorrentRow, "content_root">): ExistingFiles {
  return content_root === null ? "own" : "untouched";
}
