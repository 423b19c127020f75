import assert from "node:assert/strict";
import { test } from "node:test";
import { readUint32, toHex } from "../../base/bytes.ts";
import { Geometry } from "../../base/geometry.ts";
import { sha256 } from "../../base/hash.ts";
import { finish } from "../../base/work.ts";
import { rootOfPieceLayer } from "../../metainfo/merkle.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import { seededRandom } from "../../sim/seeded-random.ts";
import { decodeHashes, decodeHashRange } from "../../wire/hash-transfer.ts";
import { MESSAGE } from "../../wire/message-id.ts";
import type { HashRange } from "../../wire/wire-sink.ts";
import { HashExchange } from "./hash-exchange.ts";
import type { Connection } from "../connection/connection.ts";

const PIECE = 16_384;
const PIECES = 5;
const LAYER = new Uint8Array(PIECES * 32);
for (let piece = 0; piece < PIECES; piece += 1) {
  LAYER.set(sha256(Uint8Array.of(piece)), piece * 32);
}
const LENGTH = PIECES * PIECE;
const ROOT = rootOfPieceLayer(LAYER, PIECE);

/** A v2 torrent of files that have, or claim, one root. */
function torrentOf(...lengths: readonly number[]): TorrentInfo {
  let offset = 0;
  const files = lengths.map((length, index) => {
    const file = {
      path: ["t", String(index)],
      offset,
      length,
      pad: false,
      executable: false,
      hidden: false,
      piecesRoot: ROOT,
    };
    offset += length;
    return file;
  });
  return {
    kind: "v2",
    infohashes: { v2: new Uint8Array(32) },
    infoBytes: new Uint8Array(0),
    name: "t",
    folder: true,
    geometry: new Geometry({ pieceLength: PIECE, files, aligned: true }),
    files,
    private: false,
  };
}

/** Two files with the same content. */
const INFO = torrentOf(LENGTH, LENGTH);

interface Asked {
  readonly peer: Connection;
  readonly ranges: HashRange[];
}

/** A peer that records what it is asked for. */
function v2Peer(): Asked {
  const ranges: HashRange[] = [];
  const out = { frame: (bytes: Uint8Array) => ranges.push(decodeHashRange(bytes, 5)) };
  return { peer: { isOpen: true, flags: { v2: true }, out } as unknown as Connection, ranges };
}

class World {
  nowMs = 0;
  readonly known: (readonly [first: number, end: number])[] = [];
  readonly liars: Connection[] = [];
  readonly exchange: HashExchange;

  constructor(layers: ReadonlyMap<string, Uint8Array> = new Map(), info: TorrentInfo = INFO) {
    const nowMs = () => this.nowMs;
    this.exchange = finish(HashExchange.inSteps({ info, layers, nowMs, random: seededRandom(1) }));
  }

  handleHashes(peer: Connection, range: HashRange, hashes: Uint8Array): void {
    const news = this.exchange.handleHashes(peer, range, hashes);
    if (news.kind === "known") {
      this.known.push(...news.runs.map(({ first, end }) => [first, end] as const));
    } else if (news.kind === "lie") {
      this.liars.push(peer);
    }
  }
}

/** The answer of a peer that has the layer. */
function answerTo(range: HashRange): Uint8Array {
  const whole = new World(new Map([[toHex(ROOT), LAYER]]));
  const frame = whole.exchange.answer(range);
  assert.equal(frame[4], MESSAGE.hashes);
  return decodeHashes(frame, 5, readUint32(frame, 0) + 4).hashes;
}

test("WIR-18: only requested hashes are accepted, and only from the peer that was asked", () => {
  const world = new World();
  const [one, two] = [v2Peer(), v2Peer()];
  world.exchange.requestFrom(one.peer);
  const [range] = one.ranges;
  assert.ok(range);
  const hashes = answerTo(range);
  world.handleHashes(two.peer, range, hashes);
  world.handleHashes(one.peer, { ...range, index: 8 }, hashes);
  world.handleHashes(one.peer, { ...range, piecesRoot: new Uint8Array(32) }, hashes);
  world.exchange.handleReject(two.peer, range);
  assert.deepEqual(world.known, []);
  assert.equal(world.exchange.complete, false);
  assert.deepEqual(world.liars, []);
});

test("WIR-18: hashes that do not lead to the root name their sender, and another peer is asked", () => {
  const world = new World();
  const [liar, honest] = [v2Peer(), v2Peer()];
  world.exchange.requestFrom(liar.peer);
  const [range] = liar.ranges;
  const hashes = answerTo(range!);
  hashes[40] = hashes[40]! ^ 1;
  world.handleHashes(liar.peer, range!, hashes);
  assert.deepEqual(world.liars, [liar.peer]);
  assert.equal(world.exchange.known(0), false);
  world.exchange.gone(liar.peer);
  world.exchange.tick([honest.peer]);
  assert.deepEqual(honest.ranges, [range]);
});

test("WIR-18: a peer that rejects is skipped for a while, even when it is first in turn", () => {
  const world = new World();
  const [first, second] = [v2Peer(), v2Peer()];
  world.exchange.tick([first.peer, second.peer]);
  assert.equal(first.ranges.length, 1);
  assert.equal(second.ranges.length, 0);
  world.exchange.handleReject(first.peer, first.ranges[0]!);
  world.exchange.tick([first.peer, second.peer]);
  assert.equal(first.ranges.length, 1);
  assert.equal(second.ranges.length, 1);
});

test("WIR-18: so is a peer that does not answer", () => {
  const world = new World();
  const [first, second] = [v2Peer(), v2Peer()];
  world.exchange.tick([first.peer, second.peer]);
  world.nowMs = 10_000;
  world.exchange.tick([first.peer, second.peer]);
  assert.equal(second.ranges.length, 1);
  world.nowMs = 40_000;
  world.exchange.tick([first.peer]);
  assert.equal(first.ranges.length, 2, "when no other peer is left it is asked again");
});

test("proven hashes serve every file with the same content", () => {
  const world = new World();
  const { peer, ranges } = v2Peer();
  assert.equal(world.exchange.known(0), false);
  world.exchange.requestFrom(peer);
  assert.equal(ranges.length, 1, "one layer for two files");
  world.handleHashes(peer, ranges[0]!, answerTo(ranges[0]!));
  assert.deepEqual(world.known, [
    [0, PIECES],
    [PIECES, 2 * PIECES],
  ]);
  assert.equal(world.exchange.complete, true);
  const table = world.exchange.table!;
  for (const first of [0, PIECES]) {
    assert.deepEqual(
      Buffer.from(table.subarray(first * 32, (first + PIECES) * 32)),
      Buffer.from(LAYER),
    );
  }
});

for (const [name, lengths, unknown] of [
  ["shorter", [LENGTH, 2 * PIECE], PIECES],
  ["longer", [LENGTH, LENGTH + PIECE], PIECES],
] as const) {
  test(`WIR-18: a ${name} file that claims the same root gets no hashes of the first`, () => {
    const world = new World(new Map(), torrentOf(...lengths));
    const { peer, ranges } = v2Peer();
    world.exchange.requestFrom(peer);
    assert.equal(ranges.length, 1);
    world.handleHashes(peer, ranges[0]!, answerTo(ranges[0]!));
    assert.deepEqual(world.known, [[0, PIECES]]);
    assert.ok(world.exchange.table!.subarray(unknown * 32).every((byte) => byte === 0));
  });
}

const refused: readonly [string, Partial<HashRange>][] = [
  ["of an unknown file", { piecesRoot: new Uint8Array(32) }],
  ["of another layer", { baseLayer: 3 }],
  ["past the tree", { index: 64 }],
];
for (const [name, change] of refused) {
  test(`WIR-18: a request ${name} is rejected`, () => {
    const world = new World(new Map([[toHex(ROOT), LAYER]]));
    const range = { piecesRoot: ROOT, baseLayer: 0, index: 0, length: 8, proofLayers: 0 };
    assert.equal(world.exchange.answer(range)[4], MESSAGE.hashes);
    assert.equal(world.exchange.answer({ ...range, ...change })[4], MESSAGE.hashReject);
  });
}

test("a peer that lacks the layer itself rejects", () => {
  const range = { piecesRoot: ROOT, baseLayer: 0, index: 0, length: 8, proofLayers: 0 };
  assert.equal(new World().exchange.answer(range)[4], MESSAGE.hashReject);
});
