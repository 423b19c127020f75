import assert from "node:assert/strict";
import { test } from "node:test";
import { chance } from "../../test/tracker/tracker-world.ts";
import { CLASS_ENTRIES, ChunkPool, DENSE_CLASS, HASHED_CLASS } from "./chunk-pool.ts";

test("TRK-10: swarms that grow together leave nothing behind at the sizes they outgrew", () => {
  const pool = new ChunkPool(2);
  const largest = DENSE_CLASS[64]!;
  const swarms = Array.from({ length: 1_000 }, () => pool.take(0));
  for (let chunkClass = 1; chunkClass <= largest; chunkClass += 1) {
    for (const [index, handle] of swarms.entries()) {
      swarms[index] = pool.take(chunkClass);
      pool.give(handle, chunkClass - 1);
    }
  }
  // Each of the 16 classes below keeps one page at most.
  assert.ok(pool.bytes < 1_000 * 64 * 8 + 17 * 8_192, `${pool.bytes}`);
});

test("TRK-10: when all chunks are freed, all memory but one page of each class is freed", () => {
  const pool = new ChunkPool(12);
  const taken = Array.from({ length: 3_000 }, (_, index) => {
    const chunkClass = index % (HASHED_CLASS + 8);
    return [pool.take(chunkClass), chunkClass] as const;
  });
  const most = pool.bytes;
  for (const [handle, chunkClass] of taken) pool.give(handle, chunkClass);
  assert.ok(pool.bytes <= (HASHED_CLASS + 8) * 1_024 * 12 * 4, `${pool.bytes} of ${most}`);
});

test("no two chunks share a word, and new tables are empty", () => {
  const pool = new ChunkPool(2);
  const random = chance(4);
  const held = new Map<number, { chunkClass: number; mark: number }>();
  for (let round = 1; round < 20_000; round += 1) {
    if (held.size > 300 || (held.size > 0 && random.below(2) === 0)) {
      const [handle, { chunkClass, mark }] = [...held][random.below(held.size)]!;
      const start = pool.offset(handle);
      const words = pool.page(handle).subarray(start, start + CLASS_ENTRIES[chunkClass]! * 2);
      assert.ok(words.every((word) => word === mark));
      pool.give(handle, chunkClass);
      held.delete(handle);
      continue;
    }
    const chunkClass = random.below(HASHED_CLASS + 6);
    const handle = pool.take(chunkClass);
    assert.ok(!held.has(handle));
    const start = pool.offset(handle);
    const words = pool.page(handle).subarray(start, start + CLASS_ENTRIES[chunkClass]! * 2);
    assert.equal(words.length, CLASS_ENTRIES[chunkClass]! * 2);
    if (chunkClass >= HASHED_CLASS) assert.ok(words.every((word) => word === 0));
    words.fill(round);
    held.set(handle, { chunkClass, mark: round });
  }
});
