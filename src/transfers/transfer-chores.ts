import { folderOf } from "../base/paths.ts";
import { safeJoin } from "../base/safe-join.ts";
import { systemCode } from "../base/system-code.ts";
import { unfinishedPath, unfinishedSuffix } from "../base/unfinished-names.ts";
import { contentLayout } from "../engine/content-layout.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { FolderFiles } from "../ports/user-files.ts";
import { takingPath } from "./taking-path.ts";
import { TransfersError } from "./transfers-error.ts";

export type ContentFiles = Pick<
  FolderFiles,
  "move" | "copy" | "remove" | "list" | "stat" | "makeFolder"
>;

/** Suffixes of a copy on its way to another disk. */
const PARTIAL = ".everseed-moving";
const WHOLE = ".everseed-moved";

/** A file on its way. */
interface Move {
  readonly path: string;
  readonly target: string;
}

/** Two names of the same files below a folder. */
export interface Renaming {
  readonly before: TorrentInfo;
  readonly after: TorrentInfo;
  readonly root: string;
}

/**
 * Moves the content of a torrent that is not in the engine to another folder, file by file. A kill at any moment loses
 * nothing, and the same call goes on from there: a file is removed at its old place only when it is whole at the new one.
 *
 * @param info - With the paths that its files have on disk, as for all functions here (`placedInfo`).
 * @throws {TransfersError} (rejects) `exists` when another file is in the way; then nothing was moved. Or the disk's
 *   refusal.
 */
export async function moveContent(
  files: ContentFiles,
  info: TorrentInfo,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await moveFiles(files, movesTo(info, from, to));
  await removeEmptyFolders(files, info, from);
}

/** Undoes a move that did not end: each file that is only at its new place returns, and unfinished copies go. */
export async function moveBack(
  files: ContentFiles,
  info: TorrentInfo,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  await moveFilesBack(files, movesTo(info, from, to));
  await removeEmptyFolders(files, info, to);
}

/** Gives the files of a torrent that is not in the engine other names, as `moveContent` moves them. */
export async function renameContent(files: ContentFiles, renaming: Renaming): Promise<void> {
  await moveFiles(files, renames(renaming));
  await removeEmptyFolders(files, renaming.before, renaming.root);
}

/** Undoes a renaming that did not end. */
export async function renameBack(files: ContentFiles, renaming: Renaming): Promise<void> {
  await moveFilesBack(files, renames(renaming));
  await removeEmptyFolders(files, renaming.after, renaming.root);
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

/** @returns The first new path of a renaming where there is a file already, or where a file has its old path. */
export async function findInTheWayOfNames(
  files: ContentFiles,
  renaming: Renaming,
): Promise<string | undefined> {
  const moves = renames(renaming);
  const before = new Set(moves.map(({ path }) => path));
  for (const { target } of moves) {
    if (before.has(target) || (await files.stat(target))) return target;
  }
  return undefined;
}

async function moveFiles(files: ContentFiles, moves: readonly Move[]): Promise<void> {
  for (const { path, target } of moves) {
    // With only the new one, an earlier call has moved it.
    if ((await files.stat(path)) && (await files.stat(target))) {
      throw new TransfersError("exists", `There is already a file ${target}.`);
    }
  }
  for (const { path, target } of moves) await moveFile(files, path, target);
}

async function moveFilesBack(files: ContentFiles, moves: readonly Move[]): Promise<void> {
  for (const { path, target } of moves) {
    const whole = `${target}${WHOLE}`;
    await files.remove(`${target}${PARTIAL}`);
    if (await files.stat(path)) {
      await files.remove(whole);
      continue;
    }
    if (await files.stat(whole)) await files.move(whole, target);
    if (await files.stat(target)) await moveFile(files, target, path);
  }
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

function movesTo(info: TorrentInfo, from: string, to: string): Move[] {
  return pathsOf(info, from).map((path) => ({ path, target: to + path.slice(from.length) }));
}

function renames({ before, after, root }: Renaming): Move[] {
  const [old, fresh] = [filePaths(before, root), filePaths(after, root)];
  const moves: Move[] = [];
  for (const [index, { path, unfinished }] of old.entries()) {
    const target = fresh[index]!;
    if (path !== target.path) moves.push({ path, target: target.path });
    if (unfinished === undefined || unfinished === target.unfinished) continue;
    moves.push({ path: unfinished, target: target.unfinished ?? target.path });
  }
  return moves;
}

/** Every path that may hold some of it, absolute: finished, unfinished, and the pieces of files that are not wanted. */
function pathsOf(info: TorrentInfo, root: string): string[] {
  const paths = filePaths(info, root).flatMap(({ path, unfinished }) =>
    unfinished === undefined ? [path] : [path, unfinished],
  );
  const taking = new Set(paths.map((path) => takingPath(folderOf(path), info)));
  return [...paths, ...taking, contentLayout(info, root, undefined).partFile];
}

/** The absolute paths of each file. @property unfinished - `undefined` where the name leaves no room for the suffix. */
function filePaths(
  info: TorrentInfo,
  root: string,
): { readonly path: string; readonly unfinished: string | undefined }[] {
  const suffix = unfinishedSuffix(info.files.map((file) => file.path.join("/")));
  return info.files
    .filter(({ pad }) => !pad)
    .map((file) => {
      const path = safeJoin(root, file.path);
      return { path, unfinished: unfinishedPath(path, suffix) };
    });
}

/** Folders of the torrent, the deepest first. */
async function removeEmptyFolders(
  files: ContentFiles,
  info: TorrentInfo,
  root: string,
): Promise<void> {
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
