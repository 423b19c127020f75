import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../sim/seeded-random.ts";
import type { PeerKey } from "./peer-key.ts";
import { BLOCKS, PickerBench } from "./picker-bench.ts";

function benchOf(pieceCount: number): PickerBench {
  return new PickerBench(pieceCount, seededRandom(1));
}

test("WIR-12, WIR-13: a corrupt piece is fetched again whole from one peer, not from one that sent it alone", () => {
  const bench = benchOf(2);
  bench.picker.markHave(bench.bits([1]));
  const [liar, honest, third] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  bench.deliver(liar, bench.pick(liar, BLOCKS));
  assert.deepEqual([...bench.picker.senders(0)!], [0, 0, 0, 0]);
  bench.picker.verdict(0, false);
  assert.equal(bench.picker.state(0), "wanted");
  assert.deepEqual(bench.pick(liar, BLOCKS), []);
  assert.equal(bench.pick(honest, 2).length, 2);
  assert.deepEqual(bench.pick(third, BLOCKS), [], "it is not shared");
  assert.deepEqual(bench.pick(liar, BLOCKS), []);
  const rest = bench.pick(honest, BLOCKS);
  assert.ok(bench.deliver(honest, ["0:0", "0:1", ...rest]));
  bench.picker.verdict(0, true);
  assert.ok(bench.picker.complete && bench.picker.isProven(honest));
  assert.equal(bench.picker.isProven(liar), false);
});

test("WIR-13: all peers that took part in a corrupt piece fetch alone until one of their pieces is intact", () => {
  const bench = benchOf(12);
  const [a, b, c] = [0, 1, 2].map((piece) => bench.provenPeer("all", piece)) as [
    PeerKey,
    PeerKey,
    PeerKey,
  ];
  const first = bench.pick(a, 2);
  const piece = Number(first[0]!.split(":")[0]);
  bench.deliver(a, first);
  const second = bench.pick(b, 2);
  const shared = bench.pick(c, 1)[0]!.split(":")[0];
  assert.ok(bench.deliver(b, second));
  bench.picker.verdict(piece, false);
  // A suspected peer does not join what c began to share, and no peer joins its own piece.
  const retried = bench.pick(a, 2);
  assert.ok(
    retried.every((name) => name.startsWith(`${piece}:`)),
    "the failed one comes first",
  );
  const own = bench.pick(b, 2);
  assert.ok(own.every((name) => ![shared, String(piece)].includes(name.split(":")[0])));
  const others = bench.pick(c, BLOCKS * 12);
  assert.ok(others.every((name) => name.split(":")[0] !== own[0]!.split(":")[0]));
  bench.deliver(b, own);
  assert.ok(bench.deliver(b, bench.pick(b, 2)));
  bench.picker.verdict(Number(own[0]!.split(":")[0]), true);
  bench.picker.release(c);
  assert.equal(bench.pick(b, 1)[0]!.split(":")[0], shared, "trusted again");
});

test("WIR-28: an attacker who spoils a block and goes cannot spoil the piece again and again", () => {
  const bench = benchOf(1);
  const honest = bench.peer("all");
  bench.deliver(honest, bench.pick(honest, 3));
  const sybil = bench.peer("all");
  assert.ok(bench.deliver(sybil, bench.pick(sybil, 1)));
  bench.picker.verdict(0, false);
  bench.picker.peerGone(sybil);
  const again = bench.peer("all");
  bench.deliver(again, bench.pick(again, 1));
  bench.picker.peerGone(again);
  assert.equal(bench.picker.receivedCount(0), 0, "the blocks it left behind are not used");
  assert.ok(bench.deliver(honest, bench.pick(honest, BLOCKS)));
  assert.deepEqual(new Set(bench.picker.senders(0)), new Set([0]));
});

test("WIR-28: a few blocks that a stranger left behind are discarded; a good part of a piece is kept", () => {
  for (const [blocks, kept] of [
    [1, 0],
    [2, 2],
  ] as const) {
    const bench = benchOf(1);
    const stranger = bench.peer("all");
    bench.deliver(stranger, bench.pick(stranger, blocks));
    bench.picker.peerGone(stranger);
    assert.equal(bench.picker.receivedCount(0), kept);
  }
});

test("a peer that sent a whole corrupt piece is asked only for what no other peer has, one piece at a time", () => {
  const bench = benchOf(12);
  const doubtful = bench.peer("all");
  const failed = bench.pick(doubtful, BLOCKS);
  bench.deliver(doubtful, failed);
  bench.picker.verdict(Number(failed[0]!.split(":")[0]), false);
  const other = bench.peer([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const names = bench.pick(doubtful, BLOCKS * 12);
  assert.deepEqual(names, ["11:0", "11:1", "11:2", "11:3"]);
  assert.deepEqual(bench.pick(doubtful, BLOCKS), []);
  bench.deliver(doubtful, names);
  bench.picker.peerGone(doubtful);
  const again = bench.peer("all", 0);
  assert.deepEqual(bench.pick(again, BLOCKS), [], "not on a new connection either");
  bench.picker.verdict(11, true);
  assert.ok(bench.pick(again, 1).length === 1, "one intact piece, and it is trusted again");
  assert.ok(bench.picker.isInteresting(other));
});

test("the only peer that has a piece may try again, but only a limited number of times", () => {
  const bench = benchOf(1);
  const only = bench.peer("all");
  for (let i = 0; i < 4; i += 1) {
    assert.ok(bench.deliver(only, bench.pick(only, BLOCKS)), `try ${i + 1}`);
    bench.picker.verdict(0, false);
  }
  assert.deepEqual(bench.pick(only, BLOCKS), []);
  const other = bench.peer("all");
  assert.ok(bench.deliver(other, bench.pick(other, BLOCKS)));
});

test("a piece that must not be shared is taken over from a peer that does nothing", () => {
  const bench = benchOf(1);
  const [liar, slow, other] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
  bench.deliver(liar, bench.pick(liar, BLOCKS));
  bench.picker.verdict(0, false);
  bench.deliver(slow, bench.pick(slow, 2));
  bench.pick(slow, 2);
  assert.deepEqual(bench.pick(other, BLOCKS), []);
  bench.picker.snub(slow);
  assert.equal(bench.pick(other, BLOCKS).length, BLOCKS, "from the start");
  assert.equal(bench.picker.begin(slow, 0, 2), false, "a late block is not mixed in");
});

test("WIR-12: peers that wait for our rate limit do not take such a piece from each other", () => {
  const setBack: readonly ((bench: PickerBench, peer: PeerKey) => void)[] = [
    ({ picker }, peer) => picker.choked(peer),
    ({ picker }, peer) => picker.release(peer),
    ({ picker }, peer) => picker.snub(peer),
    (bench, peer) => bench.pick(peer, 1, { choked: true }),
    ({ picker }, peer) => picker.peerGone(peer),
  ];
  for (const stop of setBack) {
    const bench = benchOf(1);
    const [liar, owner, other] = [bench.peer("all"), bench.peer("all"), bench.peer("all")];
    bench.deliver(liar, bench.pick(liar, BLOCKS));
    bench.picker.verdict(0, false);
    for (let block = 0; block < BLOCKS - 1; block += 1) {
      bench.deliver(owner, bench.pick(owner, 1));
      assert.deepEqual(
        bench.pick(other, BLOCKS),
        [],
        "the limit allowed one block, more will follow",
      );
    }
    stop(bench, owner);
    assert.equal(bench.pick(other, BLOCKS).length, BLOCKS, "now nothing will");
  }
});

test("WIR-15: a trickling stranger does not delay the last piece, and a proven peer does not lose it", () => {
  for (const [blocksHere, takenOver] of [
    [1, true],
    [2, false],
  ] as const) {
    const bench = benchOf(3);
    const proven = [0, 1].map((piece) => bench.provenPeer("all", piece)) as [PeerKey, PeerKey];
    const [liar, trickler] = [bench.peer("all"), bench.peer("all")];
    bench.deliver(liar, bench.pick(liar, BLOCKS));
    bench.picker.verdict(2, false);
    const names = bench.pick(trickler, BLOCKS);
    bench.deliver(trickler, names.slice(0, blocksHere));
    assert.equal(bench.pick(proven[0], BLOCKS).length, takenOver ? BLOCKS : 0);
    if (!takenOver) continue;
    assert.equal(bench.picker.begin(trickler, 2, 3), false);
    assert.deepEqual(bench.pick(proven[1], BLOCKS), [], "one proven peer does not disturb another");
  }
});
