import { withPath } from "../metainfo/file-table.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";

/**
 * Gives a torrent whose name begins with a dot one that does not: `.bashrc` becomes `_.bashrc`. Names below its folder
 * stay, because they are below it.
 *
 * @returns The same object when there is nothing to do.
 */
export function withVisibleName(info: TorrentInfo): TorrentInfo {
  const [first] = info.files;
  if (!first?.path[0]?.startsWith(".")) return info;
  const files = info.files.map((file) =>
    withPath(file, visiblePath(file.path), file.linkTarget && visiblePath(file.linkTarget)),
  );
  return { ...info, files };
}

/** @param path - Of a file of such a torrent. */
export function visiblePath(path: readonly string[]): readonly string[] {
  const [top = "", ...below] = path;
  return top.startsWith(".") ? [`_${top}`, ...below] : path;
}
