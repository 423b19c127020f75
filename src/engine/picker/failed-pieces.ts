/** Times the same sender may deliver the same piece alone and corrupt before it is not asked again. */
const ALONE_MAX = 3;

/** Senders remembered for one piece; the oldest of more is forgotten. */
const SENDERS_MAX = 16;

interface Failure {
  /** Senders that delivered the whole piece alone, once for each time it was corrupt. */
  readonly alone: number[];
}

/**
 * Pieces that were corrupt and are not intact yet. They are fetched whole from one peer (WIR-12),
 * before other pieces, and not from one that delivered them corrupt while somebody else has them.
 */
export class FailedPieces {
  readonly #failures = new Map<number, Failure>();
  readonly #waiting = new Set<number>();

  has(piece: number): boolean {
    return this.#failures.has(piece);
  }

  /** Pieces to be fetched again. */
  get waiting(): ReadonlySet<number> {
    return this.#waiting;
  }

  /** @param alone - The one who sent all of it, if one did. */
  add(piece: number, alone: number | undefined): void {
    const failure = this.#failures.get(piece) ?? { alone: [] };
    this.#failures.set(piece, failure);
    this.#waiting.add(piece);
    if (alone === undefined) return;
    failure.alone.push(alone);
    if (failure.alone.length > SENDERS_MAX) failure.alone.shift();
  }

  /** Waits again: it was opened, but nothing of it is left. */
  wait(piece: number): void {
    this.#waiting.add(piece);
  }

  /** It is being fetched. */
  start(piece: number): void {
    this.#waiting.delete(piece);
  }

  delete(piece: number): void {
    this.#failures.delete(piece);
    this.#waiting.delete(piece);
  }

  /** True when this sender delivered all of the piece and it was corrupt. */
  isBlamed(piece: number, sender: number): boolean {
    return this.#failures.get(piece)?.alone.includes(sender) ?? false;
  }

  /** True when it did so too often. */
  isHopeless(piece: number, sender: number): boolean {
    const alone = this.#failures.get(piece)?.alone ?? [];
    return alone.filter((other) => other === sender).length >= ALONE_MAX;
  }
}
