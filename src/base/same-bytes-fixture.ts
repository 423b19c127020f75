import assert from "node:assert/strict";

/**
 * Fails unless both hold the same bytes, and says where they differ. `deepEqual` compares large buffers line by line to
 * print them: a test that fails by it takes gigabytes and minutes.
 */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what = "bytes"): void {
  if (Buffer.compare(actual, expected) === 0) return;
  const length = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < length && actual[at] === expected[at]) at += 1;
  const sizes = `${actual.length} bytes where ${expected.length} are expected`;
  const values = `${actual[at] ?? "the end"} instead of ${expected[at] ?? "the end"}`;
  assert.fail(`${what}: ${sizes}, the first difference is at ${at}: ${values}`);
}
