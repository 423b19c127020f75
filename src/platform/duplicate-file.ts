import { constants, type Stats } from "node:fs";
import { copyFile, type FileHandle, link, lstat, open, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "../base/system-code.ts";
import type { DuplicateOptions, Duplication } from "../ports/user-files.ts";
import { syncFolder } from "./atomic-file.ts";
import { moveToFree } from "./disk/free-name.ts";

/** Bytes that are copied between two looks at the signal. */
const SLICE_BYTES = 1024 * 1024;
const AS_IT_IS = constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** The disk, or this pair of disks, cannot do it; everything else is a reason to stop. */
const CANNOT: ReadonlySet<string | undefined> = new Set([
  "EXDEV",
  "EOPNOTSUPP",
  "ENOTSUP",
  "ENOSYS",
  "EINVAL",
  "ENOTTY",
  "EPERM",
  "EMLINK",
  "ETXTBSY",
]);

/** The system, as far as a test replaces it. */
export interface DuplicateCalls {
  readonly link: (existing: string, path: string) => Promise<void>;
  /** Shares the blocks of a file, or fails. */
  readonly reflink: (source: string, target: string) => Promise<void>;
  /** Bytes that may still be written to the disk of a folder; infinite when it does not say. */
  readonly freeBytes: (folder: string) => Promise<number>;
}

const SYSTEM: DuplicateCalls = {
  link,
  reflink: (source, target) =>
    copyFile(source, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL),
  freeBytes: async (folder) => {
    const { blocks, bavail, bsize } = await statfs(folder);
    return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
  },
};

/**
 * Gives a second file the bytes of one that is there, in the cheapest way that the disks allow; see `duplicate` of
 * `ports/user-files.ts`. The name appears when all of it is durable, and never replaces anything.
 *
 * @param entries - Ways to both files, and to the one that is prepared beside the target.
 */
export async function duplicateFile(
  entries: { readonly source: string; readonly target: string; readonly partial: string },
  options: DuplicateOptions,
  calls: DuplicateCalls = SYSTEM,
): Promise<Duplication> {
  const { source, target, partial } = entries;
  // What a kill has left of an earlier call.
  await rm(partial, { force: true });
  try {
    await using from = await open(source, constants.O_RDONLY | AS_IT_IS);
    const facts = await from.stat();
    if (!facts.isFile() || facts.size !== options.length) throw coded("ESTALE", source);
    const how = await fill({ ...entries, from, facts }, options, calls);
    await demandUnchanged(from, facts, how, source);
    moveToFree(partial, target);
    await syncFolder(dirname(target));
    return how;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

interface Filling {
  readonly source: string;
  readonly partial: string;
  readonly from: FileHandle;
  readonly facts: Stats;
}

async function fill(
  { source, partial, from, facts }: Filling,
  options: DuplicateOptions,
  calls: DuplicateCalls,
): Promise<Duplication> {
  if (await succeeds(() => calls.reflink(source, partial))) {
    await using shared = await open(partial, constants.O_RDWR | AS_IT_IS);
    if ((await shared.stat()).size !== facts.size) throw coded("ESTALE", source);
    await shared.datasync();
    return "shared";
  }
  await rm(partial, { force: true });
  if (options.mayLink && (await succeeds(() => calls.link(source, partial)))) {
    const linked = await lstat(partial);
    // Another file may have taken its name by now.
    if (linked.ino !== facts.ino || linked.dev !== facts.dev) throw coded("ESTALE", source);
    return "linked";
  }
  const free = await calls.freeBytes(dirname(partial));
  if (free < facts.size) throw coded("ENOSPC", partial, facts.size - free);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | AS_IT_IS;
  await using to = await open(partial, flags, facts.mode & 0o777);
  await copySlices(from, to, options);
  await to.datasync();
  return "copied";
}

async function copySlices(
  from: FileHandle,
  to: FileHandle,
  { length, signal, onBytes }: DuplicateOptions,
): Promise<void> {
  const slice = Buffer.allocUnsafe(Math.min(SLICE_BYTES, Math.max(1, length)));
  for (let at = 0; at < length;) {
    signal.throwIfAborted();
    const { bytesRead } = await from.read(slice, 0, Math.min(slice.length, length - at), at);
    // It is shorter than it was.
    if (bytesRead === 0) throw coded("ESTALE", "the file that is copied");
    for (let done = 0; done < bytesRead;) {
      done += (await to.write(slice, done, bytesRead - done, at + done)).bytesWritten;
    }
    at += bytesRead;
    onBytes(bytesRead);
  }
  signal.throwIfAborted();
}

/** A file that changed while it was copied is nothing whole. A new name changes only the time of the change. */
async function demandUnchanged(
  from: FileHandle,
  before: Stats,
  how: Duplication,
  path: string,
): Promise<void> {
  const { size, mtimeMs, ctimeMs } = await from.stat();
  const isSame = size === before.size && mtimeMs === before.mtimeMs;
  if (!isSame || (how === "copied" && ctimeMs !== before.ctimeMs)) throw coded("ESTALE", path);
}

/** @returns False when the disk cannot do that. */
async function succeeds(call: () => Promise<void>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (CANNOT.has(systemCode(error))) return false;
    throw error;
  }
}

function coded(code: "ESTALE" | "ENOSPC", path: string, missingBytes?: number): Error {
  const words = { ESTALE: "it is not the file that it was", ENOSPC: "no space left" };
  return Object.assign(new Error(`${code}: ${words[code]}: ${path}`), { code, missingBytes });
}
