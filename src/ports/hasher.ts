import type { DiskFailure, DiskOutcome, Slab } from "./content.ts";

/** What to find out about a piece. */
export interface DigestPlan {
  /** Bytes under the v1 hash, padding at the end included; `undefined` when it is not asked for. */
  readonly v1Bytes: number | undefined;
  /** Bytes of the file under the v2 node and the leaves of its subtree. */
  readonly v2: { readonly bytes: number; readonly leafWidth: number } | undefined;
  /** Whether the SHA-1 of each block is asked for. */
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
  /** Bytes before each block of 16 KiB that are not hashed, and not counted by `length`. */
  readonly headBytes: number;
}

/** The hashing of one piece, which is fed in order, one call at a time. Slabs are lent until the callback. */
export interface PieceHashing {
  /** Takes whole blocks, of which more follow. */
  feed(part: HashedPart, onDone: (outcome: DiskOutcome) => void): void;
  /** Takes the last bytes. Padding at the end need not be fed. */
  finish(part: HashedPart, onDone: (found: PieceDigests | DiskFailure) => void): void;
  /** Nothing more is fed. Called instead of `finish`, and not while a call is under way. */
  cancel(): void;
}

/** Hashes pieces that are in memory, for stores without workers near their bytes. Calls back later, never inside the call. */
export interface Hasher {
  begin(plan: DigestPlan): PieceHashing;
}
