import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import { seededRandom } from "../../sim/seeded-random.ts";
import type { PeerKey } from "./peer-key.ts";
import { PiecePicker } from "./piece-picker.ts";
import { BLOCKS, PickerBench } from "./picker-bench.ts";

function benchOf(pieceCount: number, seed = 1): PickerBench {
  return new PickerBench(pieceCount, seededRandom(seed));
}

test("nothing is picked for a peer that has nothing we lack", () => {
  const bench = benchOf(3);
  const none = bench.peer([]);
  const useless = bench.peer([0]);
  bench.picker.markHave(bench.bits([0]));
  for (const peer of [none, useless]) {
    assert.equal(bench.picker.isInteresting(peer), false);
    assert.deepEqual(bench.pick(peer, 10), []);
  }
});

test("without memory no piece is opened, but open pieces continue", () => {
  const bench = benchOf(5);
  const peer = bench.peer("all");
  assert.deepEqual(bench.pick(peer, 4, { canStart: () => false }), []);
  const first = bench.pick(peer, 1);
  const asked: number[] = [];
  const more = bench.pick(peer, 10, {
    canStart: (piece) => {
      asked.push(piece);
      return false;
    },
  });
  assert.equal(more.length, BLOCKS - 1);
  assert.ok(more.every((name) => name.split(":")[0] === first[0]!.split(":")[0]));
  assert.equal(asked.length, 1, "memory is asked for once, not for every piece");
});

test("WIR-16: unrequested blocks and blocks that we have are told apart, and neither is accepted", () => {
  const bench = benchOf(3);
  const [asked, stranger] = [bench.peer("all"), bench.peer("all")];
  const names = bench.pick(asked, BLOCKS);
  const [piece, block] = names[0]!.split(":").map(Number) as [number, number];
  assert.equal(bench.picker.begin(stranger, piece, block), false);
  assert.equal(bench.picker.received(stranger, piece, block).kind, "unrequested");
  for (const [p, b] of [
    [piece, 99],
    [2 ** 31, 0],
    [(piece + 1) % 3, 0],
  ] as const) {
    assert.equal(bench.picker.begin(asked, p, b), false);
    assert.equal(bench.picker.received(asked, p, b).kind, "unrequested");
  }
  bench.deliver(asked, names.slice(0, 1));
  assert.equal(bench.picker.received(asked, piece, block).kind, "duplicate");
  bench.deliver(asked, names.slice(1));
  bench.picker.verdict(piece, true);
  assert.equal(bench.picker.received(asked, piece, block).kind, "duplicate");
});

test("the first pieces are random, not the rarest, except from a peer that has everything", () => {
  const firsts = new Set<number>();
  const others = Array.from({ length: 17 }, (_, piece) => piece);
  for (let seed = 1; seed <= 40; seed += 1) {
    const bench = benchOf(20, seed);
    bench.peer(others);
    firsts.add(bench.piecesOpened(bench.peer([...others, 17, 18]), 1)[0]!);
    const [fromSeed] = bench.piecesOpened(bench.peer("all"), 1);
    assert.equal(fromSeed, 19, "the piece that no other peer has");
  }
  assert.ok(firsts.size > 10, `${[...firsts].join(" ")}`);
});

test("after four pieces the rarest come first, with ties broken at random", () => {
  const orders = new Set<string>();
  for (let seed = 1; seed <= 10; seed += 1) {
    const bench = benchOf(12, seed);
    bench.picker.markHave(bench.bits([0, 1, 2, 3]));
    bench.peer([4, 5, 6, 7, 8, 9]);
    bench.peer([4, 5, 6]);
    const order = bench.piecesOpened(bench.peer("all"), 8);
    assert.deepEqual(new Set(order.slice(0, 2)), new Set([10, 11]));
    assert.deepEqual(new Set(order.slice(2, 5)), new Set([7, 8, 9]));
    assert.deepEqual(new Set(order.slice(5)), new Set([4, 5, 6]));
    orders.add(order.join(" "));
  }
  assert.ok(orders.size > 3);
});

test("rarity follows have, lost have, and peers that leave", () => {
  const bench = benchOf(7);
  bench.picker.markHave(bench.bits([0, 1, 2, 3]));
  const all = bench.peer("all");
  const other = bench.peer([4, 5]);
  assert.deepEqual(bench.piecesOpened(all, 1), [6]);
  bench.picker.release(all);
  bench.picker.discard(6);
  bench.picker.peerHave(other, 6);
  bench.picker.peerDontHave(other, 5);
  assert.deepEqual(bench.piecesOpened(all, 1), [5]);
  bench.picker.discard(5);
  bench.picker.peerGone(other);
  assert.equal(bench.picker.rarestCopies(), 1);
  const third = bench.peer([5, 6]);
  assert.ok(third >= 0);
  assert.deepEqual(bench.piecesOpened(all, 1), [4]);
});

test("pieces of higher priority come first, however common; those of priority 0 never", () => {
  const bench = benchOf(8);
  bench.picker.markHave(bench.bits([0, 1, 2, 3]));
  bench.peer([7]);
  bench.picker.setPriorities(Uint8Array.from([4, 4, 4, 4, 1, 0, 4, 7]));
  assert.deepEqual(bench.piecesOpened(bench.peer("all"), 4), [7, 6, 4]);
  assert.equal(bench.picker.state(5), "unwanted");
});

test("a suggested piece wins among equally rare ones, but not over a rarer one", () => {
  const bench = benchOf(12);
  bench.picker.markHave(bench.bits([0, 1, 2, 3]));
  bench.peer([4, 5]);
  const all = bench.peer("all");
  bench.picker.peerSuggests(all, 4);
  bench.picker.peerSuggests(all, 9);
  const order = bench.piecesOpened(all, 8);
  assert.equal(order[0], 9);
  assert.equal(order[6], 4);
});

test("fast peers get their own pieces, slow ones share one until it is complete", () => {
  const bench = benchOf(20);
  const [a, b, c] = [0, 1, 2].map((piece) => bench.provenPeer("all", piece)) as [
    PeerKey,
    PeerKey,
    PeerKey,
  ];
  const slow = [a, b].flatMap((peer) => bench.pick(peer, 2));
  assert.equal(new Set(slow.map((name) => name.split(":")[0])).size, 1);
  assert.equal(new Set(slow).size, 4);
  const fast = [bench.pick(c, 2, { whole: true }), bench.pick(a, 2, { whole: true })];
  const pieces = fast.map((names) => names[0]!.split(":")[0]);
  assert.notEqual(pieces[0], pieces[1]);
  assert.notEqual(pieces[0], slow[0]!.split(":")[0]);
});

test("WIR-28: a stranger's blocks are not mixed with others' while there is other work", () => {
  const bench = benchOf(10);
  const known = bench.provenPeer("all", 0);
  const shared = bench.pick(known, 2)[0]!.split(":")[0];
  const strangers = bench.pick(bench.peer("all"), BLOCKS);
  assert.ok(strangers.every((name) => name.split(":")[0] !== shared));
  const more = bench.pick(known, BLOCKS * 2);
  assert.ok(more.every((name) => name.split(":")[0] !== strangers[0]!.split(":")[0]));
});

test("peers with nothing else to do help with pieces others would rather fetch alone", () => {
  const bench = benchOf(1);
  const [a, b] = [bench.peer("all"), bench.peer("all")];
  assert.deepEqual(bench.pick(a, 2), ["0:0", "0:1"]);
  assert.deepEqual(bench.pick(b, 2), ["0:2", "0:3"]);
});

test("a rejected block, and all blocks of a peer that chokes or leaves, can be asked of others", () => {
  const endings: ((bench: PickerBench, peer: PeerKey) => void)[] = [
    ({ picker }, peer) => [0, 1, 2, 3].forEach((block) => picker.rejected(peer, 0, block)),
    ({ picker }, peer) => picker.release(peer),
    ({ picker }, peer) => picker.peerGone(peer),
  ];
  for (const end of endings) {
    const bench = benchOf(1);
    const [a, b] = [bench.peer("all"), bench.peer("all")];
    const names = bench.pick(a, BLOCKS);
    end(bench, a);
    assert.deepEqual(bench.pick(b, BLOCKS), names);
  }
});

test("while it chokes us a peer is asked only for allowed-fast pieces", () => {
  const bench = benchOf(6);
  const peer = bench.peer([0, 1, 2, 3]);
  assert.deepEqual(bench.pick(peer, 8, { choked: true }), []);
  bench.picker.peerAllowsFast(peer, 2);
  bench.picker.peerAllowsFast(peer, 5); // the peer does not have that piece
  const names = bench.pick(peer, 8, { choked: true });
  assert.deepEqual(names, ["2:0", "2:1", "2:2", "2:3"]);
});

test("blocks on disk from the last run are not requested again", () => {
  const bench = benchOf(3);
  assert.equal(bench.picker.restore(1, bench.bits([0, 2], BLOCKS)), false);
  assert.equal(bench.picker.restore(2, bench.bits([0, 1, 2, 3], BLOCKS)), true);
  assert.equal(bench.picker.state(2), "received");
  const peer = bench.provenPeer("all", 0);
  const started: number[] = [];
  const names = bench.pick(peer, 8, {
    canStart: (piece) => {
      started.push(piece);
      return true;
    },
  });
  assert.deepEqual(names, ["1:1", "1:3"]);
  assert.deepEqual(started, [1], "memory is requested before a piece on disk continues");
  bench.deliver(peer, names);
  assert.deepEqual([...bench.picker.senders(1)!].slice(0, 3), [-1, 0, -1]);
  bench.picker.verdict(2, false);
  assert.equal(
    bench.picker.state(2),
    "wanted",
    "no peer is to blame, so it is fetched like any other piece",
  );
});

test("memory short: idle pieces are parked, the longest untouched first, and come back with their blocks", () => {
  const bench = benchOf(3);
  const peer = bench.peer("all");
  const [first, second] = bench.piecesOpened(peer, 2) as [number, number];
  bench.deliver(peer, [`${second}:0`]);
  bench.deliver(peer, [`${first}:1`]);
  assert.deepEqual(bench.picker.idlePieces(), [], "blocks of both are on their way");
  bench.picker.release(peer);
  assert.deepEqual(bench.picker.idlePieces(), [second, first]);
  bench.picker.park(second);
  assert.deepEqual(bench.picker.idlePieces(), [first]);
  assert.deepEqual(new Set(bench.picker.startedPieces()), new Set([first, second]));
  assert.deepEqual([...bench.picker.receivedBlocks(second)!.indexes()], [0]);
  assert.equal(bench.picker.begin(peer, second, 1), false);
});

test("a piece without received blocks is not kept open when memory is short", () => {
  const bench = benchOf(1);
  const peer = bench.peer("all");
  bench.pick(peer, 2);
  bench.picker.release(peer);
  bench.picker.park(0);
  assert.equal(bench.picker.state(0), "wanted");
});

test("the disk refused a piece: it is wanted again and no peer is blamed", () => {
  const bench = benchOf(1);
  const peer = bench.peer("all");
  bench.deliver(peer, bench.pick(peer, BLOCKS));
  bench.picker.discard(0);
  assert.equal(bench.picker.state(0), "wanted");
  assert.equal(bench.pick(peer, BLOCKS).length, BLOCKS);
  bench.picker.discard(0);
  assert.equal(bench.picker.outstanding(peer), 0);
  assert.equal(bench.picker.received(peer, 0, 0).kind, "unrequested");
});

test("WIR-14: a piece lost on disk is wanted again, and its holders are interesting again", () => {
  const bench = benchOf(2);
  bench.picker.markHave(bench.bits([0, 1]));
  const [holder, all] = [bench.peer([1]), bench.peer("all")];
  assert.ok(bench.picker.complete);
  bench.picker.lost(1);
  assert.equal(bench.picker.missingCount, 1);
  assert.ok(bench.picker.isInteresting(holder) && bench.picker.isInteresting(all));
  assert.equal(bench.pick(holder, 2).length, 2);
});

test("WIR-17: have-all, have-none, have and lost in turn keep every count right", () => {
  const bench = benchOf(40);
  const peer = bench.peer("all");
  for (let i = 0; i < 200; i += 1) {
    bench.picker.peerDontHave(peer, i % 40);
    assert.equal(bench.picker.copies(i % 40), 0);
    assert.equal(bench.picker.peerHave(peer, i % 40), true);
    assert.equal(bench.picker.peerHave(peer, i % 40), false);
  }
  assert.equal(bench.picker.rarestCopies(), 1);
  bench.picker.peerHas(peer, bench.bits([]));
  assert.equal(bench.picker.isInteresting(peer), false);
  assert.equal(bench.picker.copies(0), 0);
});

test("a file that is no longer wanted is not requested; its received blocks stay for later", () => {
  const bench = benchOf(2);
  const peer = bench.peer("all");
  const first = bench.pick(peer, 2);
  const piece = Number(first[0]!.split(":")[0]);
  bench.deliver(peer, first);
  bench.picker.setPriorities(Uint8Array.from([0, 1].map((index) => (index === piece ? 0 : 4))));
  assert.ok(bench.pick(peer, 8).every((name) => Number(name.split(":")[0]) !== piece));
  bench.picker.setPriorities(new Uint8Array(2).fill(4));
  assert.deepEqual(bench.pick(peer, 8), [`${piece}:2`, `${piece}:3`]);
});

test("pieces that are all padding are not requested: they await their verdict from the start", () => {
  const pieceLength = BLOCKS * BLOCK_BYTES;
  const geometry = new Geometry({
    pieceLength,
    files: [
      { offset: 0, length: 10, pad: false },
      { offset: 10, length: 3 * pieceLength - 10, pad: true },
      { offset: 3 * pieceLength, length: 10, pad: false },
    ],
    aligned: false,
  });
  const picker = new PiecePicker(geometry, seededRandom(1));
  assert.deepEqual([...picker.receivedPieces()], [1, 2]);
  picker.verdict(1, true);
  picker.verdict(2, false);
  assert.deepEqual([picker.state(1), picker.state(2)], ["have", "received"]);
  const peer = picker.peerJoined(0);
  picker.peerHasAll(peer);
  const out = { pieces: new Int32Array(9), blocks: new Int32Array(9) };
  const options = {
    canStart: () => true,
    whole: false,
    snubbed: false,
    silent: false,
    soonBlocks: 0,
    choked: false,
  };
  assert.equal(picker.pick(peer, 9, out, options), 2);
});
