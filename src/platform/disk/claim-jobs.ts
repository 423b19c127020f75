import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from "node:fs";
import { promisify } from "node:util";
import { temporaryPath } from "../temporary-name.ts";
import type { ContentIo } from "./content-io.ts";
import { failureCode, onDisk, refusal } from "./disk-refusal.ts";
import { moveToFree } from "./free-name.ts";
import { nextTurn, onDiskInTurns } from "./in-turns.ts";
import { folderOf, nameOf } from "./open-folders.ts";
import { CREATED, DIRTY, SEEN } from "./shared-layout.ts";
import { blockedDepth } from "./upkeep-jobs.ts";

/** Bytes copied in one turn of the worker. */
const COPY_BYTES = 1024 * 1024;
const fdatasyncLater = promisify(fdatasync);
/** Names to try for a file that is set aside. */
const NAMES_MAX = 1000;

/**
 * Makes an existing file writable for this content. Truncates a file that is longer than the layout
 * says, and replaces a file that has other names by a copy, so that the other names keep their
 * bytes.
 *
 * @throws {DiskRefusal} `EINVAL` for anything but a plain file.
 */
export async function claimFile(io: ContentIo, file: number): Promise<void> {
  const { table } = io;
  const path = io.files.path(file);
  const length = table.shared.lengths[file]!;
  io.files.close(file);
  await onDiskInTurns(path, async () => {
    const entry = io.files.entry(path, false);
    const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
    const descriptor = openSync(entry, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    try {
      const facts = fstatSync(descriptor);
      if (!facts.isFile()) throw refusal("EINVAL", path);
      if (facts.nlink > 1) {
        table.own(file, await copyApart(io, path, descriptor, { facts, length }));
        table.mark(file, CREATED);
      } else {
        if (facts.size > length) ftruncateSync(descriptor, length);
        table.own(file, facts.ino);
      }
      table.mark(file, DIRTY);
    } finally {
      closeSync(descriptor);
    }
  });
  // Other workers may have the file open that the copy replaced.
  Atomics.add(table.shared.openings, 0, 1);
}

/** @param path - Of the file, which a copy replaces. @returns The inode of the copy. */
async function copyApart(
  io: ContentIo,
  path: string,
  source: number,
  { facts, length }: { readonly facts: Stats; readonly length: number },
): Promise<number> {
  // The way to the folder is valid for the next call only.
  const entry = (): string => io.files.entry(path, false);
  const name = nameOf(temporaryPath(path, "claim"));
  const beside = (): string => `${folderOf(entry())}/${name}`;
  const { O_RDWR, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const copy = openSync(beside(), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, facts.mode & 0o777);
  try {
    const bytes = Math.min(facts.size, length);
    await copyBytes(source, copy, bytes);
    ftruncateSync(copy, bytes);
    await fdatasyncLater(copy);
    const folder = folderOf(entry());
    renameSync(`${folder}/${name}`, `${folder}/${nameOf(path)}`);
    return fstatSync(copy).ino;
  } catch (error) {
    unlinkSync(beside());
    throw error;
  } finally {
    closeSync(copy);
  }
}

/** Skip zeros: downloads are full of holes. */
async function copyBytes(source: number, target: number, length: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  const zeros = Buffer.alloc(COPY_BYTES);
  for (let at = 0; at < length;) {
    const count = readSync(source, buffer, 0, Math.min(COPY_BYTES, length - at), at);
    if (count === 0) return;
    if (buffer.compare(zeros, 0, count, 0, count) !== 0) {
      for (let done = 0; done < count;) {
        done += writeSync(target, buffer, done, count - done, at + done);
      }
    }
    at += count;
    await nextTurn();
  }
}

/**
 * Renames an existing file: `notes.txt` becomes `notes (old).txt`, `notes (old 2).txt` and so on.
 * If something blocks a folder above the file, that is renamed instead; a call for another file may
 * have done so already.
 *
 * @throws {DiskRefusal} `EEXIST` when a thousand such names exist.
 */
export function setFileAside(io: ContentIo, file: number): void {
  const own = io.files.path(file);
  io.files.close(file);
  const path = blockingPath(io, own) ?? own;
  if (!io.files.lookAtPath(path)) {
    io.table.forgetName(file);
    return;
  }
  onDisk(path, () => {
    const entry = io.files.entry(path, false);
    for (let number = 1; number <= NAMES_MAX; number += 1) {
      try {
        moveToFree(entry, `${folderOf(entry)}/${asideName(nameOf(entry), number)}`);
        io.table.own(file, 0);
        // Its place is free now, so its absence is no failure any more.
        io.table.unmark(file, SEEN | DIRTY | CREATED);
        io.table.forgetName(file);
        Atomics.add(io.table.shared.openings, 0, 1);
        return;
      } catch (error) {
        if (failureCode(error) !== "EEXIST") throw error;
      }
    }
    throw refusal("EEXIST", path);
  });
}

/** @returns The entry that stands in the place of a folder above. */
function blockingPath(io: ContentIo, path: string): string | undefined {
  const { root } = io.table.shared;
  const depth = blockedDepth(io, folderOf(path), new Map());
  if (depth === 0) return undefined;
  return `${root}/${path
    .slice(root.length + 1)
    .split("/")
    .slice(0, depth)
    .join("/")}`;
}

/** The longest name, in bytes, on every common file system. */
const NAME_BYTES_MAX = 255;

function asideName(name: string, number: number): string {
  const dot = name.lastIndexOf(".");
  const end = dot > 0 ? name.slice(dot) : "";
  const mark = number === 1 ? " (old)" : ` (old ${number})`;
  let stem = dot > 0 ? name.slice(0, dot) : name;
  // Keep whole characters: on some systems half a character makes the name invalid.
  while (stem !== "" && Buffer.byteLength(`${stem}${mark}${end}`) > NAME_BYTES_MAX) {
    stem = Array.from(stem).slice(0, -1).join("");
  }
  return `${stem}${mark}${end}`;
}
