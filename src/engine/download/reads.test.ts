import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { Geometry } from "../../base/geometry.ts";
import type { DiskOutcome, ReadRun, Slab } from "../../ports/content.ts";
import { SimSlabs } from "../../sim/sim-slabs.ts";
import { EngineError } from "../engine-error.ts";
import type { DeadlineSpan } from "../picker/deadlines.ts";
import { sharesOfOne } from "../sharing/shares-fixture.ts";
import {
  PART_BYTES_MAX,
  type Reader,
  READERS_MAX,
  type ReadPart,
  type ReadPartOutput,
  Reads,
  type ReadsOutput,
} from "./reads.ts";

const KIB = 1024;
const PIECE = 64 * KIB;
const PIECES = 100;
const BYTES = PIECES * PIECE;
const FAILURE = { kind: "failure", code: "EIO", message: "it broke", path: "/x" } as const;

/** The reads of a torrent whose bytes encode their position, on a disk that answers when the test says so. */
class World {
  now = 1_000;
  readonly have = new Bitfield(PIECES);
  readonly judged = new Bitfield(PIECES);
  readonly diskReads: { readonly runs: readonly ReadRun[]; end(outcome?: DiskOutcome): void }[] =
    [];
  readonly judging: number[] = [];
  readonly warm = new Set<number>();
  readonly spans = new Map<number, DeadlineSpan>();
  readonly slabs: SimSlabs;
  downBytesPerSecond = 0;
  waits = 0;
  readonly reads: Reads;
  readonly #parts: ReadPartOutput[] = [];
  readonly #others: ReadsOutput[] = [];
  /** Parts that each reader has requested. */
  readonly #asked = new Map<Reader, number>();

  constructor(options: { fetches?: boolean; slabBytes?: number } = {}) {
    this.slabs = new SimSlabs(options.slabBytes ?? 1024 * KIB);
    this.reads = new Reads({
      geometry: new Geometry({
        pieceLength: PIECE,
        files: [{ offset: 0, length: BYTES, pad: false }],
        aligned: false,
      }),
      have: this.have,
      judged: this.judged,
      urgent: {
        bytesPerSecond: () => this.downBytesPerSecond,
        open: () => false,
        setSpan: (reader, span) => void this.spans.set(reader, span),
        clearSpan: (reader) => void this.spans.delete(reader),
        close: (reader) => this.spans.delete(reader),
      },
      served: {
        judge: (piece) => void this.judging.push(piece),
        copyWarm: (piece, begin, length) =>
          this.warm.has(piece) ? this.#bytes(piece * PIECE + begin, length) : undefined,
      },
      bytes: { read: (slab, runs, onDone) => this.#readDisk(slab, runs, onDone) },
      slabs: this.slabs,
      memory: sharesOfOne({ onWaiting: () => (this.waits += 1) }).send,
      fetches: options.fetches ?? true,
      clock: { nowMs: () => this.now },
    });
  }

  add(first: number, end = first + 1): void {
    for (let piece = first; piece < end; piece += 1) {
      this.have.add(piece);
      this.judged.add(piece);
      this.reads.handlePiece(piece);
    }
  }

  open(begin = 0, end = BYTES, options: { deadline?: number; pace?: number } = {}): Reader {
    return this.reads.open({
      offset: begin,
      endOffset: end,
      deadlineMs: options.deadline ?? this.now,
      bytesPerSecond: options.pace,
    });
  }

  /** @returns The part, as soon as it is available. */
  next(reader: Reader): { readonly part: ReadPart | undefined } {
    this.reads.next(reader);
    const drain = (): void => this.#drain();
    const parts = this.#parts;
    const index = this.#asked.get(reader) ?? 0;
    this.#asked.set(reader, index + 1);
    return {
      get part() {
        drain();
        return parts.filter((each) => each.reader === reader)[index]?.part;
      },
    };
  }

  /** @returns The next output that is not a part. */
  nextOutput(): ReadsOutput | undefined {
    this.#drain();
    return this.#others.shift();
  }

  #drain(): void {
    for (let next = this.reads.nextOutput(); next; next = this.reads.nextOutput()) {
      if (next.kind === "part") this.#parts.push(next);
      else this.#others.push(next);
    }
  }

  codeOf({ part }: { part: ReadPart | undefined }): string {
    return part?.kind === "failed" ? part.error.code : (part?.kind ?? "waits");
  }

  assertBytes({ part }: { part: ReadPart | undefined }, begin: number, length: number): void {
    assert.ok(part?.kind === "bytes");
    assert.equal(part.bytes.length, length);
    // Not compared by assert, which takes minutes to describe how long arrays differ.
    assert.ok(Buffer.compare(part.bytes, this.#bytes(begin, length)) === 0, "the right bytes");
  }

  #bytes(begin: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => ((begin + i) >>> 8) & 0xff);
  }

  #readDisk(slab: Slab, runs: readonly ReadRun[], onDone: (outcome: DiskOutcome) => void): void {
    for (const { piece, begin, length, slabOffset } of runs) {
      slab.view.set(this.#bytes(piece * PIECE + begin, length), slabOffset);
    }
    this.diskReads.push({ runs, end: (outcome = { kind: "done" }) => onDone(outcome) });
  }
}

test("data that we have comes from disk, several pieces at once, part by part, as it is requested", () => {
  const world = new World();
  world.add(0, 10);
  const reader = world.open(1_000, 10 * PIECE - 5);
  assert.equal(world.diskReads.length, 0, "the reader has requested nothing");
  const first = world.next(reader);
  assert.equal(world.diskReads.length, 1);
  assert.equal(world.diskReads[0]!.runs.length, 5, "it begins and ends within a piece");
  assert.equal(world.codeOf(first), "waits");
  world.diskReads[0]!.end();
  world.assertBytes(first, 1_000, PART_BYTES_MAX);
  assert.deepEqual(
    [world.diskReads.length, world.slabs.lentBytes],
    [1, 0],
    "nothing is read ahead",
  );
  const second = world.next(reader);
  world.diskReads[1]!.end();
  world.assertBytes(second, 1_000 + PART_BYTES_MAX, PART_BYTES_MAX);
  const third = world.next(reader);
  world.diskReads[2]!.end();
  world.assertBytes(third, 1_000 + 2 * PART_BYTES_MAX, 10 * PIECE - 5 - 1_000 - 2 * PART_BYTES_MAX);
  assert.equal(world.codeOf(world.next(reader)), "end");
});

test("data in memory is not read from disk", () => {
  const world = new World();
  world.add(0, 2);
  world.warm.add(0);
  const reader = world.open(100, 2 * PIECE);
  world.assertBytes(world.next(reader), 100, PIECE - 100);
  assert.equal(world.diskReads.length, 0);
});

test("a missing piece is handed out as soon as it arrives, in order", () => {
  const world = new World();
  const reader = world.open(0, 2 * PIECE);
  const first = world.next(reader);
  world.add(1);
  assert.equal(world.diskReads.length, 0, "the second piece is not handed out before the first");
  world.add(0);
  assert.equal(world.diskReads[0]!.runs.length, 2);
  world.diskReads[0]!.end();
  world.assertBytes(first, 0, 2 * PIECE);
});

test("WIR-14: a piece is judged before it is handed out; a damaged one is waited for", () => {
  const world = new World();
  world.add(0, 2);
  world.judged.clear();
  const reader = world.open(0, 2 * PIECE);
  const first = world.next(reader);
  assert.deepEqual([world.judging, world.diskReads.length], [[0], 0]);
  world.have.delete(0);
  world.reads.handleLost(0);
  world.reads.handleJudged(0, undefined);
  assert.deepEqual([world.judging, world.diskReads.length], [[0], 0]);
  world.add(0);
  world.diskReads[0]!.end();
  world.assertBytes(first, 0, PIECE);
  const second = world.next(reader);
  assert.deepEqual(world.judging, [0, 1]);
  world.judged.add(1);
  world.reads.handleJudged(1, undefined);
  world.diskReads[1]!.end();
  world.assertBytes(second, PIECE, PIECE);
});

test("STO-6: data that was read while the files came into doubt is judged and read again", () => {
  const world = new World();
  world.add(0);
  const first = world.next(world.open(0, PIECE));
  world.judged.delete(0);
  world.diskReads[0]!.end();
  assert.equal(world.codeOf(first), "waits");
  assert.deepEqual(world.judging, [0]);
  world.judged.add(0);
  world.reads.handleJudged(0, undefined);
  world.diskReads[1]!.end();
  world.assertBytes(first, 0, PIECE);
});

test("a disk that refuses is tried again at the next tick, and reported; the third time the reader is told", () => {
  const world = new World();
  world.add(0);
  const first = world.next(world.open(0, PIECE));
  for (let tries = 0; tries < 3; tries += 1) {
    assert.equal(world.codeOf(first), "waits");
    assert.equal(world.diskReads.length, tries + 1);
    world.diskReads[tries]!.end(FAILURE);
    assert.equal(world.nextOutput()?.kind, "refused");
    world.reads.tick(world.now);
  }
  assert.equal(world.codeOf(first), "unreadable");
  assert.deepEqual([world.diskReads.length, world.slabs.lentBytes], [3, 0]);
});

test("a disk that cannot judge is tried again as well", () => {
  const world = new World();
  world.add(0);
  world.judged.clear();
  const first = world.next(world.open(0, PIECE));
  for (let tries = 0; tries < 3; tries += 1) {
    assert.equal(world.codeOf(first), "waits");
    world.reads.handleJudged(0, FAILURE);
    world.reads.tick(world.now);
  }
  assert.equal(world.codeOf(first), "unreadable");
  assert.deepEqual(world.judging, [0, 0, 0]);
});

test("without memory to read into, a reader waits for its turn", () => {
  const world = new World({ slabBytes: PIECE });
  world.add(0, 2);
  const lent = world.slabs.take(PIECE)!;
  const first = world.next(world.open(0, PIECE));
  world.reads.tick(world.now);
  assert.deepEqual([world.diskReads.length, world.waits], [0, 1]);
  assert.equal(world.reads.serveWaiting(), true);
  world.slabs.give(lent);
  assert.equal(world.reads.serveWaiting(), false);
  world.diskReads[0]!.end();
  world.assertBytes(first, 0, PIECE);
});

test("a closed reader gets no answer, needs no pieces, and frees its memory", () => {
  const world = new World();
  world.add(0);
  const reader = world.open(0, 3 * PIECE);
  const first = world.next(reader);
  assert.equal(world.spans.size, 1);
  world.reads.close(reader);
  world.diskReads[0]!.end();
  assert.equal(world.codeOf(first), "waits");
  assert.deepEqual([world.slabs.lentBytes, world.spans.size], [0, 0]);
  world.add(1);
  assert.equal(world.diskReads.length, 1);
});

test("when the torrent ends every reader is told, even one that asks later", () => {
  const world = new World();
  const [waiting, idle] = [world.open(), world.open()];
  const first = world.next(waiting);
  world.reads.end(new EngineError("stopped", "it is over"));
  assert.equal(world.codeOf(first), "stopped");
  assert.equal(world.codeOf(world.next(idle)), "stopped");
  assert.equal(world.spans.size, 0);
});

test("a torrent that is only seeded fetches nothing for a reader, and reports that", () => {
  const world = new World({ fetches: false });
  world.add(0);
  const reader = world.open(0, 2 * PIECE);
  const first = world.next(reader);
  world.diskReads[0]!.end();
  world.assertBytes(first, 0, PIECE);
  assert.equal(world.codeOf(world.next(reader)), "not-fetched");
  assert.equal(world.spans.size, 0);
});

test("a torrent has a limited number of readers at a time", () => {
  const world = new World();
  const readers = Array.from({ length: READERS_MAX }, () => world.open());
  assert.throws(() => world.open(), { code: "too-many-readers" });
  world.reads.close(readers[5]!);
  world.open();
  assert.throws(() => world.open(), { code: "too-many-readers" });
});

// ---- Deadlines ---------------------------------------------------------------------------------------

test("the deadline applies to the first byte; later pieces are needed at the reader's pace", () => {
  const world = new World();
  world.open(5 * PIECE, BYTES, { deadline: 4_000, pace: PIECE });
  const { first, end, dueMs, msPerPiece } = world.spans.get(0)!;
  assert.deepEqual([first, dueMs, msPerPiece], [5, 4_000, 1_000]);
  assert.equal(end, 5 + 27, "the pieces that are needed within half a minute");
});

test("at most 64 pieces are needed soon, and none that is needed late", () => {
  const world = new World();
  world.open(0, BYTES, { pace: 100 * PIECE });
  assert.equal(world.spans.get(0)!.end, 64);
  world.open(0, BYTES, { deadline: world.now + 3_600_000, pace: PIECE });
  assert.equal(world.spans.get(1), undefined);
  world.now += 3_600_000;
  world.reads.tick(world.now);
  assert.equal(world.spans.get(1)!.end, 30);
});

test("the piece that a reader waits for is needed, even when it is early", () => {
  const world = new World();
  const reader = world.open(0, BYTES, { deadline: world.now + 3_600_000, pace: PIECE });
  world.next(reader);
  assert.deepEqual([world.spans.get(0)!.first, world.spans.get(0)!.end], [0, 1]);
});

test("the needed pieces move on with the reader, and not without it", () => {
  const world = new World();
  const reader = world.open(0, BYTES, { pace: PIECE });
  world.add(0, 4);
  world.now += 2_000;
  world.reads.tick(world.now);
  assert.deepEqual([world.spans.get(0)!.first, world.spans.get(0)!.end], [0, 32]);
  world.next(reader);
  world.diskReads[0]!.end();
  const { first, dueMs } = world.spans.get(0)!;
  assert.deepEqual([first, dueMs], [4, 1_000 + 4_000]);
});

test("a reader without a pace takes bytes at the rate at which they arrive", () => {
  const world = new World();
  world.downBytesPerSecond = 4 * PIECE;
  world.open();
  assert.equal(world.spans.get(0)!.msPerPiece, 250);
  world.now += 60_000;
  world.downBytesPerSecond = 0;
  world.reads.tick(world.now);
  assert.equal(world.spans.get(0)!.dueMs, world.now, "it is not late: it takes what arrives");
  assert.equal(world.spans.get(0)!.msPerPiece, 1_000, "at the least");
});

test("pieces that we have are not needed", () => {
  const world = new World();
  world.add(0, PIECES);
  world.open();
  assert.equal(world.spans.size, 0);
  world.have.delete(3);
  world.reads.handleLost(3);
  assert.equal(world.spans.size, 1);
});
