import { safeJoin } from "../base/safe-join.ts";
import { systemCode } from "../base/system-code.ts";
import { unfinishedPath, unfinishedSuffix } from "../base/unfinished-names.ts";
import { contentLayout } from "../engine/content-layout.ts";
import { withVisibleName } from "../engine/visible-name.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { FolderFiles } from "../ports/user-files.ts";
import { TransfersError } from "./transfers-error.ts";

export type ContentFiles = Pick<
  FolderFiles,
  "move" | "copy" | "remove" | "list" | "stat" | "makeFolder"
>;

/** Suffixes of a copy on its way to another disk. */
const PARTIAL = ".everseed-moving";
const WHOLE = ".everseed-moved";

/**
 * Moves the content of a torrent that is not in the engine to another folder, file by file. A kill at any moment loses
 * nothing, and the same call goes on from there: a file is removed at its old place only when it is whole at the new one.
 *
 * @throws {TransfersError} (rejects) `exists` when another file is in the way; then nothing was moved. Or the disk's
 *   refusal.
 */
export async function moveContent(
  files: ContentFiles,
  info: TorrentInfo,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  const moves = pathsOf(info, from).map((path) => ({ path, target: to + path.slice(from.length) }));
  for (const { path, target } of moves) {
    // With only the new one, an earlier call has moved it.
    if ((await files.stat(path)) && (await files.stat(target))) {
      throw new TransfersError("exists", `There is already a file ${target}.`);
    }
  }
  for (const { path, target } of moves) await moveFile(files, path, target);
  await removeEmptyFolders(files, info, from);
}

/** @returns The first path of a torrent's content in a folder where there is a file already. */
export async function findInTheWay(
  files: ContentFiles,
  info: TorrentInfo,
  root: string,
): Promise<string | undefined> {
  for (const path of pathsOf(info, root)) if (await files.stat(path)) return path;
  return undefined;
}

/** Undoes a move that did not end: each file that is only at its new place returns, and unfinished copies go. */
export async function moveBack(
  files: ContentFiles,
  info: TorrentInfo,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  for (const path of pathsOf(info, from)) {
    const target = to + path.slice(from.length);
    const whole = `${target}${WHOLE}`;
    await files.remove(`${target}${PARTIAL}`);
    if (await files.stat(path)) {
      await files.remove(whole);
      continue;
    }
    if (await files.stat(whole)) await files.move(whole, target);
    if (await files.stat(target)) await moveFile(files, target, path);
  }
  await removeEmptyFolders(files, info, to);
}

/**
 * Between disks: copy, mark the copy as whole by a rename, remove the original, give the copy its name. Whichever of
 * these a kill interrupts, the next call finds the original or a whole copy, and never takes somebody's file for ours.
 */
async function moveFile(files: ContentFiles, path: string, target: string): Promise<void> {
  const [partial, whole] = [`${target}${PARTIAL}`, `${target}${WHOLE}`];
  const isHere = (await files.stat(path)) !== undefined;
  if (isHere && !(await files.stat(whole))) {
    try {
      await files.move(path, target);
      return;
    } catch (error) {
      if (systemCode(error) !== "EXDEV") throw error;
    }
    await files.copy(path, partial);
    await files.move(partial, whole);
  }
  if (!(await files.stat(whole))) return;
  await files.remove(path);
  await files.move(whole, target);
}

/**
 * Removes the content of a torrent that is not in the engine: its files under both their names, and the folders that
 * are empty then. Other files stay.
 */
export async function removeContent(
  files: ContentFiles,
  info: TorrentInfo,
  root: string,
): Promise<void> {
  for (const path of pathsOf(info, root)) await files.remove(path);
  await removeEmptyFolders(files, info, root);
}

/** Every path that may hold some of it, absolute: finished, unfinished, and the pieces of files that are not wanted. */
function pathsOf(torrent: TorrentInfo, root: string): string[] {
  const info = withVisibleName(torrent);
  const suffix = unfinishedSuffix(info.files.map((file) => file.path.join("/")));
  const paths = info.files
    .filter(({ pad }) => !pad)
    .flatMap((file) => {
      const path = safeJoin(root, file.path);
      const unfinished = unfinishedPath(path, suffix);
      return unfinished === undefined ? [path] : [path, unfinished];
    });
  return [...paths, contentLayout(info, root, undefined).partFile];
}

/** Folders of the torrent, the deepest first. */
async function removeEmptyFolders(
  files: ContentFiles,
  torrent: TorrentInfo,
  root: string,
): Promise<void> {
  const info = withVisibleName(torrent);
  const folders = new Set<string>();
  for (const { path } of info.files) {
    for (let depth = path.length - 1; depth > 0; depth -= 1) {
      folders.add(safeJoin(root, path.slice(0, depth)));
    }
  }
  const deepest = [...folders].toSorted((a, b) => b.length - a.length);
  for (const folder of deepest) {
    if ((await files.stat(folder))?.folder !== true) continue;
    if ((await files.list(folder)).length === 0) await files.remove(folder);
  }
}
