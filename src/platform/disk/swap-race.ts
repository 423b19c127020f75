import assert from "node:assert/strict";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { Worker } from "node:worker_threads";
import type { FolderSwap } from "./folder-swapper.ts";

/** `EVERSEED_TEST_SWAP_MS=60000` is the length of the case, for a run at night. */
const SWAP_MS = Number(process.env["EVERSEED_TEST_SWAP_MS"] ?? 2_000);
/** On a busy machine one of both may come to its turn seldom: so many times as long at most. */
const LONGER_MAX = 30;
/** What has to have happened so that the case says something. */
const SWAPS_MIN = 100;
const DONE_MIN = 100;

/**
 * Does something again and again while a thread swaps a folder for a link to another one and back (SYN-6), until both
 * were at work and the link was met, or a bound is reached.
 *
 * @param act - @returns What came of it: `done`, or the code of each refusal.
 */
export async function raceSwaps(
  t: TestContext,
  swapped: { readonly folder: string; readonly outside: string },
  act: () => Promise<readonly string[]> | readonly string[],
): Promise<void> {
  // How often it was told to stop, and how often it swapped.
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
      // The thread that swaps goes on meanwhile, and so may whoever waits for this one.
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
