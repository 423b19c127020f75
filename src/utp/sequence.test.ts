import assert from "node:assert/strict";
import test from "node:test";
import {
  microsecondsBetween,
  sequenceAfter,
  sequenceDistance,
  toMicroseconds,
} from "./sequence.ts";

test("numbers wrap around, and order is distance", () => {
  assert.equal(sequenceAfter(65_535, 1), 0);
  assert.equal(sequenceAfter(0, -1), 65_535);
  assert.equal(sequenceDistance(65_530, 5), 11);
  assert.equal(sequenceDistance(5, 65_530), -11);
  assert.equal(sequenceDistance(0, 0x8000), -0x8000);
});

test("clocks of 32 bits wrap around too", () => {
  assert.equal(toMicroseconds(1.5), 1500);
  assert.equal(toMicroseconds(2 ** 32 / 1000 + 1), 1000);
  assert.equal(microsecondsBetween(2 ** 32 - 10, 5), 15);
  assert.equal(microsecondsBetween(5, 2 ** 32 - 10), -15);
});
