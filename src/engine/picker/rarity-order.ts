import { invariant } from "../../base/errors.ts";
import type { Dice } from "./dice.ts";
import { PieceBits } from "./piece-bits.ts";
import { PieceSequence } from "./piece-sequence.ts";

/** Positions checked in exact order of rarity; for a peer that lacks all of these, a sample decides. */
const WALK_MAX = 512;

/** Pieces of such a peer that are compared; the rarest of them is chosen. */
const SAMPLE = 32;

/** Random attempts to hit a suitable listed piece before a search starts. */
const THROWS_MAX = 16;

/** The largest value that a copy count can hold. */
const COPIES_MAX = 65_536;

/**
 * The pieces that may be opened, ordered by rank (file priority), then by the number of peers that hold them. One
 * permutation of all pieces is divided into buckets: when a piece gains or loses a copy, it swaps places with the piece
 * at the border of its bucket and the border moves by one, so a have message costs O(1). Pieces that are not listed
 * come before the first bucket.
 *
 * Opening a piece moves it across the borders below it: one step for each copy of it, most of them a decrement. Peers
 * that hold everything are not counted here: they do not make any piece rarer.
 */
export class RarityOrder {
  readonly #pieceCount: number;
  readonly #dice: Dice;
  readonly #copies: Uint16Array;
  /** The number of pieces that have 0, 1, 2... copies. */
  #histogram: Int32Array;
  /** No piece has fewer copies than this. */
  #leastCopies = 0;
  /** Rank 0 is picked first. */
  readonly #ranks: Uint8Array;
  readonly #order: Int32Array;
  /** The position of each piece in `#order`. */
  readonly #places: Int32Array;
  readonly #listed: PieceBits;
  /** The first position of each bucket, and the end. Bucket = rank x width + copies. */
  #starts: Int32Array;
  /** Buckets of one rank: copies 0 .. width - 1. */
  #width = 16;
  #rankCount = 1;
  /** While pieces are picked in the order of the torrent's bytes. */
  #sequence: PieceSequence | undefined;

  constructor(pieceCount: number, dice: Dice) {
    this.#pieceCount = pieceCount;
    this.#dice = dice;
    this.#copies = new Uint16Array(pieceCount);
    this.#ranks = new Uint8Array(pieceCount);
    this.#order = new Int32Array(pieceCount);
    this.#places = new Int32Array(pieceCount);
    this.#listed = new PieceBits(pieceCount);
    this.#starts = new Int32Array(this.#width + 1).fill(pieceCount); // none is listed
    for (let i = 0; i < pieceCount; i += 1) this.#order[i] = i;
    for (let i = pieceCount - 1; i > 0; i -= 1) {
      const j = dice.below(i + 1);
      const piece = this.#order[i]!;
      this.#order[i] = this.#order[j]!;
      this.#order[j] = piece;
    }
    for (let i = 0; i < pieceCount; i += 1) this.#places[this.#order[i]!] = i;
    this.#histogram = new Int32Array(this.#width);
    this.#histogram[0] = pieceCount;
  }

  get listedCount(): number {
    return this.#pieceCount - this.#starts[0]!;
  }

  /** The listed pieces, to be read only. */
  get listed(): PieceBits {
    return this.#listed;
  }

  isListed(piece: number): boolean {
    return this.#listed.has(piece);
  }

  /** The number of peers that hold the piece, without those that hold everything. */
  copies(piece: number): number {
    return this.#copies[piece]!;
  }

  /** Copies of the rarest piece, listed or not; 0 when there is no piece. */
  get leastCopies(): number {
    const last = this.#histogram.length - 1;
    while (this.#leastCopies < last && this.#histogram[this.#leastCopies] === 0) {
      this.#leastCopies += 1;
    }
    return this.#pieceCount === 0 ? 0 : this.#leastCopies;
  }

  /** Listed pieces that none of the counted peers holds. */
  get listedWithoutCopy(): number {
    let count = 0;
    for (let rank = 0; rank < this.#rankCount; rank += 1) {
      const bucket = rank * this.#width;
      count += this.#starts[bucket + 1]! - this.#starts[bucket]!;
    }
    return count;
  }

  /** One more peer holds the piece. */
  raise(piece: number): void {
    const copies = this.#copies[piece]! + 1;
    invariant(copies < COPIES_MAX, "there are fewer peers than that");
    if (copies >= this.#width) {
      this.#width *= 2;
      this.#rebuild();
    }
    if (this.#listed.has(piece)) {
      const next = this.#bucketOf(piece) + 1;
      this.#swap(piece, this.#starts[next]! - 1);
      this.#starts[next]! -= 1;
    }
    this.#copies[piece] = copies;
    this.#histogram[copies - 1]! -= 1;
    this.#histogram[copies]! += 1;
  }

  /** One peer fewer holds the piece. */
  lower(piece: number): void {
    invariant(this.#copies[piece]! > 0, "a copy is lowered once for each time it was raised");
    if (this.#listed.has(piece)) {
      const bucket = this.#bucketOf(piece);
      this.#swap(piece, this.#starts[bucket]!);
      this.#starts[bucket]! += 1;
    }
    const copies = this.#copies[piece]! - 1;
    this.#copies[piece] = copies;
    this.#histogram[copies + 1]! -= 1;
    this.#histogram[copies]! += 1;
    this.#leastCopies = Math.min(this.#leastCopies, copies);
  }

  /** Raises or lowers many pieces at once: O(all pieces), without moving each. */
  shift(pieces: PieceBits, by: 1 | -1): void {
    for (const piece of pieces.pieces()) {
      const copies = this.#copies[piece]! + by;
      invariant(copies >= 0 && copies < COPIES_MAX, "peers come and go one by one");
      this.#copies[piece] = copies;
      if (copies >= this.#width) this.#width *= 2;
    }
    this.#rebuild();
  }

  /** The piece may be opened. */
  list(piece: number): void {
    if (this.#listed.has(piece)) return;
    const target = this.#bucketOf(piece);
    for (let bucket = 0; bucket <= target; bucket += 1) {
      this.#swap(piece, this.#starts[bucket]! - 1);
      this.#starts[bucket]! -= 1;
    }
    this.#listed.add(piece);
    this.#sequence?.list(piece, this.#ranks[piece]!);
  }

  /** The piece may no longer be opened. */
  unlist(piece: number): void {
    if (!this.#listed.has(piece)) return;
    for (let bucket = this.#bucketOf(piece); bucket >= 0; bucket -= 1) {
      this.#swap(piece, this.#starts[bucket]!);
      this.#starts[bucket]! += 1;
    }
    this.#listed.delete(piece);
    this.#sequence?.unlist(piece, this.#ranks[piece]!);
  }

  /** Pieces are picked in the order of the torrent's bytes from now on, or by rarity again. O(pieces). */
  setSequential(isSequential: boolean): void {
    this.#sequence = isSequential
      ? new PieceSequence(this.#pieceCount, this.#rankCount)
      : undefined;
    if (!this.#sequence) return;
    for (const piece of this.#listed.pieces()) this.#sequence.list(piece, this.#ranks[piece]!);
  }

  get isSequential(): boolean {
    return this.#sequence !== undefined;
  }

  /**
   * Lists and ranks all pieces anew, in O(pieces).
   *
   * @param rankOf - 0 for the pieces to be picked first; `undefined` when not to be listed.
   */
  relist(rankCount: number, rankOf: (piece: number) => number | undefined): void {
    this.#rankCount = rankCount;
    this.#listed.clear();
    for (let piece = 0; piece < this.#pieceCount; piece += 1) {
      const rank = rankOf(piece);
      if (rank === undefined) continue;
      this.#ranks[piece] = rank;
      this.#listed.add(piece);
    }
    this.#rebuild();
    if (this.#sequence) this.setSequential(true);
  }

  /** The rank a piece gets when it is listed next; for pieces that are not listed now. */
  setRank(piece: number, rank: number): void {
    invariant(!this.#listed.has(piece), "a listed piece lies in the bucket of its rank");
    this.#ranks[piece] = rank;
  }

  /** The piece of the holder that is to be opened next: the first one in sequence, or a rarest one. -1: none. */
  next(holder: PieceBits | undefined): number {
    const first = this.#sequence?.first(holder) ?? -1;
    return first >= 0 ? first : this.rarest(holder);
  }

  /**
   * A rarest listed piece that the holder has, with ties broken at random. The answer is exact for the `WALK_MAX`
   * rarest pieces; when the holder has none of those, it is the rarest of a sample of the holder's pieces.
   *
   * @param holder - `undefined` for a peer that has everything.
   * @returns -1 when there is none.
   */
  rarest(holder: PieceBits | undefined): number {
    let budget = WALK_MAX;
    for (let bucket = 0; bucket < this.#starts.length - 1; bucket += 1) {
      // If no peer counted here has a piece, the holder does not have it either.
      if (holder && bucket % this.#width === 0) continue;
      const from = this.#starts[bucket]!;
      const size = this.#starts[bucket + 1]! - from;
      if (size === 0) continue;
      const first = size === 1 ? 0 : this.#dice.below(size);
      if (!holder) return this.#order[from + first]!;
      for (let i = 0; i < size; i += 1) {
        const turn = first + i;
        const piece = this.#order[from + (turn < size ? turn : turn - size)]!;
        if (holder.has(piece)) return piece;
        budget -= 1;
        if (budget === 0) return this.#sample(holder);
      }
    }
    return -1;
  }

  /** A random listed piece of the first rank in use that the holder has; else a rarest one. */
  random(holder: PieceBits | undefined): number {
    const from = this.#starts[0]!;
    let end = from;
    for (let rank = 1; end === from && rank <= this.#rankCount; rank += 1) {
      end = this.#starts[rank * this.#width]!;
    }
    for (let i = 0; i < THROWS_MAX && end > from; i += 1) {
      const piece = this.#order[from + this.#dice.below(end - from)]!;
      if (!holder || holder.has(piece)) return piece;
    }
    return this.rarest(holder);
  }

  /** True when `a` is to be picked no later than `b`, both listed. */
  notAfter(a: number, b: number): boolean {
    if (!this.#sequence) return this.#bucketOf(a) <= this.#bucketOf(b);
    const [rankA, rankB] = [this.#ranks[a]!, this.#ranks[b]!];
    return rankA < rankB || (rankA === rankB && a <= b);
  }

  /** Sorts all pieces into their buckets, keeping the order within a bucket. O(pieces). */
  #rebuild(): void {
    const buckets = this.#width * this.#rankCount;
    const sizes = new Int32Array(buckets + 2); // shifted by one; [0] = pieces that are not listed
    this.#histogram = new Int32Array(this.#width);
    this.#leastCopies = 0;
    for (let piece = 0; piece < this.#pieceCount; piece += 1) {
      sizes[this.#slotOf(piece)]! += 1;
      this.#histogram[this.#copies[piece]!]! += 1;
    }
    const next = new Int32Array(buckets + 2);
    for (let slot = 1; slot < next.length; slot += 1) {
      next[slot] = next[slot - 1]! + sizes[slot - 1]!;
    }
    this.#starts = next.slice(1);
    const before = this.#order.slice();
    for (const piece of before) {
      const slot = this.#slotOf(piece);
      const place = next[slot]!;
      this.#order[place] = piece;
      this.#places[piece] = place;
      next[slot] = place + 1;
    }
  }

  #slotOf(piece: number): number {
    return this.#listed.has(piece) ? this.#bucketOf(piece) + 1 : 0;
  }

  #bucketOf(piece: number): number {
    return this.#ranks[piece]! * this.#width + this.#copies[piece]!;
  }

  #swap(piece: number, place: number): void {
    const other = this.#order[place]!;
    const from = this.#places[piece]!;
    this.#order[from] = other;
    this.#places[other] = from;
    this.#order[place] = piece;
    this.#places[piece] = place;
  }

  #sample(holder: PieceBits): number {
    const words = this.#listed.words;
    const first = this.#dice.below(words.length);
    let best = -1;
    let seen = 0;
    for (let i = 0; i < words.length && seen < SAMPLE; i += 1) {
      const turn = first + i;
      const word = turn < words.length ? turn : turn - words.length;
      let bits = words[word]! & holder.words[word]!;
      while (bits !== 0) {
        const bit = Math.clz32(bits);
        bits &= ~(0x8000_0000 >>> bit);
        const piece = word * 32 + bit;
        if (best < 0 || this.#bucketOf(piece) < this.#bucketOf(best)) best = piece;
        seen += 1;
      }
    }
    return best;
  }
}
