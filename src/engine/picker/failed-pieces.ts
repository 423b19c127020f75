/** After this many whole corrupt pieces from it alone, a sender is asked for nothing more. */
const ALONE_MAX = 4;

/** Senders remembered for one piece; beyond that the oldest is forgotten. */
const SENDERS_MAX = 16;

/** Senders of whole corrupt pieces remembered in total; beyond that the oldest is forgotten. */
const DOUBTFUL_MAX = 4096;

/**
 * Pieces that were corrupt and are not intact yet. Each is fetched whole from one peer (WIR-12), before other pieces,
 * and not from a peer that delivered it corrupt while another peer has it.
 */
export class FailedPieces {
  /** For each piece, the senders that delivered all of it alone and corrupt. */
  readonly #failures = new Map<number, Set<number>>();
  readonly #waiting = new Set<number>();
  /** Consecutive whole corrupt pieces, by sender. */
  readonly #doubtful = new Map<number, number>();

  has(piece: number): boolean {
    return this.#failures.has(piece);
  }

  /** Pieces to be fetched again. */
  get waiting(): ReadonlySet<number> {
    return this.#waiting;
  }

  /** @param alone - The peer that sent all of it, if there is one. */
  add(piece: number, alone: number | undefined): void {
    const senders = this.#failures.get(piece) ?? new Set();
    this.#failures.set(piece, senders);
    this.#waiting.add(piece);
    if (alone === undefined) return;
    senders.add(alone);
    dropOldest(senders, SENDERS_MAX);
    const count = (this.#doubtful.get(alone) ?? 0) + 1;
    this.#doubtful.delete(alone);
    this.#doubtful.set(alone, count);
    dropOldest(this.#doubtful, DOUBTFUL_MAX);
  }

  /** The sender delivered a whole piece alone and corrupt, and none alone and intact since. */
  isDoubtful(sender: number): boolean {
    return this.#doubtful.has(sender);
  }

  /** The sender delivered a whole piece alone and intact. */
  clear(sender: number): void {
    this.#doubtful.delete(sender);
  }

  /** The piece waits again: it was opened, but nothing of it is left. */
  wait(piece: number): void {
    this.#waiting.add(piece);
  }

  /** The piece is being fetched. */
  start(piece: number): void {
    this.#waiting.delete(piece);
  }

  delete(piece: number): void {
    this.#failures.delete(piece);
    this.#waiting.delete(piece);
  }

  /** True when this sender delivered all of the piece and the piece was corrupt. */
  isBlamed(piece: number, sender: number): boolean {
    return this.#failures.get(piece)?.has(sender) ?? false;
  }

  /** True when it delivered only corrupt pieces, and too many of them. */
  isHopeless(sender: number): boolean {
    return (this.#doubtful.get(sender) ?? 0) >= ALONE_MAX;
  }
}

function dropOldest(items: Set<number> | Map<number, number>, max: number): void {
  for (const oldest of items.keys()) {
    if (items.size <= max) return;
    items.delete(oldest);
  }
}
