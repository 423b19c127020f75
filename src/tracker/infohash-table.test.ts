import assert from "node:assert/strict";
import { test } from "node:test";
import { InfohashTable } from "./infohash-table.ts";

/** Infohashes that differ in one word only, as a stranger would choose them. */
function infohash(word: number, value: number): Int32Array {
  const words = new Int32Array(5).fill(7);
  words[word] = value;
  return words;
}

for (let word = 0; word < 5; word += 1) {
  test(`TRK-10: infohashes that differ in word ${word} only do not pile up in one slot`, () => {
    const table = new InfohashTable(99);
    // In one pile, 40 000 of them would need 800 million comparisons.
    for (let value = 0; value < 40_000; value += 1) table.set(infohash(word, value), value);
    for (let value = 0; value < 40_000; value += 1) {
      assert.equal(table.find(infohash(word, value)), value);
    }
    assert.equal(table.find(infohash(word, -1)), -1);
  });
}

test("a deleted infohash is gone, and entries pushed past it are still found", () => {
  const table = new InfohashTable(5);
  for (let value = 0; value < 3_000; value += 1) table.set(infohash(2, value), value);
  for (let value = 0; value < 3_000; value += 3) table.delete(infohash(2, value));
  table.delete(infohash(2, -1));
  for (let value = 0; value < 3_000; value += 1) {
    assert.equal(table.find(infohash(2, value)), value % 3 === 0 ? -1 : value);
  }
});
