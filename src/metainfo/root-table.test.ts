import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../base/bytes.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { finish } from "../base/work.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import type { TorrentFile } from "./metainfo.ts";
import { ROOT_SEED_BYTES, rootHash, rootSeed, RootTable } from "./root-table.ts";

/** A file of two blocks, unless it is said otherwise. */
function file(piecesRoot: Uint8Array | undefined, length = 2 * BLOCK_BYTES): TorrentFile {
  return {
    path: ["f"],
    offset: 0,
    length,
    pad: false,
    executable: false,
    hidden: false,
    piecesRoot,
  };
}

function tableOf(files: readonly TorrentFile[], seed = 1): RootTable {
  return finish(RootTable.inSteps(files, seededRandom(seed).bytes(ROOT_SEED_BYTES)));
}

test("a table finds what a map finds, however often roots repeat", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed);
    const pool = Array.from({ length: 1 + random.below(400) }, () => random.bytes(32));
    const files = Array.from({ length: random.below(600) }, () => {
      const root = random.below(20) === 0 ? undefined : pool[random.below(pool.length)];
      return file(root, random.below(4 * BLOCK_BYTES));
    });
    const first = new Map<string, number>();
    for (const [index, { piecesRoot, length }] of files.entries()) {
      const key = piecesRoot && length > BLOCK_BYTES ? toHex(piecesRoot) : undefined;
      if (key !== undefined && !first.has(key)) first.set(key, index);
    }
    const table = tableOf(files, seed);
    for (const root of pool) assert.equal(table.find(root), first.get(toHex(root)), `${seed}`);
    assert.equal(table.find(random.bytes(32)), undefined, `${seed}`);
  }
});

test("no files, and files without a tree, leave nothing to find", () => {
  const root = seededRandom(3).bytes(32);
  assert.equal(tableOf([]).find(root), undefined);
  assert.equal(tableOf([file(undefined), file(root, BLOCK_BYTES)]).find(root), undefined);
  assert.equal(tableOf([file(root, BLOCK_BYTES + 1)]).find(root), 0);
});

test("of 100,000 files with one root the first is found", () => {
  const [one, other] = [seededRandom(4).bytes(32), seededRandom(5).bytes(32)];
  const files = Array.from({ length: 100_000 }, (_, i) => file(i === 99_999 ? other : one));
  const table = tableOf(files);
  assert.equal(table.find(one), 0);
  assert.equal(table.find(other), 99_999);
});

test("HUB-27: files are entered in steps of some hundred", () => {
  let read = 0;
  const roots = seededRandom(6);
  const files = Array.from({ length: 2_000 }, () => file(roots.bytes(32)));
  const counted = new Proxy(files, {
    get: (target, key) => {
      if (typeof key === "string" && /^\d+$/.test(key)) read += 1;
      return Reflect.get(target, key) as unknown;
    },
  });
  const work = RootTable.inSteps(counted, roots.bytes(ROOT_SEED_BYTES));
  let steps = 0;
  for (let before = 0; work.next().done !== true; before = read) {
    steps += 1;
    assert.ok(read - before <= 600, `${read - before} files in one step`);
  }
  assert.ok(steps >= 2 * Math.floor(2_000 / 256), `${steps} steps`);
});

/** Places in which roots lie in a table of 256 slots. */
function spread(roots: readonly Uint8Array[], seed: number): Set<number> {
  const key = rootSeed(seededRandom(seed).bytes(ROOT_SEED_BYTES));
  return new Set(roots.map((root) => rootHash(root, key) & 0xff));
}

test("MET-26: roots that were chosen to collide do so with one seed only", () => {
  const random = seededRandom(7);
  const known = rootSeed(seededRandom(1).bytes(ROOT_SEED_BYTES));
  const chosen: Uint8Array[] = [];
  while (chosen.length < 200) {
    const root = random.bytes(32);
    if ((rootHash(root, known) & 0xff) === 0) chosen.push(root);
  }
  assert.equal(spread(chosen, 1).size, 1);
  // 200 of 256 places at random: 139 on average.
  for (const seed of [2, 3, 4]) assert.ok(spread(chosen, seed).size > 110, `seed ${seed}`);
});

test("MET-26: roots that differ in a single byte, or are nearly empty, are spread too", () => {
  for (let at = 0; at < 32; at += 1) {
    const roots = Array.from({ length: 200 }, (_, value) => {
      const root = new Uint8Array(32);
      root[at] = value;
      return root;
    });
    assert.ok(spread(roots, at + 1).size > 110, `byte ${at}`);
  }
});

test("each bit of a root, and of the seed, changes about half of the bits of its hash", () => {
  const random = seededRandom(8);
  let changed = 0;
  const rounds = 400;
  for (let round = 0; round < rounds; round += 1) {
    const [root, seed] = [random.bytes(32), random.bytes(ROOT_SEED_BYTES)];
    const before = rootHash(root, rootSeed(seed));
    const input = round % 2 === 0 ? root : seed;
    const bit = random.below(input.length * 8);
    input[bit >> 3]! ^= 1 << (bit & 7);
    changed += bitCount(before ^ rootHash(root, rootSeed(seed)));
  }
  assert.ok(Math.abs(changed / rounds - 16) < 1, `${changed / rounds} bits of 32`);
});

function bitCount(word: number): number {
  let count = 0;
  for (let bits = word >>> 0; bits !== 0; bits >>>= 1) count += bits & 1;
  return count;
}
