import { microsecondsBetween } from "./sequence.ts";

const SPAN_MS = 60_000;
/** The smallest value of two to three minutes counts: a route that became longer is believed after that. */
const SPANS = 3;

/**
 * The smallest delay of the last minutes. A delay is the difference of two clocks whose offset nobody knows, modulo 2^32
 * microseconds; so only distances mean anything.
 */
export class DelayHistory {
  /** The smallest of each span, this span first. */
  #minima: number[] = [];
  #spanStartMs = 0;
  #base = 0;

  get isEmpty(): boolean {
    return this.#minima.length === 0;
  }

  /**
   * @param sample - In microseconds, modulo 2^32.
   * @returns How far it is above the base: 0 or more, in microseconds.
   */
  add(sample: number, nowMs: number): number {
    if (this.isEmpty) {
      this.#minima = [sample];
      this.#spanStartMs = nowMs;
      this.#base = sample;
      return 0;
    }
    if (nowMs - this.#spanStartMs >= SPAN_MS) {
      this.#minima.unshift(sample);
      this.#minima.length = Math.min(this.#minima.length, SPANS);
      this.#spanStartMs = nowMs;
      this.#base = this.#minima.reduce(smaller);
    } else if (microsecondsBetween(this.#minima[0]!, sample) < 0) {
      this.#minima[0] = sample;
      this.#base = smaller(this.#base, sample);
    }
    return microsecondsBetween(this.#base, sample);
  }

  /** The base as it is now; only its distance to other values means anything. */
  get base(): number {
    return this.#base;
  }

  /** Raises the base: the clocks have drifted apart by so many microseconds. */
  shift(microseconds: number): void {
    this.#minima = this.#minima.map((minimum) => (minimum + microseconds) >>> 0);
    this.#base = (this.#base + microseconds) >>> 0;
  }

  /** Forgets everything: a clock jumped. */
  clear(): void {
    this.#minima = [];
  }
}

function smaller(a: number, b: number): number {
  return microsecondsBetween(a, b) < 0 ? b : a;
}
