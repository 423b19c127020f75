import assert from "node:assert/strict";
import { test } from "node:test";
import type { Slab } from "../ports/content.ts";
import { ArenaSlabPool } from "./slab-pool.ts";

const MIB = 1024 * 1024;

function takeAll(pool: ArenaSlabPool, bytes: number): Slab[] {
  const slabs: Slab[] = [];
  for (let slab = pool.take(bytes); slab; slab = pool.take(bytes)) slabs.push(slab);
  return slabs;
}

test("the limit holds, refused requests are undefined, memory is claimed on demand", () => {
  const pool = new ArenaSlabPool({ limitBytes: 10 * MIB });
  assert.equal(pool.claimedBytes, 0);
  assert.equal(pool.take(11 * MIB), undefined);
  const slabs = takeAll(pool, MIB);
  assert.equal(slabs.length, 10);
  assert.equal(pool.lentBytes, 10 * MIB);
  assert.equal(pool.claimedBytes, 10 * MIB);
  for (const slab of slabs) pool.give(slab);
  assert.equal(pool.lentBytes, 0);
  assert.ok(pool.claimedBytes <= pool.limitBytes);
});

test("slabs are shared memory, do not overlap, and are at least as long as asked", () => {
  const pool = new ArenaSlabPool({ limitBytes: 32 * MIB });
  for (const bytes of [1, 63, 16_384, 3 * 16_397, 64 * 16_397, 5 * MIB]) {
    const slabs = [pool.take(bytes)!, pool.take(bytes)!];
    for (const [index, slab] of slabs.entries()) {
      assert.ok(slab.view.length >= bytes);
      assert.ok(slab.view.buffer instanceof SharedArrayBuffer);
      slab.view.fill(index + 1);
    }
    for (const [index, slab] of slabs.entries()) {
      assert.ok(slab.view.every((byte) => byte === index + 1));
      pool.give(slab);
    }
  }
});

test("many sizes in turn do not add up: idle arenas are carved anew or dropped", () => {
  const dropped: SharedArrayBuffer[] = [];
  const pool = new ArenaSlabPool({
    limitBytes: 16 * MIB,
    onDrop: (memory) => dropped.push(memory),
  });
  for (const bytes of [16_384, 16 * MIB, 3 * MIB, 100_000, 64 * 16_397, 9 * MIB, 1]) {
    const slabs = takeAll(pool, bytes);
    assert.ok(slabs.length * bytes > 8 * MIB || slabs.length > 0, `${bytes}`);
    assert.ok(pool.claimedBytes <= pool.limitBytes, `${pool.claimedBytes} for ${bytes}`);
    for (const slab of slabs) pool.give(slab);
  }
  assert.ok(dropped.length > 0);
});

test("an arena with a slab still lent is neither carved nor dropped", () => {
  const pool = new ArenaSlabPool({ limitBytes: 4 * MIB });
  const kept = pool.take(MIB)!;
  kept.view.fill(9);
  assert.equal(pool.take(4 * MIB), undefined);
  assert.equal(pool.take(16_384), undefined);
  assert.ok(kept.view.every((byte) => byte === 9));
  pool.give(kept);
  assert.ok(pool.take(4 * MIB));
});

test("returning a slab twice, or to the wrong pool, is our bug", () => {
  const pool = new ArenaSlabPool({ limitBytes: MIB });
  const slab = pool.take(100)!;
  pool.give(slab);
  assert.throws(() => pool.give(slab), { name: "InvariantError" });
  assert.throws(() => pool.give({ view: new Uint8Array(100) }), { name: "InvariantError" });
});
