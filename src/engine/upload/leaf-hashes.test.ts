import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { readUint32 } from "../../base/bytes.ts";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import { finish } from "../../base/work.ts";
import { padHash, treeWidth, verifyHashes } from "../../metainfo/merkle.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import { ROOT_SEED_BYTES, RootTable } from "../../metainfo/root-table.ts";
import { pieceHashesV2 } from "../../metainfo/piece-layers.ts";
import type { ByteStore, DiskOutcome } from "../../ports/content.ts";
import { makeSimTorrent, type SimTorrent } from "../../sim/sim-torrent.ts";
import { decodeHashes } from "../../wire/hash-transfer.ts";
import { MESSAGE } from "../../wire/message-id.ts";
import type { HashRange } from "../../wire/wire-sink.ts";
import { LeafHashes } from "./leaf-hashes.ts";
import type { UploadPeer } from "./upload-peer.ts";
import { seededRandom } from "../../sim/seeded-random.ts";

const PIECE = 4 * BLOCK_BYTES;

class World {
  readonly made: SimTorrent;
  readonly info: TorrentInfo;
  readonly have: Bitfield;
  readonly bytes: Uint8Array;
  readonly leaves: LeafHashes;
  /** Reads that wait for their turn. */
  readonly reads: (() => void)[] = [];
  readonly frames: Uint8Array[] = [];
  readonly peer: UploadPeer;
  failure: DiskOutcome | undefined;
  lent = 0;

  constructor(size: number, pieceLength = PIECE) {
    const random = seededRandom(size);
    this.made = makeSimTorrent({ random, name: "x", size, pieceLength, kind: "v2" });
    this.info = this.made.metainfo.info;
    this.bytes = this.made.bytes.slice();
    this.have = new Bitfield(this.info.geometry.pieceCount);
    this.have.fill();
    const read: ByteStore["read"] = (slab, [run], onDone) => {
      this.reads.push(() => {
        const at = run!.piece * pieceLength + run!.begin;
        slab.view.set(this.bytes.subarray(at, at + run!.length));
        onDone(this.failure ?? { kind: "done" });
      });
    };
    this.leaves = new LeafHashes({
      info: this.info,
      bytes: { read },
      slabs: {
        limitBytes: 1e9,
        lentBytes: 0,
        take: (bytes) => {
          this.lent += 1;
          return { view: new Uint8Array(bytes) };
        },
        give: () => (this.lent -= 1),
      },
      have: this.have,
      table: pieceHashesV2(this.info, this.made.metainfo.pieceLayers),
      roots: finish(RootTable.inSteps(this.info.files, random.bytes(ROOT_SEED_BYTES))),
      memory: { handleRoom: () => undefined },
    });
    const out = { frame: (bytes: Uint8Array) => this.frames.push(bytes) };
    this.peer = { isOpen: true, uploaded: 0, link: { out } } as unknown as UploadPeer;
  }

  range(facts: Partial<HashRange>): HashRange {
    const { piecesRoot } = this.info.files[0]!;
    return {
      piecesRoot: piecesRoot!,
      baseLayer: 0,
      index: 0,
      length: 2,
      proofLayers: 0,
      ...facts,
    };
  }

  run(): void {
    for (let read = this.reads.shift(); read; read = this.reads.shift()) read();
    assert.equal(this.lent, 0, "all memory was returned");
  }
}

for (const blocks of [2, 3, 4, 5, 8, 13, 21, 32]) {
  test(`BEP 52: every run of leaves of a file of ${blocks} blocks leads to its root`, () => {
    const world = new World(blocks * BLOCK_BYTES - 100);
    const layers = Math.log2(treeWidth(blocks));
    const root = world.info.files[0]!.piecesRoot!;
    for (let length = 2; length <= 2 ** layers; length *= 2) {
      for (let index = 0; index < blocks; index += length) {
        const range = world.range({ index, length, proofLayers: layers - 1 });
        assert.equal(world.leaves.handleRequest(world.peer, range), true);
        world.run();
        const frame = world.frames.pop()!;
        assert.equal(frame[4], MESSAGE.hashes, `${length} from ${index}`);
        const { hashes } = decodeHashes(frame, 5, readUint32(frame, 0) + 4);
        const known = (layer: number, at: number): Uint8Array | undefined =>
          layer === layers && at === 0 ? root : undefined;
        assert.ok(verifyHashes({ baseLayer: 0, index, length, hashes }, known), `${index}`);
        if (index + length > blocks) {
          assert.deepEqual(hashes.subarray((length - 1) * 32, length * 32), padHash(0));
        }
      }
    }
  });
}

const REFUSED: readonly [string, Partial<HashRange>][] = [
  ["of another file", { piecesRoot: new Uint8Array(32) }],
  ["past the end", { index: 8, length: 8 }],
  ["past the tree", { index: 0, length: 32 }],
  ["with proofs above the root", { proofLayers: 4 }],
  ["of another layer", { baseLayer: 1 }],
  ["of a piece we lack", { index: 4 }],
];
for (const [name, facts] of REFUSED) {
  test(`WIR-18: leaves ${name} are not served`, () => {
    const world = new World(8 * BLOCK_BYTES + (name === "past the tree" ? 1 : 0));
    world.have.delete(1);
    assert.equal(world.leaves.handleRequest(world.peer, world.range(facts)), false);
    assert.equal(world.reads.length, 0);
  });
}

test("leaves of damaged or unreadable blocks are rejected", () => {
  const world = new World(8 * BLOCK_BYTES);
  world.bytes[9]! ^= 1;
  world.leaves.handleRequest(world.peer, world.range({}));
  world.run();
  world.failure = { kind: "failure", code: "EIO", message: "it broke", path: "/x" };
  world.leaves.handleRequest(world.peer, world.range({ index: 4 }));
  world.run();
  assert.deepEqual(
    world.frames.map((frame) => frame[4]),
    [MESSAGE.hashReject, MESSAGE.hashReject],
  );
});

test("WIR-18: reads are done one at a time, few requests wait, and each peer's reads are bounded", () => {
  const world = new World(512 * BLOCK_BYTES, 256 * BLOCK_BYTES);
  let taken = 0;
  while (world.leaves.handleRequest(world.peer, world.range({}))) taken += 1;
  assert.ok(taken <= 17 && world.reads.length === 1, `${taken}`);
  world.run();
  let more = 0;
  while (world.leaves.handleRequest(world.peer, world.range({}))) {
    more += 1;
    world.run();
  }
  assert.ok((taken + more) * 4 <= 32, `${taken + more} times 4 MiB`);
  Object.assign(world.peer, { uploaded: 4 * 1024 * 1024 });
  assert.equal(world.leaves.handleRequest(world.peer, world.range({})), true, "it paid");
});
