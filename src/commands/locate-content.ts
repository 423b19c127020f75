import { withPath } from "../metainfo/file-table.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { folderOf, nameOf } from "../base/paths.ts";
import { safeJoin, UnsafePathError } from "../base/safe-join.ts";
import { visiblePath, withVisibleName } from "../engine/visible-name.ts";
import type { PathFacts, UserFiles } from "../ports/user-files.ts";
import { diskTrouble } from "./command-error.ts";
import { factsOf } from "./path-facts.ts";

/** Content that already exists on disk. */
export interface LocatedContent {
  /** Absolute; file paths are relative to it. */
  readonly root: string;
  /** The torrent; the `path` of each file is where it was found, or its own where it was not. */
  readonly info: TorrentInfo;
}

/**
 * Finds a torrent's files as `--data DIR` and `check TORRENT DIR` name them: DIR holds the
 * torrent's folder or file, or is the torrent's folder itself. Other programs store files under the
 * torrent's own names; ours uses names that every system accepts (MET-3), or makes a leading dot
 * visible. All of these are found, also through links.
 *
 * @throws {CommandError} `not-found`, `not-readable` when DIR cannot be read.
 */
export function locateContent(files: UserFiles, info: TorrentInfo, folder: string): LocatedContent {
  const root = files.absolute(folder);
  if (!factsOf(files, root)) throw diskTrouble({ code: "ENOENT" }, `read ${folder}`, folder);
  const written = info.files.find((file) => file.pathAsWritten)?.pathAsWritten?.[0];
  const [shown = info.name] = visiblePath([info.name]);
  const names = [...new Set([info.name, written ?? info.name, shown])];
  const above = folderAround(files, root, { names, isFolder: info.folder });
  const isThere = (name: string): boolean => factsAt(files, above, [name]) !== undefined;
  const isShown = shown !== info.name && isThere(shown) && !isThere(info.name);
  return {
    root: above,
    info: withPathsFound(files, isShown ? withVisibleName(info) : info, above),
  };
}

/**
 * @returns The folder itself when it holds one of the names, or its parent when the folder has one
 * of them.
 */
function folderAround(
  files: UserFiles,
  root: string,
  { names, isFolder }: { readonly names: readonly string[]; readonly isFolder: boolean },
): string {
  const holdsIt = names.some((name) => factsAt(files, root, [name]) !== undefined);
  if (holdsIt || !isFolder) return root;
  // A link may have another name than its target.
  const own = [root, files.real(root)].find((path) => names.includes(nameOf(path)));
  return own === undefined ? root : folderOf(own);
}

/** @returns `undefined` also for a path that this system cannot have. */
function factsAt(files: UserFiles, root: string, path: readonly string[]): PathFacts | undefined {
  try {
    return factsOf(files, safeJoin(root, path));
  } catch (error) {
    if (error instanceof UnsafePathError) return undefined;
    throw error;
  }
}

function withPathsFound(disk: UserFiles, info: TorrentInfo, root: string): TorrentInfo {
  if (!info.files.some((file) => file.pathAsWritten)) return info;
  const own = new Set(info.files.map((file) => file.path.join("/")));
  const hasFile = (path: readonly string[]): boolean => factsAt(disk, root, path)?.kind === "file";
  const files = info.files.map((file) => {
    const { path, pathAsWritten } = file;
    if (!pathAsWritten || !hasFile(pathAsWritten)) return file;
    // Cleaning may turn two names into one; then one file's own name is the other's stored name.
    const isOthers = own.has(pathAsWritten.join("/"));
    return isOthers && hasFile(path) ? file : withPath(file, pathAsWritten);
  });
  return { ...info, files };
}
