import assert from "node:assert/strict";
import { test } from "node:test";
import { countHere, pieceColumns } from "./piece-columns.ts";

test("few pieces have a column each, in the bit order of the wire", () => {
  const have = new Uint8Array([0b1010_0000, 0b0100_0000]);
  const { here, started } = pieceColumns(10, have, [3, 9], 500);
  assert.deepEqual([...here], [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
  assert.deepEqual([...started], [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  assert.equal(countHere(have), 3);
});

test("a hundred thousand pieces are summed up in as many columns as there are pixels", () => {
  const have = new Uint8Array(12_500).fill(0xff, 0, 6_250);
  const { here, started } = pieceColumns(100_000, have, [99_999], 1_000);
  assert.equal(here.length, 1_000);
  assert.deepEqual([here[0], here[499], here[500], here[999]], [1, 1, 0, 0]);
  assert.deepEqual([started[998], started[999]], [0, 1]);
  assert.equal(countHere(have), 50_000);
});

test("nothing known is nothing here", () => {
  assert.deepEqual([...pieceColumns(3, null, [], 9).here], [0, 0, 0]);
  assert.deepEqual([...pieceColumns(0, null, [], 9).here], [0]);
});
