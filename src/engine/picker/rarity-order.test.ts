import assert from "node:assert/strict";
import { test } from "node:test";
import { Dice } from "./dice.ts";
import { PieceBits } from "./piece-bits.ts";
import { RarityOrder } from "./rarity-order.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

function bitsOf(length: number, pieces: Iterable<number>): PieceBits {
  const bits = new PieceBits(length);
  for (const piece of pieces) bits.add(piece);
  return bits;
}

/** Lists all pieces in one rank. */
function orderOf(length: number, seed = 1): RarityOrder {
  const order = new RarityOrder(length, new Dice(seededRandom(seed)));
  order.relist(1, () => 0);
  return order;
}

test("a torrent without pieces has no rarest one", () => {
  const order = orderOf(0);
  assert.equal(order.rarest(undefined), -1);
  assert.equal(order.random(undefined), -1);
  assert.equal(order.listedCount, 0);
});

test("a piece that is not listed, or that the holder lacks, is not found", () => {
  const order = orderOf(10);
  for (let piece = 0; piece < 10; piece += 1) order.raise(piece);
  for (let piece = 0; piece < 9; piece += 1) order.unlist(piece);
  assert.equal(order.rarest(undefined), 9);
  assert.equal(order.rarest(bitsOf(10, [0, 1, 2])), -1);
  assert.equal(order.random(bitsOf(10, [0, 1, 2])), -1);
  order.unlist(9);
  assert.equal(order.rarest(undefined), -1);
});

test("after any listing, raising and lowering, the first is one of the rarest of the first rank", () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seededRandom(seed);
    const length = 1 + random.below(200);
    const rankCount = 1 + random.below(3);
    const ranks = Array.from({ length }, () => random.below(rankCount));
    const copies = Array.from({ length }, () => 0);
    const listed = new Set<number>();
    const order = new RarityOrder(length, new Dice(random));
    order.relist(rankCount, (piece) => (piece % 2 === 0 ? ranks[piece]! : undefined));
    for (let piece = 0; piece < length; piece += 2) listed.add(piece);
    const bucket = (piece: number): number => ranks[piece]! * 1000 + copies[piece]!;
    for (let step = 0; step < 400; step += 1) {
      const piece = random.below(length);
      const what = random.below(7);
      if (what < 3) {
        order.raise(piece);
        copies[piece]! += 1;
      } else if (what === 3 && copies[piece]! > 0) {
        order.lower(piece);
        copies[piece]! -= 1;
      } else if (what === 4 && !listed.has(piece)) {
        order.setRank(piece, ranks[piece]!);
        order.list(piece);
        listed.add(piece);
      } else if (what === 5) {
        order.unlist(piece);
        listed.delete(piece);
      } else if (what === 6) {
        const many = Array.from({ length }, (_, index) => index).filter(() => random.below(2) > 0);
        order.shift(bitsOf(length, many), 1);
        for (const index of many) copies[index]! += 1;
      }
      assert.equal(order.copies(piece), copies[piece]);
      assert.equal(order.listedCount, listed.size);
      const bare = [...listed].filter((index) => copies[index] === 0).length;
      assert.equal(order.listedWithoutCopy, bare);
      assertFirst(order.rarest(undefined), [...listed], bucket);
      const held = [...listed].filter((index) => copies[index]! > 0 && random.below(3) === 0);
      assertFirst(order.rarest(bitsOf(length, held)), held, bucket);
    }
  }
});

function assertFirst(found: number, among: number[], bucket: (piece: number) => number): void {
  if (among.length === 0) {
    assert.equal(found, -1);
    return;
  }
  assert.ok(among.includes(found));
  assert.equal(bucket(found), Math.min(...among.map(bucket)));
}

test("a holder of only common pieces is served from a sample, and the rarest of few is found", () => {
  const length = 50_000;
  const order = orderOf(length);
  const common = Array.from({ length: 20 }, (_, i) => i * 2_000 + 7);
  for (let piece = 0; piece < length; piece += 1) order.raise(piece);
  for (const piece of common) for (let i = 0; i < 3; i += 1) order.raise(piece);
  order.lower(common[5]!);
  assert.equal(order.rarest(bitsOf(length, common)), common[5]);
});

test("ties are broken at random, evenly", () => {
  const order = orderOf(50);
  for (let piece = 0; piece < 50; piece += 1) order.raise(piece);
  const all = bitsOf(
    50,
    Array.from({ length: 50 }, (_, piece) => piece),
  );
  for (const find of [() => order.rarest(undefined), () => order.rarest(all)]) {
    const times = Array.from({ length: 50 }, () => 0);
    for (let i = 0; i < 10_000; i += 1) times[find()]! += 1;
    assert.ok(Math.min(...times) > 120 && Math.max(...times) < 290, times.join(" "));
  }
});

test("a random piece belongs to the first rank in use", () => {
  const order = new RarityOrder(100, new Dice(seededRandom(3)));
  order.relist(3, (piece) => (piece < 10 ? 1 : 2));
  const seen = new Set(Array.from({ length: 500 }, () => order.random(undefined)));
  assert.equal(seen.size, 10);
  assert.ok([...seen].every((piece) => piece < 10));
});
