import { equalBytes, readUint32 } from "../base/bytes.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import type { Work } from "../base/work.ts";
import { NODE_BYTES, treeWidth } from "./merkle.ts";
import type { TorrentFile } from "./metainfo.ts";

/** Bytes of the seed of a table. */
export const ROOT_SEED_BYTES = 8;

/** Files that are entered before other work gets a turn. */
const FILES_PER_STEP = 256;
/** Slots for each file at least: half of them stay empty, so that a search ends after a few. */
const SLOTS_PER_FILE = 2;

/**
 * Finds the file to a root of a merkle tree (BEP 52). A torrent may have 200,000 files: a file takes two slots of eight
 * bytes here, and its root stays in the info dictionary.
 *
 * Open addressing with linear probing. A torrent can name any 32 bytes as a root, and a peer can ask for any: where a
 * root lies depends on a seed that nobody outside knows, so that no choice of roots makes searches long (MET-26).
 */
export class RootTable {
  readonly #files: readonly TorrentFile[];
  readonly #seed: RootSeed;
  /** One less than the number of slots, which is a power of two. */
  readonly #mask: number;
  /** The whole hash of the root in each slot: roots are compared only where these are equal. */
  readonly #hashes: Int32Array;
  /** The index of the file plus one; 0 in an empty slot. */
  readonly #entries: Int32Array;

  /** @param capacity - Files that will be entered at most. */
  private constructor(files: readonly TorrentFile[], seed: RootSeed, capacity: number) {
    const slots = treeWidth(Math.max(1, capacity) * SLOTS_PER_FILE);
    this.#files = files;
    this.#seed = seed;
    this.#mask = slots - 1;
    this.#hashes = new Int32Array(slots);
    this.#entries = new Int32Array(slots);
  }

  /**
   * Enters all files that have a tree: those of more than one block. The root of one block is its hash.
   *
   * @param seed - `ROOT_SEED_BYTES` random bytes.
   */
  static *inSteps(files: readonly TorrentFile[], seed: Uint8Array): Work<RootTable> {
    let count = 0;
    for (const [index, file] of files.entries()) {
      if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
      if (hasTree(file)) count += 1;
    }
    const table = new RootTable(files, rootSeed(seed), count);
    for (const [index, file] of files.entries()) {
      if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
      if (hasTree(file)) table.#add(file.piecesRoot!, index);
    }
    return table;
  }

  /**
   * @param root - 32 bytes, perhaps from a peer.
   * @returns The index of the first file of more than one block with this root; `undefined` when there is none.
   */
  find(root: Uint8Array): number | undefined {
    const entry = this.#entries[this.#slotOf(root, rootHash(root, this.#seed))]!;
    return entry === 0 ? undefined : entry - 1;
  }

  #add(root: Uint8Array, index: number): void {
    const hash = rootHash(root, this.#seed);
    const slot = this.#slotOf(root, hash);
    // Of files with the same content the first one stays.
    if (this.#entries[slot] !== 0) return;
    this.#hashes[slot] = hash;
    this.#entries[slot] = index + 1;
  }

  /** The slot of this root, or the empty one that it would get. There are always empty ones. */
  #slotOf(root: Uint8Array, hash: number): number {
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#entries[slot]!;
      if (entry === 0) return slot;
      if (this.#hashes[slot] !== hash) continue;
      if (equalBytes(this.#files[entry - 1]!.piecesRoot!, root)) return slot;
    }
  }
}

function hasTree({ length, piecesRoot }: TorrentFile): boolean {
  return length > BLOCK_BYTES && piecesRoot !== undefined;
}

/** The key of `rootHash`: two whole numbers of 32 bits. */
export type RootSeed = readonly [number, number];

/** @param bytes - `ROOT_SEED_BYTES` of them. */
export function rootSeed(bytes: Uint8Array): RootSeed {
  return [readUint32(bytes, 0) | 0, readUint32(bytes, 4) | 0];
}

/**
 * A keyed hash for tables, HalfSipHash-1-3: who does not know the seed cannot tell which roots collide.
 *
 * @param root - 32 bytes.
 * @returns 32 bits, as a signed number.
 */
export function rootHash(root: Uint8Array, [k0, k1]: RootSeed): number {
  let v0 = k0;
  let v1 = k1;
  let v2 = k0 ^ 0x6c79_6765;
  let v3 = k1 ^ 0x7465_6462;
  // A word for each four bytes, then the length, then three rounds that mix all of it.
  for (let round = 0; round < NODE_BYTES / 4 + 4; round += 1) {
    const offset = round * 4;
    let word = 0;
    if (offset < NODE_BYTES) word = readUint32(root, offset) | 0;
    else if (offset === NODE_BYTES) word = NODE_BYTES << 24;
    else if (offset === NODE_BYTES + 4) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = rotated(v1, 5) ^ v0;
    v0 = rotated(v0, 16);
    v2 = (v2 + v3) | 0;
    v3 = rotated(v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotated(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotated(v1, 13) ^ v2;
    v2 = rotated(v2, 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
