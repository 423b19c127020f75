/** Pieces considered when a peer is to be asked for blocks: those that readers need soonest. */
export const SOONEST_MAX = 64;

/** A run of pieces that somebody reads. */
export interface DeadlineSpan {
  /** The piece that is needed first. */
  readonly first: number;
  /** One past the last piece. */
  readonly end: number;
  /** When the first piece is needed, in clock milliseconds. */
  readonly dueMs: number;
  /** How much later each further piece is needed. */
  readonly msPerPiece: number;
}

/** How far a reader's span has been listed. */
interface Cursor extends DeadlineSpan {
  /** The next piece to be listed. */
  next: number;
  /** When that piece is needed; infinity when none is left. */
  nextDueMs: number;
}

/**
 * The pieces that readers need soon, soonest first: one list, merged from a span for each reader. All overdue pieces
 * count as equally late, so that readers who all get too little are served in turn, each in its own order.
 *
 * After a change the list is rebuilt on the next access: O(`SOONEST_MAX` x readers).
 */
export class Deadlines {
  /** The first `count` numbers are the list. */
  readonly pieces = new Int32Array(SOONEST_MAX);
  readonly #isHad: (piece: number) => boolean;
  readonly #spans = new Map<number, Cursor>();
  /** The same list, for fast lookup. */
  #cursors: readonly Cursor[] = [];
  /** Two readers may need the same piece. */
  #overlap = false;
  #nowMs = 0;
  #count = 0;
  #isStale = false;

  /** @param isHad - Pieces that we have are not listed. */
  constructor(isHad: (piece: number) => boolean) {
    this.#isHad = isHad;
  }

  /** Nobody reads. */
  get isEmpty(): boolean {
    return this.#spans.size === 0;
  }

  /** Pieces in the list. */
  get count(): number {
    if (this.#isStale) this.#merge();
    return this.#count;
  }

  /** Replaces the reader's earlier span. */
  set(reader: number, span: DeadlineSpan, nowMs: number): void {
    this.#spans.set(reader, { ...span, next: span.first, nextDueMs: 0 });
    this.#nowMs = nowMs;
    this.#handleSpans();
  }

  /** The reader's latest span. */
  span(reader: number): DeadlineSpan | undefined {
    return this.#spans.get(reader);
  }

  clear(reader: number): void {
    if (this.#spans.delete(reader)) this.#handleSpans();
  }

  /** We got the piece, or lost it; without an argument: several pieces. */
  handleChange(piece?: number): void {
    if (piece === undefined || this.includes(piece)) this.#isStale = true;
  }

  /** True when the piece is in a reader's span. */
  includes(piece: number): boolean {
    for (const { first, end } of this.#spans.values())
      if (piece >= first && piece < end) return true;
    return false;
  }

  /** When a piece is needed first; infinity when nobody reads it. */
  dueMs(piece: number): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const span of this.#cursors) {
      if (piece < span.first || piece >= span.end) continue;
      soonestMs = Math.min(soonestMs, dueMsOf(span, piece));
    }
    return soonestMs;
  }

  #handleSpans(): void {
    this.#cursors = [...this.#spans.values()];
    this.#isStale = true;
  }

  #merge(): void {
    this.#isStale = false;
    this.#count = 0;
    this.#overlap = doOverlap(this.#cursors);
    for (const cursor of this.#cursors) this.#moveTo(cursor, cursor.first);
    while (this.#count < SOONEST_MAX) {
      const cursor = this.#soonest();
      if (!cursor) return;
      this.pieces[this.#count] = cursor.next;
      this.#count += 1;
      this.#moveTo(cursor, cursor.next + 1);
    }
  }

  /** The reader whose next piece is needed first; among equally late readers, the one with the fewest listed pieces. */
  #soonest(): Cursor | undefined {
    let soonest: Cursor | undefined;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const cursor of this.#cursors) {
      const dueMs = cursor.nextDueMs;
      if (dueMs > soonestMs || dueMs === Number.POSITIVE_INFINITY) continue;
      if (soonest && dueMs === soonestMs && ahead(cursor) >= ahead(soonest)) continue;
      soonest = cursor;
      soonestMs = dueMs;
    }
    return soonest;
  }

  /** Skips pieces that we have or that are listed already. */
  #moveTo(cursor: Cursor, piece: number): void {
    let next = piece;
    while (next < cursor.end && (this.#isHad(next) || this.#isListed(next))) next += 1;
    cursor.next = next;
    cursor.nextDueMs =
      next < cursor.end ? Math.max(this.#nowMs, dueMsOf(cursor, next)) : Number.POSITIVE_INFINITY;
  }

  #isListed(piece: number): boolean {
    if (!this.#overlap) return false;
    const at = this.pieces.indexOf(piece);
    return at >= 0 && at < this.#count;
  }
}

function dueMsOf(span: DeadlineSpan, piece: number): number {
  return span.dueMs + (piece - span.first) * span.msPerPiece;
}

function ahead(cursor: Cursor): number {
  return cursor.next - cursor.first;
}

function doOverlap(spans: readonly DeadlineSpan[]): boolean {
  for (let i = 1; i < spans.length; i += 1) {
    const { first, end } = spans[i]!;
    for (let j = 0; j < i; j += 1) {
      const other = spans[j]!;
      if (first < other.end && other.first < end) return true;
    }
  }
  return false;
}
