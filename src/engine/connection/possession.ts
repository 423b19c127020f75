import { Bitfield } from "../../base/bitfield.ts";
import { WireError } from "../../wire/wire-error.ts";

/** Haves kept while the piece count is unknown: as many as a torrent with the longest bitfield could send. */
const EARLY_HAVES_MAX = 100_000;

/**
 * How often a peer may have everything again, after it lost pieces (BEP 54): each time all of them are counted twice.
 */
const HAVE_ALLS_MAX = 50;

/** What a message about pieces changed. */
export type PossessionChange =
  /** It is kept until the piece count is known. */
  | { readonly kind: "kept" }
  /** Everything was stated anew. */
  | { readonly kind: "stated" }
  /** These pieces were added to the known ones. */
  | { readonly kind: "grown"; readonly pieces: readonly number[] };

const KEPT: PossessionChange = { kind: "kept" };
const STATED: PossessionChange = { kind: "stated" };

/**
 * The pieces that one peer says it has: bitfield, have-all, have-none and haves (BEP 3, BEP 6). With a magnet link they
 * arrive before we know how many pieces there are.
 */
export class Possession {
  #pieces: Bitfield | undefined;
  /** Statements from before the piece count was known. */
  #earlyBits: Uint8Array | "all" | "none" | undefined;
  #earlyHaves: number[] = [];
  #haveAlls = 0;

  /** `undefined` until the piece count is known. */
  get pieces(): Bitfield | undefined {
    return this.#pieces;
  }

  get isAll(): boolean {
    return this.#pieces !== undefined && this.#pieces.length > 0 && this.#pieces.full;
  }

  /**
   * The piece count became known: earlier statements can be interpreted now.
   *
   * @throws {WireError} When they do not fit the piece count.
   */
  setPieceCount(pieceCount: number): void {
    const early = this.#earlyBits;
    let pieces: Bitfield | undefined;
    if (early instanceof Uint8Array) {
      pieces = Bitfield.from(early, pieceCount);
      if (!pieces)
        throw new WireError("bad-bitfield", `${early.length} bytes for ${pieceCount} pieces`);
    } else {
      pieces = new Bitfield(pieceCount);
      if (early === "all") pieces.fill();
    }
    for (const piece of this.#earlyHaves) {
      if (piece >= pieceCount) throw new WireError("bad-index", `piece ${piece} of ${pieceCount}`);
      pieces.add(piece);
    }
    this.#pieces = pieces;
    this.#earlyBits = undefined;
    this.#earlyHaves = [];
  }

  /** @returns True when the peer had the piece. */
  handleDontHave(piece: number): boolean {
    return this.#pieces?.delete(piece) === true;
  }

  /** @returns True when that is new. */
  handleHave(piece: number): boolean {
    if (this.#pieces) return this.#pieces.add(piece);
    if (this.#earlyHaves.length < EARLY_HAVES_MAX) this.#earlyHaves.push(piece);
    return false;
  }

  /** @throws {WireError} When it has spare bits, or retracts an earlier statement. */
  handleBitfield(bits: Uint8Array): PossessionChange {
    const known = this.#pieces;
    if (!known) {
      this.#earlyBits = bits.slice();
      return KEPT;
    }
    const stated = Bitfield.from(bits, known.length);
    if (!stated) throw new WireError("bad-bitfield", "spare bits are set");
    if (known.count === 0) {
      this.#pieces = stated;
      return STATED;
    }
    // aria2 sends its bitfield again instead of many haves.
    return { kind: "grown", pieces: grow(known, stated) };
  }

  /** @throws {WireError} When it was retracted and repeated too often. */
  handleHaveAll(): PossessionChange {
    if (this.#pieces) {
      if (this.#pieces.full) return { kind: "grown", pieces: [] };
      this.#haveAlls += 1;
      if (this.#haveAlls > HAVE_ALLS_MAX) {
        throw new WireError("contradiction", "has everything again and again");
      }
      this.#pieces.fill();
      return STATED;
    }
    this.#earlyBits = "all";
    return KEPT;
  }

  handleHaveNone(): PossessionChange {
    if (this.#pieces) return STATED;
    this.#earlyBits = "none";
    return KEPT;
  }
}

/**
 * Adds the new pieces. It works byte by byte: otherwise a peer that repeats its bitfield would cost
 * a step a piece each time.
 *
 * @returns The pieces that were added.
 * @throws {WireError} When a known piece is missing.
 */
function grow(known: Bitfield, stated: Bitfield): number[] {
  const pieces: number[] = [];
  for (let at = 0; at < stated.bytes.length; at += 1) {
    const [byte, before] = [stated.bytes[at]!, known.bytes[at]!];
    if (byte === before) continue;
    if ((before & ~byte) !== 0) {
      const piece = at * 8 + Math.clz32(before & ~byte) - 24;
      throw new WireError("contradiction", `takes piece ${piece} back`);
    }
    for (let piece = at * 8; piece < at * 8 + 8; piece += 1) {
      if (stated.has(piece) && known.add(piece)) pieces.push(piece);
    }
  }
  return pieces;
}
