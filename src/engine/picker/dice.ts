import type { Random } from "../../ports/random.ts";

/**
 * Cheap random numbers, seeded once from the `Random` port. The picker breaks every tie at random and shuffles every
 * piece, and a random number of the operating system costs a microsecond. Nobody gains by guessing which of two
 * equally rare pieces is next, so xorshift32 is good enough (Marsaglia 2003).
 */
export class Dice {
  #state: number;

  constructor(random: Random) {
    this.#state = random.below(2 ** 32) | 1; // zero is the one state xorshift never leaves
  }

  /** A whole number, 0 <= n < `bound`. */
  below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.floor(((x >>> 0) / 2 ** 32) * bound);
  }
}
