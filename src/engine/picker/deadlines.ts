/** Pieces that are looked at when a peer is to be asked for blocks: the soonest of all readers. */
export const SOONEST_MAX = 64;

/** Pieces in a row that somebody reads. */
export interface DeadlineSpan {
  /** The piece that is needed first. */
  readonly first: number;
  /** One past the last piece. */
  readonly end: number;
  /** When the first piece is needed, in clock milliseconds. */
  readonly dueMs: number;
  /** By how much later each further piece is needed. */
  readonly msPerPiece: number;
}

interface Cursor extends DeadlineSpan {
  /** The next piece to be listed. */
  next: number;
}

/**
 * The pieces that readers need soon, soonest first: one list, merged from a span for each reader. Everything that is
 * overdue counts as equally late, so that readers who all get too little get it in turn, each in its own order.
 *
 * The list is made anew when it is asked for after a change: O(`SOONEST_MAX` x readers).
 */
export class Deadlines {
  /** The first `count` numbers are the list. */
  readonly pieces = new Int32Array(SOONEST_MAX);
  readonly #isHad: (piece: number) => boolean;
  readonly #spans = new Map<number, Cursor>();
  #nowMs = 0;
  #count = 0;
  #isStale = false;

  /** @param isHad - Pieces that are here need no listing. */
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

  /** Replaces what was said of the reader before. */
  set(reader: number, span: DeadlineSpan, nowMs: number): void {
    this.#spans.set(reader, { ...span, next: span.first });
    this.#nowMs = nowMs;
    this.#isStale = true;
  }

  /** What was last said of the reader. */
  span(reader: number): DeadlineSpan | undefined {
    return this.#spans.get(reader);
  }

  clear(reader: number): void {
    if (this.#spans.delete(reader)) this.#isStale = true;
  }

  /** A piece came, or was lost. */
  handleChange(): void {
    this.#isStale = true;
  }

  /** True when the piece is in the span of a reader. */
  includes(piece: number): boolean {
    for (const { first, end } of this.#spans.values())
      if (piece >= first && piece < end) return true;
    return false;
  }

  /** When a piece is needed first; infinity when nobody reads it. */
  dueMs(piece: number): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const span of this.#spans.values()) {
      if (piece < span.first || piece >= span.end) continue;
      soonestMs = Math.min(soonestMs, dueMsOf(span, piece));
    }
    return soonestMs;
  }

  #merge(): void {
    this.#isStale = false;
    this.#count = 0;
    for (const cursor of this.#spans.values()) {
      cursor.next = cursor.first;
      this.#skip(cursor);
    }
    while (this.#count < SOONEST_MAX) {
      const cursor = this.#soonest();
      if (!cursor) return;
      this.pieces[this.#count] = cursor.next;
      this.#count += 1;
      cursor.next += 1;
      this.#skip(cursor);
    }
  }

  /** The reader whose next piece is needed first; of those that are equally late, the one with fewest listed. */
  #soonest(): Cursor | undefined {
    let soonest: Cursor | undefined;
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const cursor of this.#spans.values()) {
      if (cursor.next >= cursor.end) continue;
      const dueMs = Math.max(this.#nowMs, dueMsOf(cursor, cursor.next));
      if (soonest && dueMs > soonestMs) continue;
      if (soonest && dueMs === soonestMs && ahead(cursor) >= ahead(soonest)) continue;
      soonest = cursor;
      soonestMs = dueMs;
    }
    return soonest;
  }

  /** Passes over pieces that are here or listed already. */
  #skip(cursor: Cursor): void {
    while (cursor.next < cursor.end && (this.#isHad(cursor.next) || this.#isListed(cursor.next))) {
      cursor.next += 1;
    }
  }

  #isListed(piece: number): boolean {
    for (let i = 0; i < this.#count; i += 1) if (this.pieces[i] === piece) return true;
    return false;
  }
}

function dueMsOf(span: DeadlineSpan, piece: number): number {
  return span.dueMs + (piece - span.first) * span.msPerPiece;
}

function ahead(cursor: Cursor): number {
  return cursor.next - cursor.first;
}
