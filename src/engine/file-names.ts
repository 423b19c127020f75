import { withPath } from "../metainfo/file-table.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";

/**
 * Names that the owner of a torrent gave to its files and folders: by the path that the torrent has for it, joined by
 * "/", the new name of its last part.
 */
export type FileNames = Readonly<Record<string, string>>;

/**
 * Gives files the names that their owner chose. Each stays as deep in folders as it was.
 *
 * @returns The same object when nothing has to change.
 */
export function withNames(info: TorrentInfo, names: FileNames | undefined): TorrentInfo {
  // A map, because a torrent may call a file `constructor`.
  const chosen = new Map(Object.entries(names ?? {}));
  if (chosen.size === 0) return info;
  const files = info.files.map((file) => {
    const { path, linkTarget, pathAsWritten } = file;
    const renamed = renamedPath(path, chosen);
    const target = linkTarget && renamedPath(linkTarget, chosen);
    if (renamed === path && target === linkTarget) return file;
    // Web servers know it by the torrent's own name.
    const written = pathAsWritten ?? [info.name, ...path.slice(1)];
    return { ...withPath(file, renamed, target), pathAsWritten: written };
  });
  return { ...info, files };
}

function renamedPath(
  path: readonly string[],
  names: ReadonlyMap<string, string>,
): readonly string[] {
  let at = "";
  let isRenamed = false;
  const renamed = path.map((part, depth) => {
    at = depth === 0 ? part : `${at}/${part}`;
    const name = names.get(at);
    isRenamed ||= name !== undefined;
    return name ?? part;
  });
  return isRenamed ? renamed : path;
}
