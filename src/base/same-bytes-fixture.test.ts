import assert from "node:assert/strict";
import { test } from "node:test";
import { assertSameBytes } from "./same-bytes-fixture.ts";

test("the first difference of large buffers is told in one line", () => {
  const expected = new Uint8Array(64 * 1024 * 1024);
  assertSameBytes(expected.slice(), expected);
  const actual = new Uint8Array(expected.length).fill(7, 1_000_000);
  assert.throws(() => assertSameBytes(actual, expected, "f"), {
    message: `f: ${expected.length} bytes where ${expected.length} are expected, the first difference is at 1000000: 7 instead of 0`,
  });
  assert.throws(() => assertSameBytes(expected.subarray(1), expected), /the end instead of 0$/);
});
