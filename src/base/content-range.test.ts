import assert from "node:assert/strict";
import { test } from "node:test";
import { parseContentRange } from "./content-range.ts";

test("content ranges: only one that can be true is read", () => {
  assert.deepEqual(parseContentRange("bytes 0-99/1000"), { first: 0, last: 99, total: 1000 });
  assert.deepEqual(parseContentRange(" BYTES  5-5/* "), { first: 5, last: 5, total: undefined });
  for (const text of [
    undefined,
    "",
    "bytes 0-99",
    "bytes 9-8/10",
    "bytes 0-10/10",
    "bytes */10",
    "bytes -1-5/10",
    "bytes 0x1-5/10",
    "bytes 0-9999999999999999/*",
    "items 0-9/10",
    "bytes 0-1/10, bytes 4-5/10",
    "bytes 1e3-2e3/*",
  ]) {
    assert.equal(parseContentRange(text), undefined, String(text));
  }
});
