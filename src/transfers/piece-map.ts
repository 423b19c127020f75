import type { Bitfield } from "../base/bitfield.ts";
import type { EngineTorrent } from "../engine/session-contract.ts";

/** Cells of the strip of copies. */
const CELLS_MAX = 240;

/** Which pieces of a transfer are here, on their way, and how many copies the peers have. */
export interface PieceMap {
  readonly pieceCount: number;
  /** Bytes. */
  readonly pieceLength: number;
  /** `undefined` while nobody knows. */
  readonly have: Bitfield | undefined;
  /** Pieces of which a part is here. */
  readonly started: readonly number[];
  /** For each of at most 240 cells the copies of its rarest piece among the peers; empty while it does not run. */
  readonly copies: readonly number[];
  /** The pieces with the fewest copies, of those that are missing here, or of all. */
  readonly rarest: RarestPieces | undefined;
}

/** A run of pieces. */
export interface RarestPieces {
  readonly copies: number;
  readonly first: number;
  /** The last one, inclusive. */
  readonly last: number;
}

/** @returns Copies of each piece among the connected peers and web seeds; `undefined` without metadata. */
export function copiesOf(torrent: EngineTorrent): Uint16Array | undefined {
  const partial = torrent.partialCopies();
  if (!partial) return undefined;
  const { seeds, webSeeds } = torrent.stats();
  const whole = seeds + webSeeds;
  return whole === 0 ? partial : partial.map((copies) => copies + whole);
}

/** Sums up the copies in cells of equal width; each is as rare as its rarest piece. */
export function copyCells(copies: Uint16Array): number[] {
  const count = Math.min(CELLS_MAX, copies.length);
  return Array.from({ length: count }, (_, cell) => {
    const first = Math.floor((cell * copies.length) / count);
    const end = Math.max(first + 1, Math.floor(((cell + 1) * copies.length) / count));
    return copies.subarray(first, end).reduce((least, each) => Math.min(least, each));
  });
}

/** @param have - Its pieces are left out, unless it has all of them. */
export function rarestIn(
  copies: Uint16Array,
  have: Bitfield | undefined,
): RarestPieces | undefined {
  const counts = (piece: number): boolean => !have || have.full || !have.has(piece);
  let least = Infinity;
  let first = -1;
  for (let piece = 0; piece < copies.length; piece += 1) {
    if (copies[piece]! < least && counts(piece)) [least, first] = [copies[piece]!, piece];
  }
  if (first === -1) return undefined;
  let last = first;
  while (last + 1 < copies.length && copies[last + 1] === least && counts(last + 1)) last += 1;
  return { copies: least, first, last };
}
