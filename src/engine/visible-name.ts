import { withPath } from "../metainfo/file-table.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";

/**
 * Renames a torrent whose name begins with a dot: `.bashrc` becomes `_.bashrc`. Names below its folder stay, because
 * they are inside it.
 *
 * @returns The same object when nothing has to change.
 */
export function withVisibleName(info: TorrentInfo): TorrentInfo {
  const [first] = info.files;
  if (!first?.path[0]?.startsWith(".")) return info;
  const files = info.files.map((file) =>
    withPath(file, visiblePath(file.path), file.linkTarget && visiblePath(file.linkTarget)),
  );
  return { ...info, files };
}

/** @param path - The path of a file of such a torrent. */
export function visiblePath(path: readonly string[]): readonly string[] {
  const [top = "", ...below] = path;
  return top.startsWith(".") ? [`_${top}`, ...below] : path;
}
