import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import type { PieceVerdict } from "../../ports/content.ts";
import { seededRandom } from "../../sim/seeded-random.ts";
import { SimSlabs } from "../../sim/sim-slabs.ts";
import { sharesOfOne } from "../sharing/shares-fixture.ts";
import type { BlockSource } from "./block-source.ts";
import type { DownloadPeer } from "./download-peer.ts";
import { Downloader } from "./downloader.ts";
import { RequestWindow } from "./request-window.ts";

const PIECE_BLOCKS = 4;
const PIECE_BYTES = PIECE_BLOCKS * BLOCK_BYTES;
const PIECES = 200;

/** A downloader of two files of a hundred pieces each, whose peers send what the test tells them. */
class World {
  now = 1_000;
  readonly have = new Bitfield(PIECES);
  readonly slabs = new SimSlabs(PIECES * PIECE_BYTES);
  readonly downloader: Downloader;
  readonly peers: Source[] = [];
  /** Outcomes of the disk, and answers of peers. */
  readonly #owed: (() => void)[] = [];

  constructor() {
    const length = (PIECES / 2) * PIECE_BYTES;
    const shares = sharesOfOne({ onWaiting: () => assert.fail("there is enough for everybody") });
    const intact: PieceVerdict = { kind: "intact" };
    this.downloader = new Downloader({
      geometry: new Geometry({
        pieceLength: PIECE_BYTES,
        files: [
          { offset: 0, length, pad: false },
          { offset: length, length, pad: false },
        ],
        aligned: false,
      }),
      bytes: {
        write: (_piece, _run, _source, onDone) => {
          this.#owed.push(() => onDone({ kind: "done" }));
        },
      },
      judge: {
        store: (_piece, _slab, _options, onDone) => {
          this.#owed.push(() => onDone(intact));
        },
        verify: () => assert.fail("there is memory enough"),
      },
      slabs: this.slabs,
      random: seededRandom(1),
      have: this.have,
      judged: new Bitfield(PIECES),
      hashes: { complete: true, known: () => true, isTwofold: () => false },
      limit: shares.down,
      memory: shares.receive,
      requestQueueMax: 500,
      clock: { nowMs: () => this.now },
    });
  }

  /** A seed that unchokes us. */
  peer(cancels: "answered" | "forgotten" = "answered"): Source {
    const peer = new Source(this, `10.0.0.${this.peers.length}`, cancels);
    this.peers.push(peer);
    return peer;
  }

  read(reader: number, first: number, end: number): void {
    const { urgent } = this.downloader;
    urgent.open(reader, { first, end });
    urgent.setSpan(reader, { first, end, dueMs: this.now, msPerPiece: 100 }, this.now);
  }

  tick(ms: number): void {
    this.now += ms;
    this.downloader.tick(this.now);
    this.pay();
  }

  /** Does something and ends the burst. */
  owe(outcome: () => void): void {
    this.#owed.push(outcome);
  }

  /** The disk has done its jobs, and peers have answered cancels. */
  pay(): void {
    for (let next = this.#owed.shift(); next; next = this.#owed.shift()) next();
    this.downloader.settle();
  }
}

class Source implements BlockSource {
  readonly sender: string;
  readonly isOpen = true;
  readonly window = new RequestWindow(500);
  readonly runBlocksMax = 1;
  lastReceivedAtMs: number;
  /** Requested and not sent, oldest first. */
  readonly asked: { readonly piece: number; readonly block: number }[] = [];
  cancelled = 0;
  readonly #world: World;
  readonly #cancels: "answered" | "forgotten";
  readonly peer: DownloadPeer;

  constructor(world: World, sender: string, cancels: "answered" | "forgotten") {
    this.#world = world;
    this.sender = sender;
    this.#cancels = cancels;
    this.lastReceivedAtMs = world.now;
    const pieces = new Bitfield(PIECES);
    pieces.fill();
    this.peer = world.downloader.join(this, { pieces, isChoking: true, queueLimit: undefined });
    world.downloader.handleUnchoked(this.peer);
  }

  request(piece: number, block: number): void {
    this.asked.push({ piece, block });
  }

  cancel(piece: number, block: number): "answered" | "forgotten" {
    const at = this.asked.findIndex((each) => each.piece === piece && each.block === block);
    assert.notEqual(at, -1, "a cancelled block was requested before");
    this.asked.splice(at, 1);
    this.cancelled += 1;
    if (this.#cancels === "answered") {
      this.#world.owe(() => this.#world.downloader.handleRejected(this.peer, piece, block));
    }
    return this.#cancels;
  }

  setInterested(): void {}

  close(): void {
    assert.fail("no peer is closed");
  }

  /** Sends the oldest requested blocks. */
  send(count: number): void {
    const { downloader, now } = this.#world;
    this.lastReceivedAtMs = now;
    for (let i = 0; i < count; i += 1) {
      const { piece, block } = this.asked.shift()!;
      assert.ok(downloader.beginBlock(this.peer, piece, block, BLOCK_BYTES));
      downloader.countBlock(this.peer, BLOCK_BYTES, now);
      downloader.endBlock(this.peer);
      this.#world.pay();
    }
  }

  askedOf(first: number, end: number): number {
    return this.asked.filter(({ piece }) => piece >= first && piece < end).length;
  }
}

/** The peer sends at a steady rate for a while, so that we request three seconds ahead. */
function runFor(world: World, peer: Source, seconds: number, blocksPerSecond: number): void {
  for (let i = 0; i < seconds * 2; i += 1) {
    world.tick(500);
    peer.send(blocksPerSecond / 2);
  }
}

test("when a reader starts, requests far ahead are taken back, once", () => {
  const world = new World();
  const peer = world.peer();
  runFor(world, peer, 15, 20);
  assert.ok(peer.peer.owed > 40, `${peer.peer.owed}`);
  world.read(0, 150, 160);
  assert.ok(peer.asked.length <= 25, `${peer.asked.length} are still asked for`);
  assert.ok(peer.cancelled > 20, `${peer.cancelled}`);
  world.downloader.urgent.close(0);
  const { cancelled } = peer;
  world.read(1, 160, 170);
  assert.equal(peer.cancelled, cancelled, "the next reader comes soon after");
});

test("from a peer with a long round trip we request further ahead, even with readers", () => {
  const world = new World();
  const peer = world.peer();
  runFor(world, peer, 15, 20);
  peer.peer.roundTripMs = 1_200;
  world.read(0, 150, 160);
  assert.ok(peer.asked.length > 40 && peer.asked.length <= 60, `${peer.asked.length}`);
});

test("pieces that a reader needs are requested from every peer that has room", () => {
  const world = new World();
  const peers = [world.peer(), world.peer(), world.peer()];
  for (const peer of peers) peer.send(peer.asked.length);
  world.read(0, 150, 152);
  for (let round = 0; round < 3; round += 1) {
    for (const peer of peers) peer.send(peer.asked.length);
  }
  assert.ok(world.have.has(150) && world.have.has(151));
});

for (const cancels of ["answered", "forgotten"] as const) {
  test(`a reader that goes away frees its requests (cancels are ${cancels})`, () => {
    const world = new World();
    world.downloader.setWantedFiles([true, false]);
    const peer = world.peer(cancels);
    runFor(world, peer, 5, 20);
    world.read(0, 150, 160);
    peer.send(10);
    world.tick(500);
    peer.send(10);
    world.tick(500);
    assert.ok(peer.askedOf(150, 160) > 0);
    assert.equal(world.downloader.complete, false);
    world.downloader.urgent.close(0);
    assert.equal(peer.askedOf(100, 200), 0);
    const { lentBytes } = world.slabs;
    world.pay();
    assert.equal(peer.peer.owed, peer.asked.length);
    assert.ok(world.slabs.lentBytes <= lentBytes);
    const had = world.have.count;
    world.tick(500);
    while (peer.asked.length > 0) {
      peer.send(1);
      world.tick(20);
    }
    assert.ok(world.have.count > had);
    assert.ok(world.downloader.complete, "no piece of the other file is wanted");
    assert.equal(world.slabs.lentBytes, 0, "no memory is held for it either");
  });
}

test("a block that is arriving for a reader that goes away is not cancelled, and is kept", () => {
  const world = new World();
  const peer = world.peer();
  peer.send(peer.asked.length);
  world.read(0, 150, 152);
  for (let i = 0; i < 100 && peer.askedOf(150, 152) === 0; i += 1) peer.send(1);
  while (peer.asked[0]!.piece < 150) peer.send(1);
  const { piece, block } = peer.asked[0]!;
  assert.ok(world.downloader.beginBlock(peer.peer, piece, block, BLOCK_BYTES));
  world.downloader.urgent.close(0);
  assert.deepEqual(peer.asked[0], { piece, block });
  world.downloader.endBlock(peer.peer);
});

/** Two peers that owe us blocks of three pieces that are needed soon. */
function twoAsked(): { world: World; first: Source; second: Source } {
  const world = new World();
  const [first, second] = [world.peer(), world.peer()];
  for (const peer of [first, second]) peer.send(peer.asked.length);
  world.read(0, 150, 153);
  for (const peer of [first, second]) while (peer.askedOf(150, 153) === 0) peer.send(1);
  return { world, first, second };
}

function isRead({ have }: World): boolean {
  return [150, 151, 152].every((piece) => have.has(piece));
}

test("after two seconds another peer is asked for what a silent peer owes a reader, and it gets no more of it", () => {
  const { world, first: silent, second: good } = twoAsked();
  const owed = silent.asked.filter(({ piece }) => piece >= 150 && piece < 153);
  const isAskedTwice = (): boolean =>
    owed.some(({ piece, block }) =>
      good.asked.some((each) => each.piece === piece && each.block === block),
    );
  for (let i = 0; i < 3; i += 1) {
    world.tick(500);
    good.send(good.asked.length);
    assert.ok(!isAskedTwice(), "a second and a half is not long");
  }
  assert.ok(!isRead(world));
  for (let i = 0; i < 20 && !isRead(world); i += 1) {
    world.tick(500);
    good.send(good.asked.length);
  }
  assert.ok(isRead(world));
  assert.ok(world.now < 8_000, `${world.now} ms`);
  const { peer } = silent;
  assert.ok(peer.isSilent);
  world.read(1, 160, 170);
  const before = silent.askedOf(160, 170);
  for (let i = 0; i < 10; i += 1) world.tick(500);
  assert.equal(silent.askedOf(160, 170), before);
});

test("a block that still comes from a silent peer is accepted", () => {
  const { world, first: silent } = twoAsked();
  for (let i = 0; i < 5; i += 1) world.tick(500);
  assert.ok(silent.peer.isSilent);
  silent.send(silent.asked.length);
  assert.ok(!silent.peer.isSilent);
});

test("no block is requested twice from peers that are slow but not silent", () => {
  const { world, first: slow, second: good } = twoAsked();
  const { piece, block } = slow.asked.shift()!;
  assert.ok(world.downloader.beginBlock(slow.peer, piece, block, BLOCK_BYTES));
  for (let i = 0; i < 20; i += 1) {
    slow.lastReceivedAtMs = world.now + 500;
    world.tick(500);
    good.send(1);
    for (const owed of slow.asked) {
      const isTwice = good.asked.some(
        (each) => each.piece === owed.piece && each.block === owed.block,
      );
      assert.ok(!isTwice, `${owed.piece}:${owed.block}`);
    }
  }
});
