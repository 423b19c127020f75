import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../sim/seeded-random.ts";
import type { PeerKey } from "./peer-key.ts";
import { BLOCKS, PickerBench } from "./picker-bench.ts";

function benchOf(pieceCount: number): PickerBench {
  return new PickerBench(pieceCount, seededRandom(1));
}

test("end game: when every block is requested, one more peer is asked, and the other gets a cancel", () => {
  const bench = benchOf(1);
  const [a, b, c] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  const names = bench.pick(a, BLOCKS);
  assert.deepEqual(bench.pick(a, BLOCKS), [], "not the same peer twice");
  assert.deepEqual(bench.pick(b, BLOCKS), names);
  assert.deepEqual(bench.pick(c, BLOCKS), [], "one extra is enough");
  assert.ok(bench.picker.begin(b, 0, 2));
  assert.equal(bench.picker.received(b, 0, 2).alsoAsked, a);
  assert.equal(bench.picker.begin(a, 0, 2), false);
  assert.equal(bench.picker.received(a, 0, 2).kind, "duplicate");
  assert.equal(bench.picker.outstanding(a), 3);
});

test("end game: a peer gets a few duplicates at a time", () => {
  const bench = benchOf(5);
  bench.pick(bench.peer("all"), BLOCKS * 5);
  assert.equal(bench.pick(bench.peer("all"), 100).length, 8);
});

test("the end game does not begin while a block that some peer has is not requested", () => {
  const bench = benchOf(2);
  const [a, b] = [bench.peer([0]), bench.peer([0])];
  bench.pick(a, BLOCKS);
  const c = bench.peer([1]);
  assert.deepEqual(bench.pick(b, 1), [], "piece 1 is available and not requested");
  bench.pick(c, BLOCKS);
  assert.equal(bench.pick(b, 1).length, 1);
});

test("the end game begins when no peer has what is left", () => {
  const bench = benchOf(2);
  const [a, b] = [bench.peer([0]), bench.peer([0])];
  bench.pick(a, BLOCKS);
  assert.equal(bench.pick(b, 1).length, 1);
});

test("one writer at a time: a second copy of a block that is arriving is not accepted", () => {
  const bench = benchOf(1);
  const [a, b] = [bench.peer("all"), bench.peer("all")];
  bench.pick(a, BLOCKS);
  bench.pick(b, 1);
  assert.ok(bench.picker.begin(a, 0, 0));
  assert.equal(bench.picker.begin(b, 0, 0), false);
  assert.equal(bench.picker.received(b, 0, 0).kind, "duplicate");
  assert.deepEqual(bench.pick(b, 4), ["0:1", "0:2", "0:3"], "not the block that is arriving");
  assert.equal(bench.picker.received(a, 0, 0).kind, "accepted");
});

test("WIR-15: other peers are asked for what a late peer owes, and its block is accepted if it comes first", () => {
  const bench = benchOf(1);
  const [late, other] = [bench.peer("all"), bench.peer("all")];
  const names = bench.pick(late, BLOCKS);
  bench.picker.snub(late);
  assert.deepEqual(bench.pick(late, BLOCKS, { snubbed: true }), [], "it owes them already");
  assert.deepEqual(bench.pick(other, BLOCKS), names);
  assert.ok(bench.picker.begin(late, 0, 0));
  assert.equal(bench.picker.received(late, 0, 0).alsoAsked, other);
  assert.ok(bench.picker.begin(other, 0, 1));
  assert.equal(bench.picker.received(other, 0, 1).alsoAsked, late);
});

test("WIR-15: two silent peers do not keep a block between them for ever", () => {
  const bench = benchOf(1);
  const silent = [bench.peer("all"), bench.peer("all")] as const;
  const names = bench.pick(silent[0], BLOCKS);
  assert.deepEqual(bench.pick(silent[1], BLOCKS), names);
  const honest = bench.peer("all");
  bench.picker.snub(silent[0]);
  assert.deepEqual(bench.pick(honest, 1), names.slice(0, 1), "in place of the late one");
  bench.picker.snub(silent[1]);
  assert.deepEqual(bench.pick(honest, BLOCKS), names.slice(1));
  assert.ok(bench.deliver(honest, names));
  for (const peer of [...silent, honest]) assert.equal(bench.picker.outstanding(peer), 0);
});

test("WIR-15: a peer that is overtaken is not asked for duplicates until it sends a block again", () => {
  const bench = benchOf(8);
  const [slow, fast, third] = [0, 1, 2].map((piece) => bench.provenPeer("all", piece)) as [
    PeerKey,
    PeerKey,
    PeerKey,
  ];
  bench.picker.markHave(bench.bits([3, 4, 5]));
  const owed = bench.pick(slow, 5);
  const others = bench.pick(third, 3);
  bench.deliver(fast, bench.pick(fast, 5).slice(0, 4));
  assert.deepEqual(bench.pick(slow, BLOCKS), []);
  bench.deliver(slow, owed.slice(4));
  assert.equal(bench.pick(slow, 1).length, 1);
  assert.equal(others.length, 3);
});

test("WIR-15: half a block, then silence: the block stays reserved until the peer is gone", () => {
  const bench = benchOf(1);
  const [half, other] = [bench.peer("all"), bench.peer("all")];
  const names = bench.pick(half, BLOCKS);
  assert.ok(bench.picker.begin(half, 0, 0));
  bench.picker.snub(half);
  assert.deepEqual(bench.pick(other, BLOCKS), names.slice(1));
  bench.picker.peerGone(half);
  assert.deepEqual(bench.pick(other, BLOCKS), names.slice(0, 1));
});
