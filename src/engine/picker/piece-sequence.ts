import { PieceBits } from "./piece-bits.ts";

/** Words of 32 pieces that are looked through for a peer that lacks the first ones. */
const WALK_WORDS_MAX = 1024;

/**
 * The pieces that may be opened in the order of the torrent's bytes, rank by rank. Each rank is a set of bits with a
 * mark before which nothing is left, so that a sequential download finds its next piece without a search.
 */
export class PieceSequence {
  readonly #ranks: readonly PieceBits[];
  /** No listed piece of the rank is in a word before this one. */
  readonly #marks: Int32Array;

  constructor(pieceCount: number, rankCount: number) {
    this.#ranks = Array.from({ length: rankCount }, () => new PieceBits(pieceCount));
    this.#marks = new Int32Array(rankCount);
  }

  list(piece: number, rank: number): void {
    this.#ranks[rank]!.add(piece);
    this.#marks[rank] = Math.min(this.#marks[rank]!, piece >>> 5);
  }

  unlist(piece: number, rank: number): void {
    this.#ranks[rank]!.delete(piece);
  }

  /**
   * The first listed piece that the holder has, of the first rank in which it has any.
   *
   * @param holder - `undefined` for a peer that has everything.
   * @returns -1 when it has none of those that were looked at.
   */
  first(holder: PieceBits | undefined): number {
    let budget = WALK_WORDS_MAX;
    for (const [rank, { words }] of this.#ranks.entries()) {
      let word = this.#marks[rank]!;
      while (word < words.length && words[word] === 0) word += 1;
      this.#marks[rank] = word;
      for (; word < words.length && budget > 0; word += 1) {
        const bits = holder ? words[word]! & holder.words[word]! : words[word]!;
        if (bits !== 0) return word * 32 + Math.clz32(bits);
        budget -= 1;
      }
    }
    return -1;
  }
}
