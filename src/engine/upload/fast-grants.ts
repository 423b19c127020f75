/** A peer may request a block again when it was lost on the way, and the whole piece once. */
const TIMES_MAX = 2;

/** The pieces that one peer may fetch although we choke it (BEP 6), and how much of them it may still request. */
export class FastGrants {
  readonly #bytesLeft = new Map<number, number>();

  get count(): number {
    return this.#bytesLeft.size;
  }

  grant(piece: number, pieceBytes: number): void {
    this.#bytesLeft.set(piece, pieceBytes * TIMES_MAX);
  }

  has(piece: number): boolean {
    return this.#bytesLeft.has(piece);
  }

  /** Grants a request and counts it. @returns False when it is not granted. */
  take(piece: number, length: number): boolean {
    const left = this.#bytesLeft.get(piece) ?? 0;
    if (left < length) return false;
    this.#bytesLeft.set(piece, left - length);
    return true;
  }
}
