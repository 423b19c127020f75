import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fsync,
  lstatSync,
  openSync,
  type Stats,
  statfsSync,
  symlinkSync,
} from "node:fs";
import { dirname, relative } from "node:path";
import { promisify } from "node:util";
import type { ContentIo } from "./content-io.ts";
import { onDisk, refusal, systemCode } from "./disk-refusal.ts";
import { CREATED, DIRTY, SEEN } from "./shared-layout.ts";

const fdatasyncLater = promisify(fdatasync);
const fsyncLater = promisify(fsync);

/** Files looked at between two turns of the worker's event loop. */
const FILES_PER_TURN = 500;

/**
 * Makes durable what was written to one share of the files: their bytes first, then the folders in which
 * they were made. Waits beside the worker's other work.
 *
 * @throws {DiskRefusal} Also `ENOENT` for a file that was removed while it was written to.
 */
export async function syncFiles(io: ContentIo, part: number, parts: number): Promise<void> {
  const { table } = io;
  const created: number[] = [];
  for (let file = part; file <= table.partIndex; file += parts) {
    if (table.unmark(file, CREATED)) created.push(file);
    if (!table.unmark(file, DIRTY)) continue;
    try {
      await syncFile(io, file);
    } catch (error) {
      table.mark(file, DIRTY);
      for (const one of created) table.mark(one, CREATED);
      throw error;
    }
  }
  try {
    for (const folder of foldersOf(io, created)) await syncFolder(folder);
  } catch (error) {
    for (const one of created) table.mark(one, CREATED);
    throw error;
  }
}

async function syncFile(io: ContentIo, file: number): Promise<void> {
  const path = io.files.path(file);
  let descriptor: number;
  try {
    // By its path, which also tells when the file that was written to is not there any more.
    descriptor = io.files.openApart(file);
  } catch (error) {
    io.files.close(file);
    throw error;
  }
  try {
    await fdatasyncLater(descriptor);
  } catch (error) {
    throw refusal(codeOf(error), path);
  } finally {
    closeSync(descriptor);
  }
}

/** All folders from the files up to the root and, since that may be new as well, the one above. */
function foldersOf(io: ContentIo, files: readonly number[]): Set<string> {
  const { root } = io.table.shared;
  const folders = new Set<string>();
  for (const file of files) {
    let folder = dirname(io.files.path(file));
    while (!folders.has(folder)) {
      folders.add(folder);
      if (folder === root || folder === dirname(folder)) break;
      folder = dirname(folder);
    }
  }
  if (folders.has(root)) folders.add(dirname(root));
  return folders;
}

async function syncFolder(folder: string): Promise<void> {
  const descriptor = onDisk(folder, () => openSync(folder, constants.O_RDONLY));
  try {
    await fsyncLater(descriptor);
  } catch (error) {
    // Some network file systems cannot sync folders; there is no other way to ask them.
    if (codeOf(error) !== "EINVAL") throw refusal(codeOf(error), folder);
  } finally {
    closeSync(descriptor);
  }
}

function codeOf(error: unknown): string {
  return systemCode(error) ?? "EIO";
}

/** @returns Three numbers a file: size (-1 when it is not there), mtimeMs, inode. */
export async function stampFiles(io: ContentIo): Promise<Float64Array> {
  const { table } = io;
  const { fileCount, root } = table.shared;
  const seen = table.has(table.rootIndex, SEEN);
  if (seen && !existsSync(root)) throw refusal("ENOENT", root);
  const stamps = new Float64Array(fileCount * 3);
  for (let file = 0; file < fileCount; file += 1) {
    if (file % FILES_PER_TURN === FILES_PER_TURN - 1) await turn();
    stamps[file * 3] = -1;
    if (table.isPad(file)) continue;
    const path = io.files.path(file);
    const facts = onDisk(path, () => lookAt(path));
    if (!facts?.isFile()) continue;
    stamps.set([facts.size, facts.mtimeMs, facts.ino], file * 3);
  }
  return stamps;
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Makes the empty files and the links, which no piece brings. What is there already stays. */
export async function createEmpty(io: ContentIo, unwanted: Uint8Array | undefined): Promise<void> {
  const { table } = io;
  const { readOnly, links, lengths, fileCount } = table.shared;
  if (readOnly) return;
  for (let file = 0; file < fileCount; file += 1) {
    if (file % FILES_PER_TURN === FILES_PER_TURN - 1) await turn();
    if (lengths[file] !== 0 || table.isPad(file) || unwanted?.[file] === 1) continue;
    const target = links.get(file);
    if (target === undefined) io.files.open(file, "write");
    else createLink(io, file, target);
  }
}

function createLink(io: ContentIo, file: number, target: string): void {
  const path = io.files.path(file);
  const inside = io.files.below(target);
  io.files.enterFolder(path, true);
  onDisk(path, () => {
    try {
      symlinkSync(relative(dirname(path), inside), path);
      io.table.mark(file, CREATED);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  });
}

/** Bytes a user without privileges may still write to the disk that holds the root, or will hold it. */
export function freeSpace(io: ContentIo): number {
  let folder = io.table.shared.root;
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return onDisk(folder, () => {
    const facts = statfsSync(folder);
    return facts.bavail * facts.bsize;
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
