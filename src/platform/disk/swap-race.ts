import assert from "node:assert/strict";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import type { FolderSwap } from "./folder-swapper.ts";

/** `EVERSEED_TEST_SWAP_MS=60000` sets the length of the case, for a nightly run. */
const SWAP_MS = Number(process.env["EVERSEED_TEST_SWAP_MS"] ?? 2_000);
/**
 * On a busy machine one of the two may rarely get its turn: the case may last up to this many times
 * as long.
 */
const LONGER_MAX = 30;
/** The minimum activity for the case to prove anything. */
const SWAPS_MIN = 100;
const DONE_MIN = 100;

/**
 * Repeats an action while a thread swaps a folder for a link to another one and back (SYN-6), until
 * both have been active and the action has met the link, or a bound is reached.
 *
 * @param act - @returns Its result: `done`, or the code of each refusal.
 */
export async function raceSwaps(
  t: TestContext,
  swapped: { readonly folder: string; readonly outside: string },
  act: () => Promise<readonly string[]> | readonly string[],
): Promise<void> {
  // Its elements: the stop flag, and the number of swaps.
  const stop = new Int32Array(new SharedArrayBuffer(8));
  const workerData: FolderSwap = { ...swapped, stop };
  const worker = new Worker(new URL("folder-swapper.ts", import.meta.url), { workerData });
  const ended = once(worker, "exit");
  const outcomes = new Map<string, number>();
  const beginMs = performance.now();
  const isMet = (): boolean =>
    (outcomes.get("done") ?? 0) > DONE_MIN &&
    outcomes.has("ELOOP") &&
    Atomics.load(stop, 1) > SWAPS_MIN;
  const isOver = (): boolean => {
    const pastMs = performance.now() - beginMs;
    return pastMs > SWAP_MS && (isMet() || pastMs > LONGER_MAX * SWAP_MS);
  };
  try {
    while (!isOver()) {
      for (const outcome of await act()) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      // Yield, so that the swapping thread and the other side of the action can run.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    Atomics.store(stop, 0, 1);
    await ended;
  }
  const swaps = Atomics.load(stop, 1);
  t.diagnostic(`${swaps} swaps, ${JSON.stringify([...outcomes])}`);
  assert.ok(swaps > SWAPS_MIN && (outcomes.get("done") ?? 0) > DONE_MIN, "both were at work");
  assert.ok((outcomes.get("ELOOP") ?? 0) > 0, "the link was met");
}
