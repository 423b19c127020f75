import type { Random } from "../ports/random.ts";

/** Shuffles within each tier, once, so that the load is spread over its trackers (BEP 12). */
export function shuffleTiers<T>(tiers: readonly (readonly T[])[], random: Random): T[][] {
  return tiers.map((tier) => {
    const shuffled = [...tier];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = random.below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    return shuffled;
  });
}

/** A tracker that answers is asked first in its tier from now on (BEP 12). */
export function moveToFront<T>(tier: T[], working: T): void {
  const index = tier.indexOf(working);
  if (index > 0) tier.unshift(...tier.splice(index, 1));
}
