import assert from "node:assert/strict";
import { test } from "node:test";
import { sharesOfOne } from "../sharing/shares-fixture.ts";
import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import { sha1 } from "../../base/hash.ts";
import type { PieceJudge, PieceVerdict, Slab } from "../../ports/content.ts";
import { seededRandom } from "../../sim/seeded-random.ts";
import { SimSlabs } from "../../sim/sim-slabs.ts";
import type { BlockSource } from "./block-source.ts";
import type { DownloadPeer } from "./download-peer.ts";
import { Downloader } from "./downloader.ts";
import { RequestWindow } from "./request-window.ts";

const PIECE_BLOCKS = 4;
const PIECE_BYTES = PIECE_BLOCKS * BLOCK_BYTES;

/** Pending outcomes for the machines: outcomes never arrive inside a call. */
class Turns {
  readonly #owed: (() => void)[] = [];

  owe(outcome: () => void): void {
    this.#owed.push(outcome);
  }

  /** To be called at the end of each turn. */
  readonly atEnd: (() => void)[] = [];

  run(): void {
    for (let left = 100_000; left > 0; left -= 1) {
      const next = this.#owed.shift();
      if (!next) return;
      next();
      for (const end of this.atEnd) end();
    }
    assert.fail("it never ends");
  }
}

/** Something to download, and a downloader for it. */
class Task {
  readonly bytes: Uint8Array;
  readonly geometry: Geometry;
  readonly have: Bitfield;
  readonly downloader: Downloader;
  readonly liars: string[] = [];
  readonly spoilers: string[] = [];
  onPiece: () => void = () => undefined;

  constructor(turns: Turns, pieces: number) {
    const random = seededRandom(pieces);
    this.bytes = Uint8Array.from({ length: pieces * PIECE_BYTES }, () => random.below(256));
    const files = [{ offset: 0, length: this.bytes.length, pad: false }];
    this.geometry = new Geometry({ pieceLength: PIECE_BYTES, files, aligned: false });
    this.have = new Bitfield(pieces);
    const shares = sharesOfOne({ onWaiting: () => assert.fail("there is enough for everybody") });
    this.downloader = new Downloader({
      geometry: this.geometry,
      bytes: { write: () => assert.fail("there is memory enough") },
      judge: this.#judgeIn(turns),
      slabs: new SimSlabs(64 * PIECE_BYTES),
      random,
      have: this.have,
      judged: new Bitfield(pieces),
      hashes: { complete: true, known: () => true, isTwofold: () => false },
      limit: shares.down,
      memory: shares.receive,
      requestQueueMax: 500,
      clock: { nowMs: () => 1 },
    });
    turns.atEnd.push(() => this.#settle());
  }

  /** A burst is over. */
  #settle(): void {
    const { downloader } = this;
    for (let next = downloader.nextOutput(); next; next = downloader.nextOutput()) {
      if (next.kind === "piece") this.onPiece();
      else if (next.kind === "liar") this.liars.push(next.sender);
      else if (next.kind === "spoiled") this.spoilers.push(next.sender);
      else assert.fail(next.kind);
    }
    downloader.settle();
  }

  block(piece: number, block: number): Uint8Array {
    const begin = piece * PIECE_BYTES + block * BLOCK_BYTES;
    return this.bytes.subarray(begin, begin + BLOCK_BYTES);
  }

  #judgeIn(turns: Turns): Pick<PieceJudge, "store" | "verify"> {
    return {
      store: (piece, slab, _options, onDone) => {
        const verdict = this.#judge(piece, slab);
        turns.owe(() => onDone(verdict));
      },
      verify: () => assert.fail("there is memory enough"),
    };
  }

  #judge(piece: number, slab: Slab): PieceVerdict {
    const digests = new Uint8Array(PIECE_BLOCKS * 20);
    let intact = true;
    for (let block = 0; block < PIECE_BLOCKS; block += 1) {
      const begin = block * BLOCK_BYTES;
      const bytes = slab.view.subarray(begin, begin + BLOCK_BYTES);
      intact &&= Buffer.compare(bytes, this.block(piece, block)) === 0;
      digests.set(sha1(bytes), block * 20);
    }
    return intact ? { kind: "intact", digests } : { kind: "corrupt", fault: "both", digests };
  }
}

/** A source without a connection: it answers every request by itself. */
class Source implements BlockSource {
  readonly sender: string;
  readonly window: RequestWindow;
  readonly runBlocksMax: number;
  readonly lastReceivedAtMs = 1;
  closed: string | undefined;
  isOpen = true;
  lies = false;
  readonly runs: number[] = [];
  readonly #turns: Turns;
  readonly #task: Task;
  #peer: DownloadPeer | undefined;

  constructor(
    turns: Turns,
    task: Task,
    options: { sender: string; runBlocksMax?: number; window?: RequestWindow },
  ) {
    this.#turns = turns;
    this.#task = task;
    this.sender = options.sender;
    this.runBlocksMax = options.runBlocksMax ?? 1;
    this.window = options.window ?? new RequestWindow(500);
  }

  join(pieces: Bitfield): void {
    const known = { pieces, isChoking: true, queueLimit: undefined };
    this.#peer = this.#task.downloader.join(this, known);
    this.#task.downloader.handleUnchoked(this.#peer);
  }

  request(piece: number, block: number, count: number, length: number): void {
    assert.equal(length, count * BLOCK_BYTES);
    this.runs.push(count);
    for (let each = block; each < block + count; each += 1) {
      this.#turns.owe(() => this.#send(piece, each));
    }
  }

  cancel(): "forgotten" {
    return "forgotten";
  }

  setInterested(): void {}

  close(reason: string): void {
    this.closed = reason;
    this.isOpen = false;
  }

  #send(piece: number, block: number): void {
    const { downloader } = this.#task;
    const target = downloader.beginBlock(this.#peer!, piece, block, BLOCK_BYTES);
    if (!target) {
      downloader.handleRejected(this.#peer!, piece, block);
      return;
    }
    target.set(this.#task.block(piece, block));
    if (this.lies) target[0]! ^= 0xff;
    downloader.countBlock(this.#peer!, BLOCK_BYTES, 1);
    downloader.endBlock(this.#peer!);
  }
}

function all(task: Task): Bitfield {
  const pieces = new Bitfield(task.geometry.pieceCount);
  pieces.fill();
  return pieces;
}

test("a source without a connection completes a torrent beside peers, in runs of blocks", () => {
  const turns = new Turns();
  const task = new Task(turns, 40);
  const half = new Bitfield(40);
  for (let piece = 0; piece < 20; piece += 1) half.add(piece);
  const peers = ["10.0.0.1", "10.0.0.2"].map((sender) => new Source(turns, task, { sender }));
  const server = new Source(turns, task, { sender: "http://a.example/f", runBlocksMax: 64 });
  for (const peer of peers) peer.join(half);
  server.join(all(task));
  turns.run();
  assert.ok(task.downloader.complete && task.have.full);
  assert.ok(peers.every(({ runs }) => runs.length > 0 && runs.every((count) => count === 1)));
  assert.ok(Math.max(...server.runs) === PIECE_BLOCKS, "a run ends with its piece");
  for (const each of [...peers, server]) {
    assert.equal(each.window.count(0), 0);
  }
});

test("WIR-12: a source that lies is reported under its sender name", () => {
  const turns = new Turns();
  const task = new Task(turns, 6);
  const liar = new Source(turns, task, { sender: "http://b.example/f", runBlocksMax: 64 });
  liar.lies = true;
  liar.join(all(task));
  const honest = new Source(turns, task, { sender: "10.0.0.1" });
  honest.join(all(task));
  turns.run();
  for (let now = 1_000; !task.downloader.complete && now < 60_000; now += 1_000) {
    task.downloader.tick(now);
    turns.run();
  }
  assert.ok(task.have.full);
  assert.deepEqual([...new Set(task.liars)], ["http://b.example/f"]);
  assert.deepEqual([...new Set(task.spoilers)], ["http://b.example/f"]);
});

test("two downloaders on one window both finish, and neither waits for the other to end", () => {
  const turns = new Turns();
  const tasks = [new Task(turns, 60), new Task(turns, 30)];
  // Less than one of them would request ahead.
  const window = new RequestWindow(12);
  const done: number[] = [];
  for (const [index, task] of tasks.entries()) {
    const other = tasks[1 - index]!;
    task.onPiece = () => {
      if (!task.have.full) return;
      done.push(index);
      assert.ok(other.have.count >= 10, `the other has ${other.have.count} pieces by then`);
    };
    new Source(turns, task, { sender: "10.0.0.1", window }).join(all(task));
  }
  for (let now = 1_000; done.length < 2 && now < 60_000; now += 500) {
    for (const { downloader } of tasks) downloader.tick(now);
    turns.run();
  }
  assert.deepEqual(new Set(done), new Set([0, 1]));
  assert.deepEqual([window.count(0), window.count(1)], [0, 0]);
});
