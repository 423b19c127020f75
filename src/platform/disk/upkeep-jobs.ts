import { existsSync, lstatSync, type Stats, statfsSync, symlinkSync } from "node:fs";
import { dirname, relative } from "node:path";
import type { ContentIo } from "./content-io.ts";
import { onDisk, refusal, systemCode } from "./disk-refusal.ts";
import { CREATED, SEEN } from "./shared-layout.ts";

/** Files looked at between two turns of the worker's event loop. */
const FILES_PER_TURN = 500;

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
