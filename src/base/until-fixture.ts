import assert from "node:assert/strict";

const LIMIT_MS = 30_000;

/**
 * Waits for something that comes about by itself, and fails after half a minute. A loop without such an end keeps the
 * process of a test busy for ever, long after the test itself has failed.
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > endMs) assert.fail(`half a minute is over, and it is not so: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
