/**
 * The piece numbers that may stand in the messages of one peer: each is lower than its bound. Whoever owns the peer
 * owns the bounds and may raise them at any time; the decoder asks them at each message.
 *
 * In a torrent both are its piece count. Where each side numbers what it fetches, they are two things.
 */
export interface PieceBounds {
  /** Of numbers under which we fetch: have, bitfield, suggest, allowed fast, piece, reject and lt_donthave. */
  readonly wanted: number;
  /** Of numbers under which the peer fetches: request and cancel. */
  readonly served: number;
}

/** While nobody knows how many pieces there are: every number passes. */
export const UNKNOWN_BOUNDS: PieceBounds = {
  wanted: Number.POSITIVE_INFINITY,
  served: Number.POSITIVE_INFINITY,
};

/** The same bound in both directions. */
export function boundsOf(pieceCount: number): PieceBounds {
  return { wanted: pieceCount, served: pieceCount };
}
