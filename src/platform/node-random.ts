import { randomFillSync } from "node:crypto";
import { invariant } from "../base/errors.ts";
import type { Random } from "../ports/random.ts";

const POOL_WORDS = 1024;
const WORD_VALUES = 2 ** 32;

/** Random numbers from the operating system, drawn in batches because pickers need them often. */
export class NodeRandom implements Random {
  readonly #pool = new Uint32Array(POOL_WORDS);
  #used = POOL_WORDS;

  below(bound: number): number {
    invariant(Number.isInteger(bound) && bound >= 1 && bound <= WORD_VALUES, "bound is 1 to 2^32");
    // Reject words past the last whole multiple of the bound: they would make small numbers
    // likelier.
    const fair = WORD_VALUES - (WORD_VALUES % bound);
    for (;;) {
      const word = this.#nextWord();
      if (word < fair) return word % bound;
    }
  }

  bytes(length: number): Uint8Array {
    return randomFillSync(new Uint8Array(length));
  }

  #nextWord(): number {
    if (this.#used === POOL_WORDS) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const word = this.#pool[this.#used]!;
    this.#used += 1;
    return word;
  }
}
