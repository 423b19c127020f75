import assert from "node:assert/strict";
import { test } from "node:test";
import { sharesOfOne } from "../sharing/shares-fixture.ts";
import { Bitfield } from "../../base/bitfield.ts";
import { Geometry } from "../../base/geometry.ts";
import type {
  ByteStore,
  DiskOutcome,
  PieceFrames,
  PieceJudge,
  PieceVerdict,
  ReadRun,
  Slab,
} from "../../ports/content.ts";
import type { UploadPeer } from "./upload-peer.ts";
import { Uploader } from "./uploader.ts";

const PIECE = 65_536;
const BLOCK = 16_384;
const FAILURE = { kind: "failure", code: "EIO", message: "it broke", path: "/x" } as const;

class World {
  now = 1_000_000;
  hungry = 0;
  readonly verifies: {
    piece: number;
    frames: PieceFrames | undefined;
    end: (verdict: PieceVerdict) => void;
  }[] = [];
  readonly reads: { runs: readonly ReadRun[]; end: (outcome: DiskOutcome) => void }[] = [];
  readonly corrupt: number[] = [];
  readonly failures: string[] = [];
  readonly have = new Bitfield(4);
  readonly judged = new Bitfield(4);
  readonly rejected: number[] = [];
  slabsLeft = 10;
  sentBytes = 0;
  /** Payload bytes, summed up from the outputs. */
  toldBytes = 0;
  readonly judgedForReaders: number[] = [];
  readonly leaving: (() => void)[] = [];
  badRequests = 0;
  readonly uploader: Uploader;
  readonly peer: UploadPeer;
  amChoking = false;

  constructor(bytesPerSecond = 0) {
    this.have.fill();
    const content = {
      verify: (
        piece: number,
        { frames }: { frames?: PieceFrames },
        end: (verdict: PieceVerdict) => void,
      ) => this.verifies.push({ piece, frames, end: this.#burst(end) }),
      read: (_slab: Slab, runs: readonly ReadRun[], end: (outcome: DiskOutcome) => void) =>
        this.reads.push({ runs, end: this.#burst(end) }),
    } as unknown as ByteStore & PieceJudge;
    const files = [{ offset: 0, length: 4 * PIECE, pad: false }];
    const shares = sharesOfOne({
      upBytesPerSecond: bytesPerSecond,
      onWaiting: () => (this.hungry += 1),
    });
    this.uploader = new Uploader({
      geometry: new Geometry({ pieceLength: PIECE, files, aligned: false }),
      bytes: content,
      judge: content,
      slabs: {
        limitBytes: 64 * 1024 * 1024,
        lentBytes: 0,
        take: (bytes) => {
          if (this.slabsLeft === 0) return undefined;
          this.slabsLeft -= 1;
          return { view: new Uint8Array(bytes) };
        },
        give: () => (this.slabsLeft += 1),
      },
      limit: shares.up,
      memory: shares.send,
      requestQueueMax: 4,
      have: this.have,
      judged: this.judged,
      clock: { nowMs: () => this.now },
    });
    this.peer = this.#joined();
  }

  ask(piece: number, begin = 0, length = BLOCK): void {
    this.uploader.handleRequest(this.peer, piece, begin, length);
    this.settle();
  }

  /** A burst of events is over. */
  settle(): void {
    this.uploader.settle();
    for (let next = this.uploader.nextOutput(); next; next = this.uploader.nextOutput()) {
      if (next.kind === "corrupt") this.corrupt.push(next.piece);
      else if (next.kind === "refused") this.failures.push(next.failure.code);
      else if (next.kind === "judged") this.judgedForReaders.push(next.piece);
      else this.toldBytes += next.bytes;
    }
  }

  #burst<T>(end: (outcome: T) => void): (outcome: T) => void {
    return (outcome) => {
      end(outcome);
      this.settle();
    };
  }

  choke(): void {
    this.amChoking = true;
    this.uploader.handleChoked(this.peer);
  }

  #joined(): UploadPeer {
    const isChoking = (): boolean => this.amChoking;
    return this.uploader.join({
      isOpen: true,
      fast: true,
      get amChoking() {
        return isChoking();
      },
      sendReject: (piece) => this.rejected.push(piece),
      countBadRequest: () => (this.badRequests += 1),
      close: () => assert.fail("no peer is closed"),
      out: {
        bufferedBytes: 0,
        takenLately: () => 0,
        allowedFast: () => undefined,
        frame: () => undefined,
        blocks: (messages, onLeft) => {
          this.sentBytes += messages.length;
          this.leaving.push(onLeft);
        },
      },
    });
  }
}

const bad: readonly [string, number, number, number][] = [
  ["of a piece we lack", 3, 0, BLOCK],
  ["of nothing", 0, 0, 0],
  ["past the piece", 0, PIECE - 1, 2],
  ["too long", 0, 0, 131_073],
  ["that wraps around", 0, 2 ** 32 - 1, BLOCK],
];
for (const [name, ...address] of bad) {
  test(`WIR-5: a request ${name} is rejected and counted, nothing is read`, () => {
    const world = new World();
    world.have.delete(3);
    world.ask(...address);
    assert.deepEqual([world.rejected.length, world.badRequests], [1, 1]);
    assert.equal(world.reads.length + world.verifies.length, 0);
  });
}

test("a choked peer's request is rejected; a request that crossed our choke does not count as a fault", () => {
  const world = new World();
  world.choke();
  world.now += 1_000;
  world.ask(0);
  assert.deepEqual([world.rejected, world.badRequests], [[0], 0]);
  world.now += 60_000;
  world.ask(0);
  assert.deepEqual([world.rejected, world.badRequests], [[0, 0], 1]);
});

test("WIR-14: a piece is judged before its first byte is served, once for all peers that wait", () => {
  const world = new World();
  world.ask(1);
  world.ask(1, BLOCK);
  assert.deepEqual([world.verifies.length, world.reads.length], [1, 0]);
  world.verifies[0]!.end({ kind: "intact" });
  assert.deepEqual([world.sentBytes, world.toldBytes], [2 * (BLOCK + 13), 2 * BLOCK]);
  world.ask(1);
  assert.equal(world.verifies.length, 1);
});

test("a piece is served from the memory it was judged in, as long as peers request it", () => {
  const world = new World();
  world.ask(1);
  const { frames, end } = world.verifies[0]!;
  assert.equal(frames!.headBytes, 13);
  end({ kind: "intact" });
  assert.deepEqual(
    [...frames!.slab.view.subarray(0, 13)],
    [0, 0, 64, 9, 7, 0, 0, 0, 1, 0, 0, 0, 0],
  );
  world.ask(1, BLOCK);
  world.ask(1, 2 * BLOCK);
  assert.deepEqual([world.sentBytes, world.reads.length], [3 * (BLOCK + 13), 0]);

  // A request that is not one whole block has no message there: it is read from disk.
  world.ask(1, 0, BLOCK / 2);
  world.ask(1, BLOCK / 2, BLOCK);
  assert.deepEqual(
    world.reads.map(({ runs }) => runs.map(({ begin, length }) => [begin, length])),
    [[[0, BLOCK / 2]], [[BLOCK / 2, BLOCK]]],
  );
  for (const read of world.reads) read.end({ kind: "done" });
  assert.equal(world.slabsLeft, 7);

  world.now += 5_000;
  world.uploader.tick(world.now);
  assert.equal(world.slabsLeft, 7, "one is on its way to the socket");
  for (const left of world.leaving.splice(0)) left();
  assert.equal(world.slabsLeft, 10);
  world.ask(1);
  assert.equal(world.reads.length, 3);
});

test("memory of kept pieces is freed for requested ones, and all of it is returned at the end", () => {
  const world = new World();
  world.slabsLeft = 1;
  world.ask(0);
  world.verifies[0]!.end({ kind: "intact" });
  for (const left of world.leaving.splice(0)) left();
  assert.equal(world.slabsLeft, 0);
  world.judged.add(2);
  world.ask(2);
  assert.equal(world.reads.length, 1);
  world.reads[0]!.end({ kind: "done" });
  for (const left of world.leaving.splice(0)) left();

  world.ask(1);
  world.uploader.close();
  world.verifies[1]!.end({ kind: "intact" });
  assert.equal(world.reads.length, 2);
  world.reads[1]!.end({ kind: "done" });
  for (const left of world.leaving.splice(0)) left();
  assert.equal(world.slabsLeft, 1);
});

test("STO-6: a piece that is judged again is not served from its kept copy", () => {
  const world = new World();
  world.ask(1);
  world.verifies[0]!.end({ kind: "intact" });
  world.judged.delete(1);
  world.ask(1);
  assert.deepEqual([world.verifies.length, world.sentBytes], [2, BLOCK + 13]);
  world.verifies[1]!.end({ kind: "corrupt", fault: "v1" });
  assert.deepEqual([world.corrupt, world.sentBytes], [[1], BLOCK + 13]);
  for (const left of world.leaving.splice(0)) left();
  assert.equal(world.slabsLeft, 10);
});

test("STO-6: a piece that changed while it was judged is judged once more before it is served", () => {
  const world = new World();
  world.ask(1);
  world.uploader.doubt(1);
  world.verifies[0]!.end({ kind: "intact" });
  assert.deepEqual([world.sentBytes, world.verifies.length, world.judged.has(1)], [0, 2, false]);
  world.uploader.doubtAll();
  world.verifies[1]!.end({ kind: "corrupt", fault: "v1" });
  assert.deepEqual([world.corrupt, world.rejected], [[1], [1]]);
  world.ask(2);
  world.verifies[2]!.end({ kind: "intact" });
  assert.equal(world.sentBytes, BLOCK + 13);
  for (const left of world.leaving.splice(0)) left();
});

test("WIR-14: a corrupt piece is reported, and every request for it is rejected", () => {
  const world = new World();
  world.ask(1);
  world.ask(1, BLOCK);
  world.verifies[0]!.end({ kind: "corrupt", fault: "v1" });
  assert.deepEqual([world.corrupt, world.rejected, world.reads.length], [[1], [1, 1], 0]);
  assert.equal(world.peer.queue.count, 0);
});

test("a piece that was lost while it was judged is not judged again and again", () => {
  const world = new World();
  world.ask(1);
  world.have.delete(1);
  world.verifies[0]!.end({ kind: "intact" });
  assert.deepEqual([world.verifies.length, world.rejected], [1, [1]]);
});

test("STO-5: a failed read is rejected and reported, and leaks no memory", () => {
  const world = new World();
  world.judged.fill();
  world.ask(0);
  world.reads[0]!.end(FAILURE);
  assert.deepEqual([world.failures, world.rejected], [["EIO"], [0]]);
  assert.equal(world.slabsLeft, 10);
  assert.equal(world.sentBytes, 0);
});

test("WIR-6: requests beyond the queue are rejected; without memory or rate they wait", () => {
  const world = new World();
  world.judged.fill();
  world.slabsLeft = 0;
  for (let i = 0; i < 6; i += 1) world.ask(0, i * 1024, 1024);
  assert.equal(world.rejected.length, 2);
  assert.ok(world.hungry > 0);
  assert.equal(world.reads.length, 0);
  world.slabsLeft = 10;
  world.uploader.handleTaken(world.peer);
  world.settle();
  assert.equal(world.reads[0]!.runs.length, 4);

  const limited = new World(1_000);
  limited.judged.fill();
  limited.ask(0);
  limited.ask(0, BLOCK);
  assert.equal(limited.reads.length, 1);
  assert.equal(limited.hungry, 1);
});

test("a cancel removes a request, and is answered by a reject (BEP 6)", () => {
  const world = new World();
  world.ask(1);
  world.uploader.handleCancel(world.peer, 1, 0, BLOCK);
  world.uploader.handleCancel(world.peer, 1, 0, BLOCK);
  assert.deepEqual(world.rejected, [1]);
  world.ask(2);
  world.choke();
  assert.deepEqual(world.rejected, [1, 2]);
});
