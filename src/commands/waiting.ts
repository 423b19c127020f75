import type { Clock } from "../ports/clock.ts";

const TICK_MS = 1000;

/** Calls `tick` every second. @returns A function that stops it. */
export function eachSecond(clock: Clock, tick: () => void): () => void {
  const fire = (): void => {
    timer = clock.startTimer(TICK_MS, fire);
    tick();
  };
  let timer = clock.startTimer(TICK_MS, fire);
  return () => timer.cancel();
}

/** Waits for the signal and calls a function every second. */
export async function untilAborted(
  clock: Clock,
  signal: AbortSignal,
  tick: () => void,
): Promise<void> {
  const end = eachSecond(clock, tick);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  end();
}

/** @throws (rejects with) the signal's reason. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    const timer = clock.startTimer(ms, () => {
      signal.removeEventListener("abort", stop);
      resolve();
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
