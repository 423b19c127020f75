/**
 * The bounds of piece numbers in the messages of one peer: each number is lower than its bound. The
 * owner of the peer owns the bounds and may raise them at any time; the decoder reads them for each
 * message.
 *
 * In a torrent both bounds are its piece count. They differ where each side numbers its own
 * downloads.
 */
export interface PieceBounds {
  /** The bound of our downloads: have, bitfield, suggest, allowed fast, piece, reject and lt_donthave. */
  readonly wanted: number;
  /** The bound of the peer's downloads: request and cancel. */
  readonly served: number;
}

/** Every number passes while the number of pieces is unknown. */
export const UNKNOWN_BOUNDS: PieceBounds = {
  wanted: Number.POSITIVE_INFINITY,
  served: Number.POSITIVE_INFINITY,
};

/** The same bound in both directions. */
export function boundsOf(pieceCount: number): PieceBounds {
  return { wanted: pieceCount, served: pieceCount };
}
