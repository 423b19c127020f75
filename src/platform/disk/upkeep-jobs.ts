import {
  existsSync,
  lstatSync,
  opendirSync,
  renameSync,
  type Stats,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import type { Obstacle } from "../../ports/content.ts";
import type { ContentIo } from "./content-io.ts";
import { PLACE_KINDS, STAMP_NUMBERS, UNFINISHED_PLACE } from "./disk-job.ts";
import { onDisk, refusal, systemCode } from "./disk-refusal.ts";
import { inTurns } from "./in-turns.ts";
import { CREATED, DIRTY, IN_PART_FILE, SEEN, UNFINISHED } from "./shared-layout.ts";

/**
 * @returns Four numbers a file: size, mtimeMs and inode, then the kind of entry in its place
 * (`PLACE_KINDS`). An absent file has -1, then the depth of the nearest folder above it, counted
 * from the root, and 1 when that folder is empty.
 * @throws {DiskRefusal} `ENOENT` when a root that existed is gone. `ENODEV` when another disk is in
 * its place: once if that disk holds files, because the open files are not on it, and on every call
 * if it holds none.
 */
export async function stampFiles(io: ContentIo): Promise<Float64Array> {
  const { table } = io;
  const { fileCount, lengths, root, rootDevice } = table.shared;
  const device = lookAtRoot(io);
  const isOther = rootDevice[0] !== 0 && device !== undefined && device !== rootDevice[0];
  const stamps = new Float64Array(fileCount * STAMP_NUMBERS);
  const empty = new Map<string, boolean>();
  const blocked = new Map<string, number>();
  let found = 0;
  const stamp = (file: number): void => {
    const at = file * STAMP_NUMBERS;
    stamps[at] = -1;
    if (table.isPad(file)) return;
    const facts = io.files.lookAt(file);
    let obstacle = obstacleOf(facts);
    if (facts?.isFile()) {
      stamps.set([facts.size, facts.mtimeMs, facts.ino], at);
      found += 1;
    } else {
      const folder = dirname(io.files.path(file));
      const depth = facts ? 0 : blockedDepth(io, folder, blocked);
      if (depth > 0) obstacle = "no-folder";
      stamps.set(depth > 0 ? [depth - 1, 0] : nearestFolder(io, folder, empty), at + 1);
    }
    const place = table.isUnfinished(file) === true ? UNFINISHED_PLACE : 0;
    stamps[at + 3] = place + PLACE_KINDS.indexOf(obstacle);
  };
  await inTurns(lengths.keys(), stamp, io.files);
  if (device !== undefined && (!isOther || found > 0)) rootDevice[0] = device;
  if (isOther) throw refusal("ENODEV", root);
  return stamps;
}

/**
 * @param folder - The root, or absolute and below it.
 * @param known - Earlier results; each folder is examined once.
 * @returns The depth below the root at which something other than a folder blocks the way to this
 * folder; 0 for none.
 */
export function blockedDepth(io: ContentIo, folder: string, known: Map<string, number>): number {
  const { root } = io.table.shared;
  if (folder === root) return 0;
  const before = known.get(folder);
  if (before !== undefined) return before;
  let depth = blockedDepth(io, dirname(folder), known);
  if (depth === 0) {
    const facts = io.files.lookAtPath(folder);
    if (facts && !facts.isDirectory()) depth = relative(root, folder).split(sep).length;
  }
  known.set(folder, depth);
  return depth;
}

function obstacleOf(facts: Stats | undefined): Obstacle | undefined {
  if (!facts || facts.isFile()) return undefined;
  if (facts.isDirectory()) return "folder";
  return facts.isSymbolicLink() ? "link" : "special";
}

/**
 * A disk that was taken away may leave its mount point behind, an empty folder on the disk below. A
 * disk that is plugged in again may get another device number (STO-5).
 *
 * @returns The device of the root; `undefined` when there is no root yet.
 */
function lookAtRoot({ table }: ContentIo): number | undefined {
  const { root } = table.shared;
  const device = onDisk(root, () => statSync(root, { throwIfNoEntry: false })?.dev);
  if (device === undefined && table.has(table.rootIndex, SEEN)) throw refusal("ENOENT", root);
  return device;
}

/** @param empty - Earlier results; each folder is listed once. @returns Depth, and 1 for empty. */
function nearestFolder(io: ContentIo, folder: string, empty: Map<string, boolean>): number[] {
  const { root } = io.table.shared;
  let nearest = folder;
  for (; nearest !== root; nearest = dirname(nearest)) {
    const path = nearest;
    if (empty.has(path) || onDisk(path, () => lookAt(path))?.isDirectory() === true) break;
  }
  const known = empty.get(nearest) ?? isEmpty(nearest);
  empty.set(nearest, known);
  const depth = nearest === root ? 0 : relative(root, nearest).split(sep).length;
  return [depth, known ? 1 : 0];
}

function isEmpty(folder: string): boolean {
  return onDisk(folder, () => lookAt(folder)?.isDirectory() === true && !holdsAnything(folder));
}

function holdsAnything(folder: string): boolean {
  const entries = opendirSync(folder);
  try {
    return entries.readSync() !== null;
  } finally {
    entries.closeSync();
  }
}

/**
 * Other files may have taken the places of the open ones: every worker reopens them when it needs
 * them. Lost files count as never seen and need no sync; the same holds for the part file if it was
 * lost as well.
 */
export function reopenFiles({ table }: ContentIo, lost: readonly number[]): void {
  for (const file of lost) {
    table.unmark(file, SEEN | DIRTY | CREATED);
    table.forgetName(file);
    table.own(file, 0);
  }
  if (lost.length > 0 && !existsSync(table.shared.partFile)) {
    table.unmark(table.partIndex, SEEN | DIRTY | CREATED);
  }
  Atomics.add(table.shared.openings, 0, 1);
}

/**
 * Gives a complete file its final name. Nobody writes meanwhile. Only this job moves files that may
 * be open, and descriptors stay valid.
 *
 * @throws {DiskRefusal} `EEXIST` when the name is taken; nothing is overwritten.
 */
export function finishFile(io: ContentIo, file: number): void {
  const { table } = io;
  const from = io.files.path(file);
  if (!table.has(file, UNFINISHED) || table.has(file, IN_PART_FILE)) return;
  const to = io.files.finalPath(file);
  if (io.files.lookAtPath(to)) throw refusal("EEXIST", to);
  onDisk(from, () => {
    // Both names are in one folder, which is resolved once.
    const entry = io.files.entry(to, false);
    renameSync(join(dirname(entry), basename(from)), entry);
  });
  table.unmark(file, UNFINISHED);
  table.mark(file, CREATED);
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

/** Creates the empty files and the links, which belong to no piece. Keeps existing entries. */
export async function createEmpty(io: ContentIo, unwanted: Uint8Array | undefined): Promise<void> {
  const { table } = io;
  const { readOnly, links, lengths } = table.shared;
  if (readOnly) return;
  const create = (file: number): void => {
    if (lengths[file] !== 0 || table.isPad(file) || unwanted?.[file] === 1) return;
    const target = links.get(file);
    // Nothing is ever written to an empty file, so an existing one will do.
    if (target === undefined && io.files.lookAt(file)?.isFile() === true) return;
    if (target === undefined) io.files.open(file, "write");
    else createLink(io, file, target);
  };
  await inTurns(lengths.keys(), create, io.files);
}

function createLink(io: ContentIo, file: number, target: string): void {
  const path = io.files.path(file);
  const inside = io.files.below(target);
  onDisk(path, () => {
    const entry = io.files.entry(path, true);
    try {
      symlinkSync(relative(dirname(path), inside), entry);
      io.table.mark(file, CREATED);
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
  });
}
