import type { Bitfield } from "../base/bitfield.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";
import type { Content, DiskFailure, DiskOutcome, FileStamp } from "../ports/content.ts";

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
  /** Of somebody else, and not as they should be. */
  readonly inTheWay: readonly number[];
}

/**
 * Judges files that are there by their hashes. A file is foreign until the resume says otherwise; a foreign one is in
 * the way when it is sure that it would have to change. What shares a piece with a file that is not there cannot be
 * judged before that piece comes; the disk compares it then.
 */
export function judgeExisting(found: FoundFiles): FileClaims {
  const { info, stamps, isOurs, isWanted } = found;
  const ours: number[] = [];
  const inTheWay: number[] = [];
  for (const [index, file] of info.files.entries()) {
    const { size } = stamps[index]!;
    if (file.pad || file.linkTarget || size < 0) continue;
    if (isOurs(index)) {
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
function isWrong({ info, have, stamps }: FoundFiles, index: number): boolean {
  if (info.files[index]!.length === 0) return false;
  const { geometry, files } = info;
  const isThere = (file: TorrentFile, at: number): boolean =>
    file.pad || stamps[at]!.size === file.length;
  const { first, end } = geometry.filePieces(index);
  for (let piece = first; piece < end; piece += 1) {
    if (have.has(piece)) continue;
    const spans = geometry.spans(piece * geometry.pieceLength, geometry.pieceSize(piece));
    if (spans.every(({ file }) => isThere(files[file]!, file))) return true;
  }
  return false;
}

/**
 * Makes room for a download as `existing` allows.
 *
 * @param onDone - With `EEXIST` when foreign files are in the way and nobody said what to do with them.
 */
export function claimFiles(
  content: Content,
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
    if (claim.length === 0) onDone({ kind: "done" });
    else content.claim(claim, onDone);
  };
  if (aside.length === 0) claimNow();
  else
    content.setAside(aside, (outcome) => (outcome.kind === "done" ? claimNow() : onDone(outcome)));
}

function foreignFailure({ info, root, inTheWay }: FoundFiles & FileClaims): DiskFailure {
  const paths = inTheWay.map((index) => `${root}/${info.files[index]!.path.join("/")}`);
  const more = paths.length - NAMED_MAX;
  const named = `${paths.slice(0, NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const verb = paths.length === 1 ? "is there already and is not" : "are there already and are not";
  const message = `${named} ${verb} what the torrent says`;
  return { kind: "failure", code: "EEXIST", message, path: paths[0]! };
}
