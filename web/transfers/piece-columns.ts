/** What one column of the map shows of its pieces. */
export interface PieceColumns {
  /** For each column the part of its pieces that is here, 0 to 1. */
  readonly here: Float32Array;
  /** For each column 1 when a piece of it is on its way. */
  readonly started: Uint8Array;
}

/**
 * Sums up the pieces of a transfer in columns of equal width.
 *
 * @param have - One bit a piece, bit 7 of the first byte is piece 0; null: none is known to be here.
 * @param columns - At most as many as there are pieces are used.
 */
export function pieceColumns(
  pieceCount: number,
  have: Uint8Array | null,
  started: readonly number[],
  columns: number,
): PieceColumns {
  const count = Math.max(1, Math.min(columns, pieceCount));
  const here = new Float32Array(count);
  const bits = have ?? new Uint8Array(0);
  let piece = 0;
  for (let column = 0; column < count; column += 1) {
    const first = piece;
    const end = Math.ceil(((column + 1) * pieceCount) / count);
    let found = 0;
    for (; piece < end; piece += 1) found += (bits[piece >>> 3]! >>> (7 - (piece & 7))) & 1;
    here[column] = found / Math.max(1, end - first);
  }
  const isStarted = new Uint8Array(count);
  for (const each of started) {
    isStarted[Math.min(count - 1, Math.floor((each * count) / Math.max(1, pieceCount)))] = 1;
  }
  return { here, started: isStarted };
}

/** Pieces that are here. */
export function countHere(have: Uint8Array | null): number {
  let count = 0;
  for (const byte of have ?? []) {
    for (let bits = byte; bits !== 0; bits &= bits - 1) count += 1;
  }
  return count;
}
