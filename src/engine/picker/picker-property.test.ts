import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import type { Random } from "../../ports/random.ts";
import type { PeerKey } from "./peer-key.ts";
import { PiecePicker } from "./piece-picker.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

interface ModelPeer {
  readonly pieces: Set<number>;
  readonly sender: number;
  /** Blocks asked from it, "piece:block"; true when we gave it up as late. */
  readonly asked: Map<string, boolean>;
}

/**
 * A naive picker beside the real one: it keeps plain sets and counts everything by enumeration. It does not choose;
 * it checks that every choice and report of the real one was allowed.
 */
class PickerModel {
  readonly picker: PiecePicker;
  readonly #geometry: Geometry;
  readonly #random: Random;
  readonly #peers = new Map<PeerKey, ModelPeer>();
  readonly #have = new Set<number>();
  readonly #received = new Map<number, Set<number>>();
  /** Pieces that were corrupt: each is fetched from one peer, whenever there is one. */
  readonly #failed = new Set<number>();
  /** Started pieces without memory. */
  readonly #parked = new Set<number>();
  readonly #priorities: Uint8Array;
  readonly #out = { pieces: new Int32Array(64), blocks: new Int32Array(64) };
  #nextSender = 0;
  endGamePicks = 0;
  /** Picks of pieces that a reader needs. */
  urgentPicks = 0;

  constructor(geometry: Geometry, random: Random) {
    this.#geometry = geometry;
    this.#random = random;
    this.picker = new PiecePicker(geometry, random);
    this.#priorities = new Uint8Array(geometry.pieceCount).fill(4);
  }

  get peers(): PeerKey[] {
    return [...this.#peers.keys()];
  }

  get isComplete(): boolean {
    return this.#pieces().every((piece) => !this.#isLacking(piece));
  }

  join(share: number): PeerKey {
    const sender = this.#nextSender;
    this.#nextSender += 1;
    const key = this.picker.peerJoined(sender);
    assert.ok(!this.#peers.has(key), "a key in use is not given to another");
    const pieces = new Set(this.#pieces().filter(() => this.#random.below(100) < share));
    this.#peers.set(key, { pieces, sender, asked: new Map() });
    const bitfield = new Bitfield(this.#geometry.pieceCount);
    for (const piece of pieces) bitfield.add(piece);
    this.picker.peerHas(key, bitfield);
    return key;
  }

  leave(key: PeerKey): void {
    this.picker.peerGone(key);
    this.#peers.delete(key);
  }

  gain(key: PeerKey, piece: number): void {
    const { pieces } = this.#peers.get(key)!;
    assert.equal(this.picker.peerHave(key, piece), !pieces.has(piece));
    pieces.add(piece);
  }

  lose(key: PeerKey, piece: number): void {
    this.picker.peerDontHave(key, piece);
    this.#peers.get(key)!.pieces.delete(piece);
  }

  choke(key: PeerKey): void {
    this.picker.release(key);
    this.#peers.get(key)!.asked.clear();
  }

  snub(key: PeerKey): void {
    this.picker.snub(key);
    const { asked } = this.#peers.get(key)!;
    for (const block of asked.keys()) asked.set(block, true);
  }

  pick(key: PeerKey, blocksMax: number, hasMemory: boolean): number {
    const peer = this.#peers.get(key)!;
    const opened = new Set<number>();
    const options = {
      canStart: (piece: number) => {
        const awake = this.#received.has(piece) && !this.#parked.has(piece);
        assert.ok(!awake, `piece ${piece} has memory`);
        if (hasMemory) opened.add(piece);
        return hasMemory;
      },
      whole: this.#random.below(2) === 0,
      snubbed: this.#random.below(8) === 0,
      soonBlocks: 0,
      silent: this.#random.below(8) === 0,
      choked: false,
    };
    const count = this.picker.pick(key, blocksMax, this.#out, options);
    assert.ok(count <= blocksMax);
    for (const piece of opened) {
      this.#parked.delete(piece);
      if (!this.#received.has(piece)) this.#received.set(piece, new Set());
    }
    this.#syncReceived();
    this.#syncAsked();
    for (let i = 0; i < count; i += 1) {
      this.#checkPicked(peer, this.#out.pieces[i]!, this.#out.blocks[i]!);
    }
    return count;
  }

  #checkPicked(peer: ModelPeer, piece: number, block: number): void {
    const name = `${piece}:${block}`;
    assert.ok(peer.pieces.has(piece), `the peer has piece ${piece}`);
    assert.ok(this.#isLacking(piece), `piece ${piece} is lacking`);
    assert.ok(this.#received.has(piece) && !this.#parked.has(piece), `piece ${piece} has memory`);
    assert.ok(block >= 0 && block < this.#geometry.blockCount(piece));
    assert.ok(!this.#received.get(piece)!.has(block), "a block that we have is not asked for");
    assert.ok(!peer.asked.has(name), "the same peer is never asked twice");
    const others = [...this.#peers].filter(([, other]) => other.asked.get(name) === false);
    if (others.length > 0) {
      assert.equal(others.length, 1, "at most one extra peer is asked");
      this.#checkEndGame();
      this.endGamePicks += 1;
    }
    peer.asked.set(name, false);
    if (this.picker.urgent.deadlines.includes(piece)) this.urgentPicks += 1;
  }

  /** A reader starts at a piece, or stops. */
  read(piece: number): void {
    const { deadlines } = this.picker.urgent;
    const reader = this.#random.below(4);
    const end = Math.min(this.#geometry.pieceCount, piece + this.#random.below(20));
    if (end === piece) deadlines.clear(reader);
    else
      deadlines.set(
        reader,
        { first: piece, end, dueMs: this.#random.below(100), msPerPiece: 5 },
        50,
      );
  }

  /** A cancel was sent to the peer, or it is silent: others may be asked, and it may still send the block. */
  giveBack(key: PeerKey): void {
    const { asked } = this.#peers.get(key)!;
    const outcome = this.#random.below(2) === 0 ? "answered" : "forgotten";
    for (const name of asked.keys()) {
      const [piece, block] = name.split(":").map(Number) as [number, number];
      this.picker.urgent.giveBack(key, piece, block, outcome);
      assert.equal(this.picker.owes(key, piece, block), outcome === "answered");
      if (outcome === "answered") asked.set(name, true);
      else asked.delete(name);
      return;
    }
  }

  /** Duplicates are requested only when nothing else is left to ask any peer for. */
  #checkEndGame(): void {
    const holders = [...this.#peers.values()];
    for (const piece of this.#pieces()) {
      if (!this.#isLacking(piece) || !holders.some((peer) => peer.pieces.has(piece))) continue;
      assert.ok(
        this.#received.has(piece) || this.#failed.has(piece),
        `piece ${piece} is not opened`,
      );
    }
  }

  /** The peer delivers one of the blocks it was asked for. */
  deliver(key: PeerKey, options: { honest: boolean }): void {
    const peer = this.#peers.get(key)!;
    const names = [...peer.asked.keys()];
    if (names.length === 0) return;
    const name = names[this.#random.below(names.length)]!;
    const [piece, block] = name.split(":").map(Number) as [number, number];
    const expected = this.#received.get(piece);
    const welcome = this.picker.begin(key, piece, block);
    const receipt = this.picker.received(key, piece, block);
    peer.asked.delete(name);
    if (!welcome) {
      assert.notEqual(receipt.kind, "accepted");
      return;
    }
    assert.equal(receipt.kind, "accepted");
    assert.ok(expected && !expected.has(block), "a block is accepted once");
    expected.add(block);
    const others = [...this.#peers].filter(([, other]) => other.asked.has(name));
    assert.equal(receipt.alsoAsked, others[0]?.[0], "the other peer that was asked is named");
    for (const [, other] of others) other.asked.delete(name);
    assert.equal(receipt.pieceComplete, expected.size === this.#geometry.blockCount(piece));
    if (receipt.pieceComplete) this.#judge(piece, options.honest);
  }

  reject(key: PeerKey): void {
    const { asked } = this.#peers.get(key)!;
    for (const name of asked.keys()) {
      const [piece, block] = name.split(":").map(Number) as [number, number];
      this.picker.rejected(key, piece, block);
      asked.delete(name);
      return;
    }
  }

  park(): void {
    for (const piece of this.picker.idlePieces()) {
      const received = this.#received.get(piece)!;
      assert.ok(!this.#parked.has(piece));
      this.picker.park(piece);
      for (const peer of this.#peers.values()) this.#dropAsked(peer, piece);
      if (received.size === 0) this.#received.delete(piece);
      else this.#parked.add(piece);
    }
  }

  setPriorities(): void {
    for (const piece of this.#pieces()) this.#priorities[piece] = this.#random.below(8);
    this.picker.setPriorities(this.#priorities);
  }

  setPriority(): void {
    const piece = this.#random.below(this.#priorities.length);
    this.#priorities[piece] = this.#random.below(8);
    this.picker.setPriority(piece, this.#priorities[piece]);
  }

  wantAll(): void {
    this.#priorities.fill(4);
    this.picker.setPriorities(this.#priorities);
  }

  damage(): void {
    for (const piece of this.#have) {
      this.#have.delete(piece);
      this.picker.lost(piece);
      return;
    }
  }

  /** Compares every count of the picker with an enumeration. */
  check(): void {
    this.#syncReceived();
    this.#syncAsked();
    const lacking = this.#pieces().filter((piece) => this.#isLacking(piece));
    assert.equal(this.picker.missingCount, lacking.length);
    assert.equal(this.picker.complete, lacking.length === 0);
    assert.equal(this.picker.haveCount, this.#have.size);
    let rarest = Number.POSITIVE_INFINITY;
    for (const piece of this.#pieces()) {
      const holders = [...this.#peers.values()].filter((peer) => peer.pieces.has(piece)).length;
      assert.equal(this.picker.copies(piece), holders, `copies of piece ${piece}`);
      rarest = Math.min(rarest, holders);
      this.#checkState(piece);
    }
    assert.equal(this.picker.rarestCopies(), rarest);
    for (const [key, peer] of this.#peers) {
      const interesting = lacking.some((piece) => peer.pieces.has(piece));
      assert.equal(this.picker.isInteresting(key), interesting, `interest in peer ${key}`);
      assert.equal(this.picker.outstanding(key), peer.asked.size, `blocks peer ${key} owes us`);
    }
  }

  #checkState(piece: number): void {
    const state = this.picker.state(piece);
    if (this.#have.has(piece)) assert.equal(state, "have");
    else if (this.#received.has(piece)) assert.equal(state, "started");
    else assert.equal(state, this.#priorities[piece] === 0 ? "unwanted" : "wanted");
  }

  /** A piece that starts over with one peer forgets its blocks. */
  #syncReceived(): void {
    for (const [piece, received] of this.#received) {
      if (this.picker.receivedCount(piece) === received.size) continue;
      assert.equal(this.picker.receivedCount(piece), 0);
      received.clear();
    }
  }

  /** It also forgets which peers were asked for them. */
  #syncAsked(): void {
    for (const [key, peer] of this.#peers) {
      for (const [name, late] of peer.asked) {
        const [piece, block] = name.split(":").map(Number) as [number, number];
        if (this.picker.owes(key, piece, block)) continue;
        // Or the piece, strict because it was corrupt, moved from a stranger to a proven peer.
        assert.ok(late || this.#failed.size > 0, `peer ${key} was asked for ${name}`);
        peer.asked.delete(name);
      }
    }
  }

  #judge(piece: number, intact: boolean): void {
    assert.equal(this.picker.state(piece), "received");
    this.picker.verdict(piece, intact);
    this.#received.delete(piece);
    if (intact) this.#have.add(piece);
    else this.#failed.add(piece);
  }

  #dropAsked(peer: ModelPeer, piece: number): void {
    for (const name of peer.asked.keys()) if (name.startsWith(`${piece}:`)) peer.asked.delete(name);
  }

  #isLacking(piece: number): boolean {
    return !this.#have.has(piece) && this.#priorities[piece] !== 0;
  }

  #pieces(): number[] {
    return Array.from({ length: this.#geometry.pieceCount }, (_, piece) => piece);
  }
}

const SEEDS = 80;
const STEPS = 250;

function swarmOf(seed: number): { model: PickerModel; pieceCount: number } {
  const random = seededRandom(seed);
  const pieceCount = 1 + random.below(70);
  const pieceLength = (1 + random.below(6)) * BLOCK_BYTES;
  const length = pieceCount * pieceLength - random.below(pieceLength - 1);
  const geometry = new Geometry({
    pieceLength,
    files: [{ offset: 0, length, pad: false }],
    aligned: false,
  });
  return { model: new PickerModel(geometry, random), pieceCount };
}

test("whatever peers and readers do, every count is exact and no block is asked twice outside the end game", () => {
  let endGamePicks = 0;
  let urgentPicks = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { model, pieceCount } = swarmOf(seed);
    const random = seededRandom(seed + 1_000_000);
    try {
      for (let step = 0; step < STEPS; step += 1) {
        disturb(model, random.below(40), random.below(pieceCount), random);
        model.check();
      }
      finish(model);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    endGamePicks += model.endGamePicks;
    urgentPicks += model.urgentPicks;
  }
  assert.ok(endGamePicks > 100, `the end game was reached (${endGamePicks})`);
  assert.ok(urgentPicks > 1_000, `somebody read (${urgentPicks})`);
});

function disturb(
  model: PickerModel,
  what: number,
  piece: number,
  random: ReturnType<typeof seededRandom>,
): void {
  const { peers } = model;
  const peer = peers[random.below(peers.length)];
  if (peer === undefined || (what === 0 && peers.length < 12)) {
    model.join([0, 30, 60, 99, 100][random.below(5)]!);
    return;
  }
  if (what === 1 && random.below(3) === 0) model.leave(peer);
  else if (what === 2 || what === 3) model.gain(peer, piece);
  else if (what === 4) model.lose(peer, piece);
  else if (what === 5) model.choke(peer);
  else if (what === 6) model.snub(peer);
  else if (what === 7) model.reject(peer);
  else if (what === 8) model.park();
  else if (what === 9 && random.below(4) === 0) model.setPriorities();
  else if (what === 9) model.setPriority();
  else if (what === 10) model.damage();
  else if (what === 11) model.read(piece);
  else if (what === 12) model.giveBack(peer);
  else if (what === 13 && random.below(4) === 0) model.picker.setSequential(random.below(2) === 0);
  else if (what < 25) model.pick(peer, 1 + random.below(12), random.below(6) > 0);
  else model.deliver(peer, { honest: random.below(8) > 0 });
}

/** In any state, an honest peer that has everything completes the rest in a bounded number of steps. */
function finish(model: PickerModel): void {
  model.wantAll();
  model.read(0);
  for (const peer of model.peers) {
    model.snub(peer);
    model.choke(peer);
  }
  const seed = model.join(100);
  for (let step = 0; step < 2_000 && !model.isComplete; step += 1) {
    model.pick(seed, 8, true);
    model.deliver(seed, { honest: true });
    model.check();
  }
  assert.ok(model.isComplete, "the seed provided the rest");
}
