import { folderOf, joinPath } from "../base/paths.ts";
import type { UserFiles } from "../ports/user-files.ts";

/** The file that makes a folder the data folder of a hub. */
export const HUB_DATABASE = "everseed.db";

/**
 * Finds the hub that a path belongs to. Nothing in a hub's data folder is content: it holds the
 * keys that sign sessions, the passwords of users, and what they have removed.
 *
 * @param path - Absolute, with links resolved.
 * @returns The data folder that is at `path` or around it.
 */
export function hubFolderOf(files: Pick<UserFiles, "exists">, path: string): string | undefined {
  for (let folder = path; ; folder = folderOf(folder)) {
    if (files.exists(joinPath(folder, HUB_DATABASE))) return folder;
    if (folderOf(folder) === folder) return undefined;
  }
}

/** True when two paths, absolute and with links resolved, are equal, or one contains the other. */
export function overlaps(a: string, b: string): boolean {
  return isIn(a, b) || isIn(b, a);
}

function isIn(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}
