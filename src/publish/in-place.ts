import { withPath } from "../metainfo/file-table.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { ExistingFiles } from "../engine/existing-files.ts";
import type { TorrentRow } from "../store/torrents.ts";

/**
 * A torrent's description with the paths of its files on this disk. Our own content is stored under names that every
 * system accepts; an owner's content, under the names in the torrent.
 */
export function infoOnDisk(row: Pick<TorrentRow, "content_root">, info: TorrentInfo): TorrentInfo {
  if (row.content_root === null || !info.files.some((file) => file.pathAsWritten)) return info;
  const files = info.files.map((file) =>
    file.pathAsWritten ? withPath(file, file.pathAsWritten) : file,
  );
  return { ...info, files };
}

/**
 * What may be done to a torrent's files: the data folder is ours alone, and links in it are not followed; files in
 * owners' folders are read, through links too, and never written.
 */
export function existingFiles({ content_root }: Pick<TorrentRow, "content_root">): ExistingFiles {
  return content_root === null ? "own" : "untouched";
}
