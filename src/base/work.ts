/**
 * Work that grows with its input, cut into steps: it yields wherever other work may run. `publish/turns.ts` runs it a
 * few milliseconds at a time; `finish` runs it at once.
 */
export type Work<Result> = Generator<undefined, Result, undefined>;

/** Runs work on somebody's account: that person pays for it. */
export type RunWork = <Result>(work: Work<Result>) => Promise<Result>;

/** Runs work to its end without a pause, for a caller that keeps nobody waiting. */
export function finish<Result>(work: Work<Result>): Result {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** A task that cannot be cut. */
// eslint-disable-next-line require-yield -- the one step is the work
export function* oneStep<Result>(task: () => Result): Work<Result> {
  return task();
}

/** Items that `sortInSteps` orders or merges in one step: well below a millisecond. */
const SORTED_PER_STEP = 1_024;

/**
 * Sorts as `Array.sort` does, stable, in steps.
 *
 * @param items - Not changed.
 */
export function* sortInSteps<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Work<Item[]> {
  let from: Item[] = [];
  for (let start = 0; start < items.length; start += SORTED_PER_STEP) {
    for (const item of items.slice(start, start + SORTED_PER_STEP).sort(compare)) from.push(item);
    yield;
  }
  for (let width = SORTED_PER_STEP; width < items.length; width *= 2) {
    const merged: Item[] = [];
    for (let start = 0; start < from.length; start += 2 * width) {
      let [left, right] = [start, start + width];
      const leftEnd = Math.min(right, from.length);
      const rightEnd = Math.min(right + width, from.length);
      while (left < leftEnd || right < rightEnd) {
        const takesLeft =
          right >= rightEnd || (left < leftEnd && compare(from[left]!, from[right]!) <= 0);
        merged.push(takesLeft ? from[left++]! : from[right++]!);
        if (merged.length % SORTED_PER_STEP === 0) yield;
      }
    }
    from = merged;
  }
  return from;
}
