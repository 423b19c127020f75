import { execFile } from "node:child_process";
import {
  closeSync,
  constants,
  fdatasync,
  fsync,
  lstatSync,
  openSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { ContentIo } from "./content-io.ts";
import { onDisk, refusal, systemCode } from "./disk-refusal.ts";
import { CREATED, DIRTY } from "./shared-layout.ts";

const fdatasyncLater = promisify(fdatasync);
const fsyncLater = promisify(fsync);

/**
 * Above this many files the whole disk is synced at once, because each single sync costs a journal
 * commit.
 */
export const SYNC_WHOLE_DISK_FILES = 100;

/**
 * Makes everything written durable, with one call for the disk that holds the root. Node does not
 * offer that call; the system's `sync` program does. Without it, each file is synced separately.
 *
 * @throws {DiskRefusal} Like `syncFiles`.
 */
export async function syncWholeDisk(io: ContentIo): Promise<void> {
  const { table } = io;
  const { root } = table.shared;
  const disk = onDisk(root, () => statSync(root).dev);
  const dirty: number[] = [];
  const created: number[] = [];
  for (let file = 0; file <= table.partIndex; file += 1) {
    if (table.unmark(file, DIRTY)) dirty.push(file);
    if (table.unmark(file, CREATED)) created.push(file);
  }
  const elsewhere = dirty.filter((file) => lookAtWritten(io, file).dev !== disk);
  const synced = await syncDisk(root);
  for (const file of synced ? elsewhere : dirty) await syncFile(io, file);
  if (!synced) for (const folder of foldersOf(io, created)) await syncFolder(io, folder);
}

/** @throws {DiskRefusal} `ENOENT` for a file that was removed while it was written to. */
function lookAtWritten(io: ContentIo, file: number): Stats {
  const path = io.files.path(file);
  try {
    return onDisk(path, () => lstatSync(io.files.entry(path, false)));
  } catch (error) {
    io.files.close(file);
    throw error;
  }
}

/** @returns False when this system has no such program, or the program failed. */
async function syncDisk(root: string): Promise<boolean> {
  try {
    // Not made once for all: reading `execFile` loads the module (ADR 6), and most threads never run a program.
    await promisify(execFile)("sync", ["-f", "--", root]);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

/**
 * Makes what was written to one share of the files durable: first their bytes, then the folders in
 * which they were created. It waits beside the worker's other jobs. It clears the marks of the
 * files; the caller restores them when this fails or its worker dies.
 *
 * @throws {DiskRefusal} Also `ENOENT` for a file that was removed while it was written to.
 */
export async function syncFiles(io: ContentIo, part: number, parts: number): Promise<void> {
  const { table } = io;
  const created: number[] = [];
  for (let file = part; file <= table.partIndex; file += parts) {
    if (table.unmark(file, CREATED)) created.push(file);
    if (table.unmark(file, DIRTY)) await syncFile(io, file);
  }
  for (const folder of foldersOf(io, created)) await syncFolder(io, folder);
}

async function syncFile(io: ContentIo, file: number): Promise<void> {
  const path = io.files.path(file);
  let descriptor: number;
  try {
    // Open by path, which also shows whether the file that was written to still exists.
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

/**
 * All folders from the files up to the root, and the one above it, since the root may be new as
 * well.
 */
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

async function syncFolder(io: ContentIo, folder: string): Promise<void> {
  const { root } = io.table.shared;
  const isBelow = folder === root || folder.startsWith(`${root}/`);
  const descriptor = isBelow
    ? io.files.openFolder(folder)
    : onDisk(folder, () => openSync(folder, constants.O_RDONLY));
  try {
    await fsyncLater(descriptor);
  } catch (error) {
    // Some network file systems cannot sync folders, and offer no other way.
    if (codeOf(error) !== "EINVAL") throw refusal(codeOf(error), folder);
  } finally {
    closeSync(descriptor);
  }
}

function codeOf(error: unknown): string {
  return systemCode(error) ?? "EIO";
}
