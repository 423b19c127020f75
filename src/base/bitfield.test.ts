import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bitfield } from "./bitfield.ts";
import { InvariantError } from "./errors.ts";

test("WIR-4: a bitfield of the wrong size or with spare bits is refused", () => {
  for (const [bytes, length] of [
    [[], 1],
    [[0], 9],
    [[0, 0], 8],
    [[0b0000_0001], 7],
    [[0xff, 0b0100_0000], 9],
  ] as const) {
    assert.equal(Bitfield.from(Uint8Array.from(bytes), length), undefined);
  }
  assert.equal(Bitfield.from(Uint8Array.from([0xff, 0b1000_0000]), 9)?.count, 9);
  assert.equal(Bitfield.from(new Uint8Array(0), 0)?.full, true);
});

test("indexes out of range", () => {
  const bits = new Bitfield(9);
  assert.throws(() => bits.add(9), InvariantError);
  assert.throws(() => bits.add(-1), InvariantError);
  for (const index of [9, 100, -1]) assert.equal(bits.has(index), false);
});

test("bit 7 of byte 0 is piece 0", () => {
  const bits = new Bitfield(10);
  bits.add(0);
  bits.add(9);
  assert.deepEqual(bits.bytes, Uint8Array.from([0b1000_0000, 0b0100_0000]));
});

test("fill and clear leave spare bits alone", () => {
  for (const length of [0, 1, 7, 8, 9, 64]) {
    const bits = new Bitfield(length);
    bits.fill();
    assert.equal(bits.count, length);
    assert.ok(bits.full);
    assert.ok(Bitfield.from(bits.bytes, length));
    bits.clear();
    assert.equal(bits.count, 0);
  }
});

test("it answers as a Set does, and copies are independent", () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(99)));
  fc.assert(
    fc.property(steps, (all) => {
      const bits = new Bitfield(100);
      const set = new Set<number>();
      for (const [adds, index] of all) {
        if (adds) {
          assert.equal(bits.add(index), !set.has(index));
          set.add(index);
        } else assert.equal(bits.delete(index), set.delete(index));
      }
      assert.equal(bits.count, set.size);
      assert.deepEqual(
        [...bits.indexes()],
        [...set].sort((a, b) => a - b),
      );
      const copy = bits.clone();
      copy.fill();
      assert.equal(bits.count, set.size);
      assert.equal(Bitfield.from(bits.bytes, 100)?.count, set.size);
    }),
  );
});
