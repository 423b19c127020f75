import { DiskRefusal, refusal, systemCode } from "./disk-refusal.ts";
import type { OpenFiles } from "./open-files.ts";

/** How long a job of many parts works until the worker's other jobs have a turn. */
const TURN_MS = 5;

/** Ends a turn of the worker's event loop: jobs of other torrents run before this continues. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Does the parts of a job in order, a few milliseconds of them in each turn.
 *
 * @param files - Each turn is a burst of these.
 */
export async function inTurns<Part>(
  parts: Iterable<Part>,
  work: (part: Part) => Promise<void> | void,
  files?: OpenFiles,
): Promise<void> {
  let untilMs = performance.now() + TURN_MS;
  let isBurst = false;
  const endBurst = (): void => {
    if (isBurst) files?.endBurst();
    isBurst = false;
  };
  try {
    for (const part of parts) {
      if (!isBurst) files?.beginBurst();
      isBurst = true;
      const pending = work(part);
      if (pending) {
        endBurst();
        await pending;
      }
      if (performance.now() < untilMs) continue;
      endBurst();
      await nextTurn();
      untilMs = performance.now() + TURN_MS;
    }
  } finally {
    endBurst();
  }
}

/** Like `onDisk`, for calls over several turns. @throws {DiskRefusal} (rejects) When one of them fails. */
export async function onDiskInTurns<Result>(
  path: string,
  calls: () => Promise<Result>,
): Promise<Result> {
  try {
    return await calls();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined || error instanceof DiskRefusal) throw error;
    throw refusal(code, path);
  }
}
