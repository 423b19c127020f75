import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import type { PeerKey } from "./peer-key.ts";
import { PiecePicker, type PickOptions } from "./piece-picker.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

const BLOCKS = 4;

/** A picker for pieces of four blocks, with short methods for what peers do. */
class Bench {
  readonly picker: PiecePicker;
  readonly pieceCount: number;
  readonly #out = { pieces: new Int32Array(512), blocks: new Int32Array(512) };
  #senders = 0;

  constructor(pieceCount: number, seed = 1) {
    this.pieceCount = pieceCount;
    const length = pieceCount * BLOCKS * BLOCK_BYTES;
    const geometry = new Geometry({
      pieceLength: BLOCKS * BLOCK_BYTES,
      files: [{ offset: 0, length, pad: false }],
      aligned: false,
    });
    this.picker = new PiecePicker(geometry, seededRandom(seed));
  }

  bits(pieces: readonly number[], length = this.pieceCount): Bitfield {
    const bitfield = new Bitfield(length);
    for (const piece of pieces) bitfield.add(piece);
    return bitfield;
  }

  peer(pieces: readonly number[] | "all", sender = this.#senders++): PeerKey {
    const key = this.picker.peerJoined(sender);
    if (pieces === "all") this.picker.peerHasAll(key);
    else this.picker.peerHas(key, this.bits(pieces));
    return key;
  }

  /** A peer that contributed to an intact piece. */
  provenPeer(pieces: readonly number[] | "all", by: number): PeerKey {
    const key = this.peer(pieces);
    this.picker.peerHave(key, by);
    this.fetch(key, by);
    return key;
  }

  pick(peer: PeerKey, blocksMax: number, options: Partial<PickOptions> = {}): string[] {
    const count = this.picker.pick(peer, blocksMax, this.#out, {
      canStart: () => true,
      whole: false,
      snubbed: false,
      silent: false,
      choked: false,
      ...options,
    });
    return Array.from({ length: count }, (_, i) => `${this.#out.pieces[i]}:${this.#out.blocks[i]}`);
  }

  /** @returns True when that completed the piece. */
  deliver(peer: PeerKey, names: readonly string[]): boolean {
    let complete = false;
    for (const name of names) {
      const [piece, block] = name.split(":").map(Number) as [number, number];
      assert.ok(this.picker.begin(peer, piece, block), `${name} is awaited`);
      const receipt = this.picker.received(peer, piece, block);
      assert.equal(receipt.kind, "accepted");
      complete ||= receipt.pieceComplete;
    }
    return complete;
  }

  /** The peer delivers this one piece whole and intact; meanwhile only that piece is wanted. */
  fetch(peer: PeerKey, piece: number): void {
    const priorities = new Uint8Array(this.pieceCount);
    priorities[piece] = 4;
    this.picker.setPriorities(priorities);
    assert.ok(this.deliver(peer, this.pick(peer, BLOCKS)));
    this.picker.verdict(piece, true);
    this.picker.setPriorities(new Uint8Array(this.pieceCount).fill(4));
  }

  /** Pieces opened by a peer one after the other. */
  piecesOpened(peer: PeerKey, count: number): number[] {
    const names = this.pick(peer, count * BLOCKS, { whole: true });
    return [...new Set(names.map((name) => Number(name.split(":")[0])))];
  }
}

test("nothing is picked for a peer that has nothing we lack", () => {
  const bench = new Bench(3);
  const none = bench.peer([]);
  const useless = bench.peer([0]);
  bench.picker.markHave(bench.bits([0]));
  for (const peer of [none, useless]) {
    assert.equal(bench.picker.isInteresting(peer), false);
    assert.deepEqual(bench.pick(peer, 10), []);
  }
});

test("without memory no piece is opened, but open pieces continue", () => {
  const bench = new Bench(5);
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
  const bench = new Bench(3);
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
    const bench = new Bench(20, seed);
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
    const bench = new Bench(12, seed);
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
  const bench = new Bench(7);
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
  const bench = new Bench(8);
  bench.picker.markHave(bench.bits([0, 1, 2, 3]));
  bench.peer([7]);
  bench.picker.setPriorities(Uint8Array.from([4, 4, 4, 4, 1, 0, 4, 7]));
  assert.deepEqual(bench.piecesOpened(bench.peer("all"), 4), [7, 6, 4]);
  assert.equal(bench.picker.state(5), "unwanted");
});

test("a suggested piece wins among equally rare ones, but not over a rarer one", () => {
  const bench = new Bench(12);
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
  const bench = new Bench(20);
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
  const bench = new Bench(10);
  const known = bench.provenPeer("all", 0);
  const shared = bench.pick(known, 2)[0]!.split(":")[0];
  const strangers = bench.pick(bench.peer("all"), BLOCKS);
  assert.ok(strangers.every((name) => name.split(":")[0] !== shared));
  const more = bench.pick(known, BLOCKS * 2);
  assert.ok(more.every((name) => name.split(":")[0] !== strangers[0]!.split(":")[0]));
});

test("peers with nothing else to do help with pieces others would rather fetch alone", () => {
  const bench = new Bench(1);
  const [a, b] = [bench.peer("all"), bench.peer("all")];
  assert.deepEqual(bench.pick(a, 2), ["0:0", "0:1"]);
  assert.deepEqual(bench.pick(b, 2), ["0:2", "0:3"]);
});

test("end game: when every block is requested, one more peer is asked, and the other gets a cancel", () => {
  const bench = new Bench(1);
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
  const bench = new Bench(5);
  bench.pick(bench.peer("all"), BLOCKS * 5);
  assert.equal(bench.pick(bench.peer("all"), 100).length, 8);
});

test("the end game does not begin while a block that some peer has is not requested", () => {
  const bench = new Bench(2);
  const [a, b] = [bench.peer([0]), bench.peer([0])];
  bench.pick(a, BLOCKS);
  const c = bench.peer([1]);
  assert.deepEqual(bench.pick(b, 1), [], "piece 1 is available and not requested");
  bench.pick(c, BLOCKS);
  assert.equal(bench.pick(b, 1).length, 1);
});

test("the end game begins when no peer has what is left", () => {
  const bench = new Bench(2);
  const [a, b] = [bench.peer([0]), bench.peer([0])];
  bench.pick(a, BLOCKS);
  assert.equal(bench.pick(b, 1).length, 1);
});

test("one writer at a time: a second copy of a block that is arriving is not accepted", () => {
  const bench = new Bench(1);
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
  const bench = new Bench(1);
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
  const bench = new Bench(1);
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
  const bench = new Bench(8);
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
  const bench = new Bench(1);
  const [half, other] = [bench.peer("all"), bench.peer("all")];
  const names = bench.pick(half, BLOCKS);
  assert.ok(bench.picker.begin(half, 0, 0));
  bench.picker.snub(half);
  assert.deepEqual(bench.pick(other, BLOCKS), names.slice(1));
  bench.picker.peerGone(half);
  assert.deepEqual(bench.pick(other, BLOCKS), names.slice(0, 1));
});

test("a rejected block, and all blocks of a peer that chokes or leaves, can be asked of others", () => {
  const endings: ((bench: Bench, peer: PeerKey) => void)[] = [
    ({ picker }, peer) => [0, 1, 2, 3].forEach((block) => picker.rejected(peer, 0, block)),
    ({ picker }, peer) => picker.release(peer),
    ({ picker }, peer) => picker.peerGone(peer),
  ];
  for (const end of endings) {
    const bench = new Bench(1);
    const [a, b] = [bench.peer("all"), bench.peer("all")];
    const names = bench.pick(a, BLOCKS);
    end(bench, a);
    assert.deepEqual(bench.pick(b, BLOCKS), names);
  }
});

test("WIR-12, WIR-13: a corrupt piece is fetched again whole from one peer, not from one that sent it alone", () => {
  const bench = new Bench(2);
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
  const bench = new Bench(12);
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
  const bench = new Bench(1);
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
    const bench = new Bench(1);
    const stranger = bench.peer("all");
    bench.deliver(stranger, bench.pick(stranger, blocks));
    bench.picker.peerGone(stranger);
    assert.equal(bench.picker.receivedCount(0), kept);
  }
});

test("a peer that sent a whole corrupt piece is asked only for what no other peer has, one piece at a time", () => {
  const bench = new Bench(12);
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
  const bench = new Bench(1);
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
  const bench = new Bench(1);
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
  const setBack: readonly ((bench: Bench, peer: PeerKey) => void)[] = [
    ({ picker }, peer) => picker.choked(peer),
    ({ picker }, peer) => picker.release(peer),
    ({ picker }, peer) => picker.snub(peer),
    (bench, peer) => bench.pick(peer, 1, { choked: true }),
    ({ picker }, peer) => picker.peerGone(peer),
  ];
  for (const stop of setBack) {
    const bench = new Bench(1);
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
    const bench = new Bench(3);
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

test("while it chokes us a peer is asked only for allowed-fast pieces", () => {
  const bench = new Bench(6);
  const peer = bench.peer([0, 1, 2, 3]);
  assert.deepEqual(bench.pick(peer, 8, { choked: true }), []);
  bench.picker.peerAllowsFast(peer, 2);
  bench.picker.peerAllowsFast(peer, 5); // the peer does not have that piece
  const names = bench.pick(peer, 8, { choked: true });
  assert.deepEqual(names, ["2:0", "2:1", "2:2", "2:3"]);
});

test("blocks on disk from the last run are not requested again", () => {
  const bench = new Bench(3);
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
  const bench = new Bench(3);
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
  const bench = new Bench(1);
  const peer = bench.peer("all");
  bench.pick(peer, 2);
  bench.picker.release(peer);
  bench.picker.park(0);
  assert.equal(bench.picker.state(0), "wanted");
});

test("the disk refused a piece: it is wanted again and no peer is blamed", () => {
  const bench = new Bench(1);
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
  const bench = new Bench(2);
  bench.picker.markHave(bench.bits([0, 1]));
  const [holder, all] = [bench.peer([1]), bench.peer("all")];
  assert.ok(bench.picker.complete);
  bench.picker.lost(1);
  assert.equal(bench.picker.missingCount, 1);
  assert.ok(bench.picker.isInteresting(holder) && bench.picker.isInteresting(all));
  assert.equal(bench.pick(holder, 2).length, 2);
});

test("WIR-17: have-all, have-none, have and lost in turn keep every count right", () => {
  const bench = new Bench(40);
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
  const bench = new Bench(2);
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
    choked: false,
  };
  assert.equal(picker.pick(peer, 9, out, options), 2);
});
