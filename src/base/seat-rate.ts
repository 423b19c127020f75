/**
 * What whoever holds a seat has to move while seats are short (HUB-47). A reader on an honest slow line (16 kB/s) keeps
 * its seat as long as there are others.
 */
export const LEAST_BYTES_PER_SECOND = 32 * 1024;
/** A seat is judged by what it moved in this time, at least; nobody is judged sooner. */
export const SEAT_WINDOW_MS = 20_000;

/** How fast a seat was, in windows of one to two times `SEAT_WINDOW_MS`. Time is monotonic milliseconds. */
export class SeatRate {
  #bytes = 0;
  /** How many bytes it had moved at which time: the beginning of the last whole window, and of the one under way. */
  #before: Mark;
  #now: Mark;

  constructor(now: number) {
    this.#before = { atMs: now, bytes: 0 };
    this.#now = this.#before;
  }

  /** It moved so many bytes, all in all. */
  reach(bytes: number, now: number): void {
    this.#turn(now);
    this.#bytes = bytes;
  }

  /** @returns Bytes a second; `undefined` while it is too new to be judged. */
  perSecond(now: number): number | undefined {
    this.#turn(now);
    const { atMs, bytes } = this.#before;
    if (now - atMs < SEAT_WINDOW_MS) return undefined;
    return ((this.#bytes - bytes) * 1000) / (now - atMs);
  }

  #turn(now: number): void {
    if (now - this.#now.atMs < SEAT_WINDOW_MS) return;
    this.#before = this.#now;
    this.#now = { atMs: now, bytes: this.#bytes };
  }
}

interface Mark {
  readonly atMs: number;
  readonly bytes: number;
}
