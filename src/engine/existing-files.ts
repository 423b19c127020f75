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
 * What may be done to files that are there before a torrent is opened.
 *
 * - `proven`: a file is written to when the resume shows that it was made by this download. Any other may only turn
 *   out to hold what it should; if it does not, the torrent waits and says which file is in the way.
 * - `adopted`: all are taken for this download's; what differs is overwritten.
 * - `set-aside`: as `proven`, but files in the way get other names.
 * - `own`: all may be written to, because nobody else puts anything below the root.
 * - `untouched`: nothing is ever written. Files may lie behind symbolic links.
 */
export type ExistingFiles = "proven" | "adopted" | "set-aside" | "own" | "untouched";

/** Files named to people, of those that are in the way. */
const NAMED_MAX = 3;

export interface FoundFiles {
  readonly info: TorrentInfo;
  readonly root: string;
  /** What unfinished files end in, when they have names of their own. */
  readonly unfinishedSuffix: string | undefined;
  readonly stamps: readonly FileStamp[];
  /** Pieces that are there and right. */
  readonly have: Bitfield;
  /** By the resume this file was made by this download. */
  readonly isOurs: (index: number) => boolean;
  readonly isWanted: (index: number) => boolean;
}

/** Which of the files that are there have to be written to, and which of them may be. */
export interface FileClaims {
  /** Ours, and not as they should be. */
  readonly ours: readonly number[];
  /** Of somebody else, and not as they should be; or no files. Some may be right: those that share a wrong piece. */
  readonly inTheWay: readonly number[];
}

/**
 * Judges files that are there by their hashes. A file is foreign until the resume says otherwise; a foreign one is in
 * the way when it would have to change, or shares a piece that is wrong. What shares a piece with a file that is not
 * there cannot be judged before that piece comes; the disk compares it then. What is no file is always in the way.
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

/** A piece whose files are all there, as long as they should be, and that is not right. */
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
 * @param onDone - With `EEXIST` when foreign files are in the way and nobody said what to do with them.
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
  // One thing may stand in the way of very many files.
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

/** Its length is wrong, or a piece that it shares with nobody. */
function isSurelyWrong(found: FoundFiles, index: number): boolean {
  if (found.stamps[index]!.size !== found.info.files[index]!.length) return true;
  for (const sharers of wrongPieces(found, index)) if (sharers.length === 1) return true;
  return false;
}

/** Where what is there stands: it may have the name of an unfinished file. */
function pathOf({ info, root, stamps, unfinishedSuffix }: FoundFiles, index: number): string {
  const path = `${root}/${info.files[index]!.path.join("/")}`;
  return stamps[index]!.unfinished ? `${path}${unfinishedSuffix ?? ""}` : path;
}

function listed(paths: readonly string[]): string {
  const more = paths.length - NAMED_MAX;
  return `${paths.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
