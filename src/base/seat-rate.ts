/**
 * What the holder of a seat must move while seats are short (HUB-47). While seats are free, a reader on an honest
 * slow line (16 kB/s) keeps its seat.
 */
export const LEAST_BYTES_PER_SECOND = 32 * 1024;
/** The shortest time over which a seat is judged; no seat is judged sooner. */
export const SEAT_WINDOW_MS = 20_000;

/** The speed of a seat, measured in windows of one to two times `SEAT_WINDOW_MS`. Time is monotonic milliseconds. */
export class SeatRate {
  #bytes = 0;
  /** The total of bytes at the beginning of the last whole window, and of the current one. */
  #before: Mark;
  #now: Mark;

  constructor(now: number) {
    this.#before = { atMs: now, bytes: 0 };
    this.#now = this.#before;
  }

  /** Records the total of bytes moved so far. */
  reach(bytes: number, now: number): void {
    this.#turn(now);
    this.#bytes = bytes;
  }

  /** @returns Bytes per second; `undefined` while the seat is too new to be judged. */
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
