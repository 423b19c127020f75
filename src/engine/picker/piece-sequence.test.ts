import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../sim/seeded-random.ts";
import { BLOCKS, PickerBench } from "./picker-bench.ts";

function benchOf(pieceCount: number): PickerBench {
  const bench = new PickerBench(pieceCount, seededRandom(7));
  bench.picker.setSequential(true);
  return bench;
}

function row(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, at) => first + at);
}

test("in sequence pieces are opened from the first to the last, by every peer what nobody has begun", () => {
  const bench = benchOf(100);
  const [one, other] = [bench.peer("all"), bench.peer("all")];
  assert.deepEqual(bench.piecesOpened(one, 5), row(0, 5));
  assert.deepEqual(bench.piecesOpened(other, 5), row(5, 10));
});

test("a peer that lacks the first pieces gives the first of those that it has, also the very first pieces of all", () => {
  const bench = benchOf(200);
  const few = bench.peer([90, 130, 40]);
  assert.deepEqual(bench.piecesOpened(few, 3), [40, 90, 130]);
  assert.deepEqual(bench.piecesOpened(bench.peer("all"), 2), [0, 1]);
});

test("each priority is a sequence of its own, the highest first; a change holds at once", () => {
  const bench = benchOf(100);
  const priorities = new Uint8Array(100).fill(4);
  priorities.fill(6, 60, 63);
  priorities.fill(2, 0, 10);
  priorities.fill(0, 20, 30);
  bench.picker.setPriorities(priorities);
  const peer = bench.peer("all");
  assert.deepEqual(bench.piecesOpened(peer, 5), [60, 61, 62, 10, 11]);
  bench.picker.setPriority(90, 6);
  assert.deepEqual(bench.piecesOpened(peer, 10), [90, ...row(12, 20), 30]);
  bench.picker.setPriority(5, 6);
  assert.equal(bench.piecesOpened(bench.peer("all"), 1)[0], 5, "a piece before the mark is seen");
});

test("a piece that is lost comes first again, and rarity decides when the sequence ends", () => {
  const bench = benchOf(400);
  bench.picker.markHave(bench.bits(row(0, 200)));
  bench.peer(row(0, 399));
  const seed = bench.peer("all");
  bench.picker.lost(3);
  assert.deepEqual(bench.piecesOpened(seed, 3), [3, 200, 201]);
  bench.picker.setSequential(false);
  assert.equal(bench.piecesOpened(bench.peer("all"), 1)[0], 399, "the rarest");
});

test("a peer that lacks a very long beginning is asked for something all the same", () => {
  const bench = benchOf(100_000);
  const late = bench.peer([99_990, 99_991]);
  assert.deepEqual(new Set(bench.piecesOpened(late, 2)), new Set([99_990, 99_991]));
});

test("a server's run goes on for 4 MiB, and then returns to the first piece that is missing", () => {
  const bench = benchOf(400);
  bench.picker.markHave(bench.bits(row(0, 10)));
  const web = bench.picker.peerJoined(1_000, true);
  bench.picker.peerHasAll(web);
  const opened = new Set<number>();
  for (let turn = 0; turn < 8; turn += 1) {
    for (const name of bench.pick(web, 8 * BLOCKS)) opened.add(Number(name.split(":")[0]));
  }
  assert.deepEqual([...opened], row(10, 74));
  bench.picker.lost(2);
  assert.equal(bench.piecesOpened(web, 1)[0], 2);
});

test("a peer's suggestion does not break the sequence", () => {
  const bench = benchOf(50);
  const peer = bench.peer("all");
  bench.picker.peerSuggests(peer, 30);
  assert.deepEqual(bench.piecesOpened(peer, 3), [0, 1, 2]);
});
