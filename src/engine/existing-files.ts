import type { Bitfield } from "../base/bitfield.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";
import type {
  DiskFailure,
  DiskOutcome,
  FilePlaces,
  FileStamp,
  Obstacle,
} from "../ports/content.ts";

/**
 * What we may do to files that exist before a torrent is opened.
 *
 * - `proven`: we write to a file when the resume shows that this download created it. Any other file is accepted only
 * if
 *   its content is right; otherwise the torrent waits and names the file that is in the way.
 * - `adopted`: all files are treated as this download's; differing data is overwritten.
 * - `set-aside`: like `proven`, but files in the way are renamed.
 * - `own`: we may write to all files, because nobody else puts anything below the root.
 * - `untouched`: nothing is ever written. Files may lie behind symbolic links.
 */
export type ExistingFiles = "proven" | "adopted" | "set-aside" | "own" | "untouched";

/** How many of the files in the way a message names. */
const NAMED_MAX = 3;

export interface FoundFiles {
  readonly info: TorrentInfo;
  readonly root: string;
  /** The suffix of unfinished files, if they have one. */
  readonly unfinishedSuffix: string | undefined;
  readonly stamps: readonly FileStamp[];
  /** Pieces that exist and are right. */
  readonly have: Bitfield;
  /** By the resume, this download created the file. */
  readonly isOurs: (index: number) => boolean;
  readonly isWanted: (index: number) => boolean;
}

/** The existing files that must be written to, and those of them that may be. */
export interface FileClaims {
  /** Our files with wrong content. */
  readonly ours: readonly number[];
  /** Foreign files with wrong content, or obstacles that are not files. Some may be right: they share a wrong piece. */
  readonly inTheWay: readonly number[];
}

/**
 * Judges existing files by their hashes. A file is foreign unless the resume says otherwise. A foreign file is in the
 * way when it would have to change, or when it shares a wrong piece. A file that shares a piece with a missing file
 * cannot be judged before that piece arrives; the disk compares it then. An obstacle that is not a file is always in
 * the way.
 */
export function judgeExisting(found: FoundFiles): FileClaims {
  const { info, stamps, isOurs, isWanted } = found;
  const ours: number[] = [];
  const inTheWay: number[] = [];
  for (const [index, file] of info.files.entries()) {
    const { size, obstacle } = stamps[index]!;
    if (file.pad || file.linkTarget) continue;
    if (obstacle !== undefined) {
      if (isWanted(index)) inTheWay.push(index);
    } else if (size < 0) continue;
    else if (isOurs(index)) {
      if (size !== file.length || lacksPiece(found, index)) ours.push(index);
    } else if (isWanted(index) && (size !== file.length || isWrong(found, index))) {
      inTheWay.push(index);
    }
  }
  return { ours, inTheWay };
}

function lacksPiece({ info, have }: FoundFiles, index: number): boolean {
  if (info.files[index]!.length === 0) return false;
  const { first, end } = info.geometry.filePieces(index);
  for (let piece = first; piece < end; piece += 1) if (!have.has(piece)) return true;
  return false;
}

/** A piece whose files all exist at the right length, and that is wrong. */
function isWrong(found: FoundFiles, index: number): boolean {
  return wrongPieces(found, index).next().done !== true;
}

/** Yields, for each such piece of a file, the files that share it. */
function* wrongPieces({ info, have, stamps }: FoundFiles, index: number): Generator<number[]> {
  if (info.files[index]!.length === 0) return;
  const { geometry, files } = info;
  const isThere = (file: TorrentFile, at: number): boolean =>
    file.pad || stamps[at]!.size === file.length;
  const { first, end } = geometry.filePieces(index);
  for (let piece = first; piece < end; piece += 1) {
    if (have.has(piece)) continue;
    const sharers = geometry
      .spans(piece * geometry.pieceLength, geometry.pieceSize(piece))
      .map(({ file }) => file);
    if (sharers.every((file) => isThere(files[file]!, file))) {
      yield sharers.filter((file) => !files[file]!.pad);
    }
  }
}

/**
 * Makes room for a download as `existing` allows.
 *
 * @param onDone - Gets `EEXIST` when foreign files are in the way and nobody said what to do with them.
 */
export function claimFiles(
  places: Pick<FilePlaces, "claim" | "setAside">,
  existing: "proven" | "adopted" | "set-aside",
  found: FoundFiles & FileClaims,
  onDone: (outcome: DiskOutcome) => void,
): void {
  const { ours, inTheWay } = found;
  if (existing === "proven" && inTheWay.length > 0) {
    onDone(foreignFailure(found));
    return;
  }
  const claim = existing === "adopted" ? [...ours, ...inTheWay] : ours;
  const aside = existing === "set-aside" ? inTheWay : [];
  const claimNow = (): void => {
    const obstacles = claim.filter((index) => found.stamps[index]!.obstacle !== undefined);
    if (obstacles.length > 0) onDone(foreignFailure({ ...found, inTheWay: obstacles }));
    else if (claim.length === 0) onDone({ kind: "done" });
    else places.claim(claim, onDone);
  };
  if (aside.length === 0) claimNow();
  else
    places.setAside(aside, (outcome) => (outcome.kind === "done" ? claimNow() : onDone(outcome)));
}

function foreignFailure(found: FoundFiles & FileClaims): DiskFailure {
  const { inTheWay } = found;
  const path = (index: number): string => pathOf(found, index);
  const obstacles = inTheWay.filter((index) => found.stamps[index]!.obstacle !== undefined);
  const files = inTheWay.filter((index) => !obstacles.includes(index));
  const sure = files.filter((index) => isSurelyWrong(found, index));
  const told = new Set(sure);
  // One obstacle may be in the way of very many files.
  const said = [...new Set(obstacles.map((index) => obstacleWords(found, index)))];
  const sentences = said.slice(0, NAMED_MAX);
  const more = said.length - NAMED_MAX;
  if (more > 0) sentences.push(`${more} more are no files`);
  if (sure.length > 0) {
    const verb =
      sure.length === 1 ? "is there already and is not" : "are there already and are not";
    sentences.push(`${listed(sure.map(path))} ${verb} what the torrent says`);
  }
  for (const index of files) {
    if (sentences.length > NAMED_MAX) break;
    for (const sharers of wrongPieces(found, index)) {
      if (sharers.some((sharer) => told.has(sharer))) continue;
      for (const sharer of sharers) told.add(sharer);
      const names = listed(sharers.map(path));
      sentences.push(
        `one of ${names} is not what the torrent says; they share a piece that is wrong`,
      );
    }
  }
  const message = sentences.join("; ");
  return { kind: "failure", code: "EEXIST", message, path: path(inTheWay[0]!) };
}

function obstacleWords(found: FoundFiles, index: number): string {
  const { obstacle, nearest } = found.stamps[index]!;
  if (obstacle !== "no-folder") {
    return `${pathOf(found, index)} ${OBSTACLES[obstacle!]} where a file should be`;
  }
  const names = found.info.files[index]!.path.slice(0, nearest!.depth + 1);
  return `${found.root}/${names.join("/")} is no folder where a folder should be`;
}

const OBSTACLES: Readonly<Record<Exclude<Obstacle, "no-folder">, string>> = {
  folder: "is a folder",
  link: "is a symbolic link",
  special: "is no file",
};

/** The length is wrong, or a piece that it shares with no other file. */
function isSurelyWrong(found: FoundFiles, index: number): boolean {
  if (found.stamps[index]!.size !== found.info.files[index]!.length) return true;
  for (const sharers of wrongPieces(found, index)) if (sharers.length === 1) return true;
  return false;
}

/** The path of the existing file: it may have the name of an unfinished file. */
function pathOf({ info, root, stamps, unfinishedSuffix }: FoundFiles, index: number): string {
  const path = `${root}/${info.files[index]!.path.join("/")}`;
  return stamps[index]!.unfinished ? `${path}${unfinishedSuffix ?? ""}` : path;
}

function listed(paths: readonly string[]): string {
  const more = paths.length - NAMED_MAX;
  return `${paths.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
