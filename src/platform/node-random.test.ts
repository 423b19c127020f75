import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeRandom } from "./node-random.ts";

test("a bound other than a whole number from 1 to 2^32 is our bug", () => {
  const random = new NodeRandom();
  for (const bound of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) {
    assert.throws(() => random.below(bound), { name: "InvariantError" });
  }
});

test("numbers stay below the bound and all of them come up", () => {
  const random = new NodeRandom();
  const seen = new Set<number>();
  for (let i = 0; i < 5000; i += 1) seen.add(random.below(7));
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6],
  );
  for (let i = 0; i < 3000; i += 1) {
    const number = random.below(2 ** 32);
    assert.ok(number >= 0 && number < 2 ** 32 && Number.isInteger(number));
  }
  assert.equal(random.below(1), 0);
});

test("byte strings have the requested length and differ", () => {
  const random = new NodeRandom();
  assert.equal(random.bytes(0).length, 0);
  assert.equal(random.bytes(100_000).length, 100_000);
  assert.notDeepEqual(random.bytes(20), random.bytes(20));
});
