import { readUint32 } from "../base/bytes.ts";
import { addressBytes } from "../base/endpoint.ts";
import { sha1 } from "../base/hash.ts";

/** BEP 6 proposes 10 pieces. */
export const ALLOWED_FAST_COUNT = 10;

export interface AllowedFastOptions {
  /** The remote's address as we see it. */
  readonly address: string;
  /** 20 bytes. */
  readonly infohash: Uint8Array;
  readonly pieceCount: number;
  /** Pieces wanted; the set is smaller when the torrent has fewer. */
  readonly count?: number;
}

/**
 * The pieces a peer may fetch while it is choked (BEP 6). They depend on its /24 network, so that a peer gains
 * nothing by connecting many times.
 *
 * @returns Distinct indexes in the order of the BEP; empty for IPv6, which the BEP does not cover.
 */
export function allowedFastSet(options: AllowedFastOptions): number[] {
  const address = addressBytes(options.address);
  if (!address || address.length !== 4) return [];
  const count = Math.min(options.count ?? ALLOWED_FAST_COUNT, options.pieceCount);
  // When every piece is wanted, the draws below could take very long to hit them all.
  if (count === options.pieceCount) return Array.from({ length: count }, (_, index) => index);
  const pieces = new Set<number>();
  let state = new Uint8Array(24);
  state.set(address.subarray(0, 3));
  state.set(options.infohash.subarray(0, 20), 4);
  while (pieces.size < count) {
    state = Uint8Array.from(sha1(state));
    for (let at = 0; at < 20 && pieces.size < count; at += 4) {
      pieces.add(readUint32(state, at) % options.pieceCount);
    }
  }
  return [...pieces];
}
