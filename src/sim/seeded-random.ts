import type { Random } from "../ports/random.ts";

/**
 * Random numbers from one seed (mulberry32), for tests and simulations: the same seed gives the
 * same run.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (bound: number): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
  return { below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) };
}
