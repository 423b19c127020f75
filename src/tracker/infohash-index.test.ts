import assert from "node:assert/strict";
import { test } from "node:test";
import { chance } from "../../test/tracker/tracker-world.ts";
import { InfohashIndex } from "./infohash-index.ts";

/** Infohashes that differ in one word only, as a stranger would choose them. */
function infohash(word: number, value: number): Uint8Array {
  const bytes = new Uint8Array(20).fill(7);
  new DataView(bytes.buffer).setInt32(word * 4, value);
  return bytes;
}

for (let word = 0; word < 5; word += 1) {
  test(`TRK-10: infohashes that differ in word ${word} only do not pile up in one slot`, () => {
    const index = new InfohashIndex(99);
    // In one pile, 40 000 of them would need 800 million comparisons.
    for (let value = 0; value < 40_000; value += 1) {
      assert.equal(index.add(infohash(word, value)), value);
    }
    for (let value = 0; value < 40_000; value += 1) {
      assert.equal(index.find(infohash(word, value)), value);
    }
    assert.equal(index.find(infohash(word, -1)), -1);
  });
}

test("an infohash keeps its number until it is deleted, and numbers are reused", () => {
  const index = new InfohashIndex(5);
  const random = chance(8);
  const model = new Map<number, number>();
  for (let round = 0; round < 60_000; round += 1) {
    const value = random.below(3_000);
    const known = model.get(value);
    assert.equal(index.find(infohash(2, value)), known ?? -1);
    if (known !== undefined && random.below(2) === 0) {
      index.delete(known);
      model.delete(value);
      continue;
    }
    const number = index.add(infohash(2, value));
    assert.equal(number, known ?? number);
    model.set(value, number);
    assert.equal(index.count, model.size);
  }
  assert.ok(index.end <= 3_000, `${index.end} numbers for 3 000 infohashes at most`);
  assert.equal(new Set(model.values()).size, model.size, "no number is given twice");
  for (const [value, number] of model) {
    assert.ok(index.isTaken(number));
    assert.deepEqual(index.infohash(number), infohash(2, value));
  }
});
