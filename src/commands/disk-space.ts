import type { Bitfield } from "../base/bitfield.ts";
import { formatBytes } from "../base/format-bytes.ts";
import { folderOf } from "../base/paths.ts";
import { systemCode } from "../base/system-code.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { safeJoin } from "../base/safe-join.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { entryFactsOf } from "./path-facts.ts";
import { placeOnDisk, suffixOf } from "./unfinished-files.ts";

/** A download, and how much of it exists. */
export interface WantedContent {
  readonly info: TorrentInfo;
  /** The absolute folder that receives the files; it may not exist yet. */
  readonly root: string;
  /** One for each of `info.files`. */
  readonly wanted: readonly boolean[];
  /** Pieces known to be on disk. A compressing file system stores them in fewer bytes. */
  readonly have?: Bitfield | undefined;
}

/**
 * Computes how much more room a disk needs for a download (STO-9).
 *
 * @returns Bytes; 0 when it fits, or when the file system does not report its free space.
 * @throws {CommandError} When the disk cannot be queried.
 */
export function missingSpace(files: UserFiles, content: WantedContent): number {
  const { info, root, wanted } = content;
  const free = freeBytes(files, root);
  let whole = 0;
  for (const [index, file] of info.files.entries()) if (wanted[index]) whole += file.length;
  // Most downloads fit as a whole; then 200,000 files need not be examined.
  if (whole <= free) return 0;
  return Math.max(0, spaceNeeded(files, content) - free);
}

/**
 * Computes how much a download will still take. Files are sparse, so their lengths mean nothing:
 * what counts is the space they occupy.
 *
 * @returns Bytes.
 */
export function spaceNeeded(files: UserFiles, content: WantedContent): number {
  const { info, root, wanted } = content;
  const suffix = suffixOf(info);
  let needed = 0;
  for (const [index, file] of info.files.entries()) {
    if (!wanted[index] || file.pad || file.length === 0) continue;
    const occupied = occupiedBytes(
      files,
      placeOnDisk(files, safeJoin(root, file.path), suffix).path,
    );
    if (occupied === undefined) needed += file.length;
    else needed += Math.max(0, Math.min(file.length - occupied, bytesToFetch(content, index)));
  }
  return needed;
}

/** @throws {CommandError} `disk-full` when the download does not fit. */
export function refuseWhatDoesNotFit(
  files: UserFiles,
  content: WantedContent,
  folder: string,
): void {
  const missing = missingSpace(files, content);
  if (missing === 0) return;
  throw new CommandError(
    "disk-full",
    `${content.info.name} does not fit. ${needMore(missing, folder)}`,
    {
      subject: folder,
      hint: "free space, choose another disk with -o, or fewer files with --select.",
    },
  );
}

/** The disk filled up during the download (STO-4). @param missing - Bytes, 0 when unknown. */
export function diskFull(missing: number, folder: string): CommandError {
  const trouble = diskTrouble({ code: "ENOSPC" }, `write to ${folder}`, folder);
  if (missing === 0) return trouble;
  const { code, hint, subject } = trouble;
  return new CommandError(code, `Cannot write to ${folder}. ${needMore(missing, folder)}`, {
    hint,
    subject,
  });
}

function needMore(missing: number, folder: string): string {
  return `Disk full: need ${formatBytes(missing)} more on ${folder}.`;
}

/** The path itself, or the closest existing folder above it. @param path - Absolute. */
export function nearestExisting(files: UserFiles, path: string): string {
  for (let at = path; ; at = folderOf(at)) {
    if (folderOf(at) === at || entryFactsOf(files, at)) return at;
  }
}

function freeBytes(files: UserFiles, root: string): number {
  const place = nearestExisting(files, root);
  try {
    return files.freeBytes(place);
  } catch (error) {
    throw diskTrouble(error, `read ${place}`, place);
  }
}

/**
 * @returns `undefined` when nothing is there. Links are not followed, because nothing is written
 * through them.
 */
function occupiedBytes(files: UserFiles, path: string): number | undefined {
  try {
    return files.lookAtEntry(path)?.occupiedBytes;
  } catch (error) {
    // Anything that blocks the way is reported when it is written to.
    if (systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

function bytesToFetch({ info, have }: WantedContent, index: number): number {
  const { length, offset } = info.files[index]!;
  if (!have) return length;
  const { pieceLength } = info.geometry;
  const { first, end } = info.geometry.filePieces(index);
  let bytes = 0;
  for (let piece = first; piece < end; piece += 1) {
    if (have.has(piece)) continue;
    const from = Math.max(offset, piece * pieceLength);
    bytes += Math.min(offset + length, (piece + 1) * pieceLength) - from;
  }
  return bytes;
}
