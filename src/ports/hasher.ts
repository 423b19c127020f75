import type { DiskFailure, DiskOutcome, Slab } from "./content.ts";

/** What to compute for a piece. */
export interface DigestPlan {
  /** Bytes under the v1 hash, padding at the end included; `undefined` when not needed. */
  readonly v1Bytes: number | undefined;
  /** Bytes of the file under the v2 node and the leaves of its subtree. */
  readonly v2: { readonly bytes: number; readonly leafWidth: number } | undefined;
  /** True to compute the SHA-1 of each block. */
  readonly blocks: boolean;
}

export interface PieceDigests {
  readonly v1?: Uint8Array | undefined;
  readonly v2?: Uint8Array | undefined;
  readonly blocks?: Uint8Array | undefined;
}

/** Bytes to hash: `length` of them from the start of the slab. */
export interface HashedPart {
  readonly slab: Slab;
  readonly length: number;
  /** Bytes before each block of 16 KiB that are neither hashed nor counted in `length`. */
  readonly headBytes: number;
}

/** Hashes one piece, fed in order, one call at a time. Slabs are lent until the callback. */
export interface PieceHashing {
  /** Takes whole blocks, with more to follow. */
  feed(part: HashedPart, onDone: (outcome: DiskOutcome) => void): void;
  /** Takes the last bytes. Padding at the end need not be fed. */
  finish(part: HashedPart, onDone: (found: PieceDigests | DiskFailure) => void): void;
  /** Cancels the hashing. Call it instead of `finish`, and not while a call is under way. */
  cancel(): void;
}

/**
 * Hashes pieces in memory, for stores without workers near their bytes. Calls back later, never
 * inside the call.
 */
export interface Hasher {
  begin(plan: DigestPlan): PieceHashing;
}
