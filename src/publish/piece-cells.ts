import type { Work } from "../base/work.ts";

/** Takes a fraction of a millisecond. */
const PIECES_PER_STEP = 8_192;

/** The pieces of a torrent summed up in a few cells of equal width. */
export interface PieceCells {
  /** For each cell the copies of its rarest piece. */
  readonly copies: number[];
  /** Cells with a piece that the everseed does not have. */
  readonly lacking: number[];
}

/**
 * Sums up how many copies of each piece there are.
 *
 * @param pieces.lacking - Pieces that the everseed does not have.
 * @param pieces.wholeCopies - The number of complete copies elsewhere.
 * @param pieces.partialCopies - For each piece, the copies of partial peers; absent when there are none.
 */
export function* pieceCells(
  pieces: {
    readonly pieceCount: number;
    readonly lacking: ReadonlySet<number>;
    readonly wholeCopies: number;
    readonly partialCopies: Uint16Array | undefined;
  },
  cellsMax: number,
): Work<PieceCells> {
  const { pieceCount, lacking, wholeCopies, partialCopies } = pieces;
  const cellCount = Math.min(pieceCount, cellsMax);
  const copies = Array.from({ length: cellCount }, () => Infinity);
  const lackingCells = new Set<number>();
  for (let piece = 0; piece < pieceCount; piece += 1) {
    if (piece % PIECES_PER_STEP === PIECES_PER_STEP - 1) yield;
    const cell = Math.floor((piece * cellCount) / pieceCount);
    const isLacking = lacking.has(piece);
    if (isLacking) lackingCells.add(cell);
    const count = wholeCopies + (isLacking ? 0 : 1) + (partialCopies?.[piece] ?? 0);
    copies[cell] = Math.min(copies[cell]!, count);
  }
  return { copies, lacking: [...lackingCells] };
}
