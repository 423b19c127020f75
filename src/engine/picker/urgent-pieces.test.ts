import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../sim/seeded-random.ts";
import type { PeerKey } from "./peer-key.ts";
import { BLOCKS, PickerBench } from "./picker-bench.ts";

const PIECES = 40;

/** A picker of forty pieces, some of which a reader needs. */
class Bench extends PickerBench {
  constructor() {
    super(PIECES, seededRandom(1));
  }

  read(first: number, end: number, reader = 0): void {
    const { deadlines } = this.picker.urgent;
    deadlines.set(reader, { first, end, dueMs: 0, msPerPiece: 10 }, 0);
  }

  /** The peer delivers a whole piece, which is corrupt. */
  deliverCorrupt(peer: PeerKey, piece: number): void {
    this.read(piece, piece + 1, 99);
    const blocks = this.pick(peer, BLOCKS).filter((name) => name.startsWith(`${piece}:`));
    const rest = this.pick(peer, 100).filter((name) => name.startsWith(`${piece}:`));
    this.deliver(peer, [...blocks, ...rest]);
    this.picker.urgent.deadlines.clear(99);
    this.picker.verdict(piece, false);
    this.picker.release(peer);
  }
}

test("what a reader needs comes first: two blocks of each of four pieces, then in order", () => {
  const bench = new Bench();
  const peer = bench.peer("all");
  bench.read(20, 27);
  const names = bench.pick(peer, 14).join(" ");
  assert.equal(names, "20:0 20:1 21:0 21:1 22:0 22:1 23:0 23:1 24:0 24:1 24:2 24:3 25:0 25:1");
});

test("several peers share a piece that is needed soon, even one that a peer fetches alone", () => {
  const bench = new Bench();
  const [first, second, third] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  const own = bench.pick(first, 1);
  const piece = Number(own[0]!.split(":")[0]);
  bench.read(piece, piece + 1);
  assert.deepEqual(bench.pick(second, 2), [`${piece}:1`, `${piece}:2`], "it has an owner");
  assert.deepEqual(bench.pick(third, 1), [`${piece}:3`]);
});

test("after the pieces that are needed soon the rest is fetched as usual", () => {
  const bench = new Bench();
  bench.read(20, 22);
  const picked = bench.pick(bench.peer("all"), 12);
  assert.deepEqual(picked.slice(0, 4), ["20:0", "20:1", "21:0", "21:1"]);
  assert.ok(
    picked.slice(4).every((name) => !/^2[01]:/.test(name)),
    picked.join(" "),
  );
  assert.equal(picked.length, 12);
});

test("a peer that has nothing else to send is asked for all pieces that are needed soon", () => {
  const bench = new Bench();
  const priorities = new Uint8Array(PIECES);
  priorities.fill(4, 20, 22);
  bench.picker.setPriorities(priorities);
  bench.read(20, 22);
  const picked = bench.pick(bench.peer("all"), 100);
  assert.deepEqual(picked.toSorted(), [
    "20:0",
    "20:1",
    "20:2",
    "20:3",
    "21:0",
    "21:1",
    "21:2",
    "21:3",
  ]);
});

test("peers that are silent, choke us, or sent a corrupt piece are not asked for what is needed soon", () => {
  const bench = new Bench();
  const [late, liar, good] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  bench.deliverCorrupt(liar, 5);
  bench.read(20, 22);
  const urgent = /^2[01]:/;
  assert.ok(!bench.pick(late, 4, { snubbed: true }).some((name) => urgent.test(name)));
  assert.ok(!bench.pick(late, 4, { silent: true }).some((name) => urgent.test(name)));
  assert.deepEqual(bench.pick(late, 4, { choked: true }), []);
  assert.ok(!bench.pick(liar, 4).some((name) => urgent.test(name)));
  assert.ok(bench.pick(good, 4).every((name) => urgent.test(name)));
});

test("after a corrupt piece from several peers each of them fetches urgent pieces alone", () => {
  const bench = new Bench();
  const [first, second, third] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  bench.read(5, 6);
  bench.deliver(first, bench.pick(first, 2));
  bench.deliver(second, bench.pick(second, 2));
  bench.picker.verdict(5, false);
  bench.read(20, 24);
  assert.deepEqual(bench.pick(third, 1), ["20:0"], "it has sent nothing corrupt, and shares");
  assert.deepEqual(bench.pick(first, 4), ["21:0", "21:1", "21:2", "21:3"]);
  assert.deepEqual(bench.pick(second, 4), ["22:0", "22:1", "22:2", "22:3"]);
});

test("an urgent piece that was corrupt: one peer fetches it whole, and not the one that sent it", () => {
  const bench = new Bench();
  const [liar, good, other] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  bench.deliverCorrupt(liar, 20);
  bench.read(20, 21);
  assert.ok(!bench.pick(liar, 8).some((name) => name.startsWith("20:")));
  assert.deepEqual(bench.pick(good, 4), ["20:0", "20:1", "20:2", "20:3"]);
  bench.picker.rejected(good, 20, 3);
  assert.ok(!bench.pick(other, 4).some((name) => name.startsWith("20:")), "blocks are not mixed");
});

test("a corrupt piece does not wait for a peer that chokes us: another fetches it whole", () => {
  const bench = new Bench();
  const [liar, good, other] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  bench.deliverCorrupt(liar, 20);
  bench.read(20, 21);
  bench.deliver(good, bench.pick(good, 4).slice(0, 1));
  bench.picker.release(good);
  assert.deepEqual(bench.pick(other, 4), ["20:0", "20:1", "20:2", "20:3"]);
});

test("without memory no piece is started, and a piece with memory continues", () => {
  const bench = new Bench();
  const peer = bench.peer("all");
  bench.read(20, 21);
  assert.deepEqual(bench.pick(peer, 2), ["20:0", "20:1"]);
  bench.read(20, 24);
  assert.deepEqual(bench.pick(peer, 8, { canStart: () => false }), ["20:2", "20:3"]);
});

test("a piece that we have or do not want is not requested, even when a reader needs it", () => {
  const bench = new Bench();
  const peer = bench.peer("all");
  bench.picker.setPriority(20, 0);
  bench.read(20, 22);
  const picked = bench.pick(peer, 2);
  assert.deepEqual(picked, ["21:0", "21:1"]);
});

test("a request that is taken back can go to others; a block that comes all the same is accepted", () => {
  const bench = new Bench();
  const [first, second] = [bench.peer("all"), bench.peer("all")];
  bench.read(20, 21);
  assert.deepEqual(bench.pick(first, 2), ["20:0", "20:1"]);
  const { urgent } = bench.picker;
  urgent.giveBack(first, 20, 0, "answered");
  urgent.giveBack(first, 20, 1, "forgotten");
  assert.equal(bench.picker.outstanding(first), 1);
  assert.deepEqual(bench.pick(second, 2), ["20:0", "20:1"]);
  assert.equal(bench.picker.owes(first, 20, 1), false);
  assert.ok(bench.picker.begin(first, 20, 0), "it crossed our cancel");
  assert.equal(bench.picker.received(first, 20, 0).alsoAsked, second);
  assert.ok(bench.picker.begin(second, 20, 1));
  urgent.giveBack(second, 20, 1, "answered");
  assert.equal(
    bench.picker.received(second, 20, 1).kind,
    "accepted",
    "a block that is arriving continues",
  );
});
