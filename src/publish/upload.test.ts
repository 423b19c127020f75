import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../../test/fixtures/until.ts";
import { assertSameBytes } from "../../test/fixtures/same-bytes.ts";
import { concatBytes } from "../base/bytes.ts";
import { Geometry } from "../base/geometry.ts";
import { sha1, sha256 } from "../base/hash.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  ByteStore,
  FilePlaces,
  OpenContent,
  PieceJudge,
  Slab,
  SlabPool,
} from "../ports/content.ts";
import type { AppendFile } from "../ports/files.ts";
import { decodeJournal, encodeJournal, recordBytes } from "./hash-journal.ts";
import { SlabLine } from "./slab-line.ts";
import { Upload } from "./upload.ts";
import { UploadLayout } from "./upload-layout.ts";

const PIECE = 16_384;
const KINDS = { v1: true, v2: true };

/** A disk in memory that forgets unsynced data on a power cut. */
class MemoryDisk {
  readonly #layout: UploadLayout;
  #bytes: Uint8Array;
  #durableBytes: Uint8Array;
  #journal = new Uint8Array(0);
  refuse: string | undefined;
  syncs = 0;
  emptyFiles = 0;
  durable = 0;

  constructor(layout: UploadLayout) {
    this.#layout = layout;
    this.#bytes = new Uint8Array(layout.size);
    this.#durableBytes = new Uint8Array(layout.size);
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get journal(): Uint8Array {
    return this.#journal;
  }

  powerCut(): void {
    this.#bytes = this.#durableBytes.slice();
  }

  readonly #store: ByteStore = {
    write: (piece, run, source, onDone) => {
      const part = source.slab.view.slice(source.slabOffset, source.slabOffset + run.length);
      setImmediate(() => {
        if (this.refuse) return onDone(this.#failure());
        this.#bytes.set(part, this.#layout.start(piece) + run.begin);
        onDone({ kind: "done" });
      });
    },
    read: (slab, runs, onDone) => {
      setImmediate(() => {
        if (this.refuse) return onDone(this.#failure());
        for (const run of runs) {
          const start = this.#layout.start(run.piece) + run.begin;
          slab.view.set(this.#bytes.subarray(start, start + run.length), run.slabOffset);
        }
        onDone({ kind: "done" });
      });
    },
    sync: (onDone) => {
      setImmediate(() => {
        if (this.refuse) return onDone(this.#failure());
        this.syncs += 1;
        this.#durableBytes = this.#bytes.slice();
        onDone({ kind: "done" });
      });
    },
    close: (onDone) => setImmediate(onDone),
  };

  readonly #places: Pick<FilePlaces, "createEmpty"> = {
    createEmpty: (onDone) => {
      this.emptyFiles += 1;
      setImmediate(onDone, { kind: "done" });
    },
  };

  readonly #judge: Pick<PieceJudge, "ingest"> = {
    ingest: (piece, slab, _want, onDone) => {
      const start = this.#layout.start(piece);
      const length = this.#layout.start(piece + 1) - start;
      // Out of order on purpose, because workers may finish in any order.
      const later =
        piece % 2 === 0 ? (fn: () => void) => setImmediate(setImmediate, fn) : setImmediate;
      later(() => {
        if (this.refuse) return onDone(this.#failure());
        const bytes = slab.view.slice(0, length);
        this.#bytes.set(bytes, start);
        onDone({ v1: sha1(bytes), v2: sha256(bytes) });
      });
    },
  };

  readonly content = {
    bytes: this.#store,
    judge: this.#judge,
    places: this.#places,
  } as OpenContent;

  append(): AppendFile {
    this.#journal = this.#journal.slice(0, this.records().length * recordBytes(KINDS));
    return {
      append: async (bytes) => {
        if (this.refuse) throw Object.assign(new Error("no space"), { code: this.refuse });
        this.#journal = new Uint8Array(concatBytes([this.#journal, bytes]));
      },
      close: async () => undefined,
    };
  }

  records() {
    return decodeJournal(this.#journal, KINDS, this.#layout.geometry.pieceCount);
  }

  tearJournal(bytes: number): void {
    this.#journal = this.#journal.slice(0, this.#journal.length - bytes);
  }

  #failure() {
    return { kind: "failure", code: this.refuse!, message: "no space", path: "/d" } as const;
  }
}

class CountingPool implements SlabPool {
  lentBytes = 0;
  peakBytes = 0;
  readonly limitBytes: number;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  take(bytes: number): Slab | undefined {
    if (this.lentBytes + bytes > this.limitBytes) return undefined;
    this.lentBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.lentBytes);
    return { view: new Uint8Array(bytes) };
  }

  give(slab: Slab): void {
    this.lentBytes -= slab.view.length;
  }
}

/** A clock whose timers the test fires. */
class HandClock implements Clock {
  readonly #fires = new Set<() => void>();
  nowMs = () => 0;
  wallMs = () => 0;
  startTimer(_delayMs: number, fire: () => void) {
    this.#fires.add(fire);
    return { cancel: () => void this.#fires.delete(fire) };
  }
  fireAll(): void {
    const fires = [...this.#fires];
    this.#fires.clear();
    for (const fire of fires) fire();
  }
}

function world(fileLengths: readonly number[], poolBytes = 64 * PIECE) {
  const files = fileLengths.map((length, index) => ({
    offset: fileLengths.slice(0, index).reduce((sum, bytes) => sum + bytes, 0),
    length,
    pad: false,
  }));
  const layout = new UploadLayout(new Geometry({ pieceLength: PIECE, files, aligned: false }));
  const disk = new MemoryDisk(layout);
  const pool = new CountingPool(poolBytes);
  const clock = new HandClock();
  const slabs = new SlabLine(pool);
  const open = () =>
    new Upload({
      layout,
      kinds: KINDS,
      content: disk.content,
      journal: disk.append(),
      slabs,
      clock,
      records: disk.records(),
      durable: disk.durable,
      saveDurable: async (bytes) => void (disk.durable = bytes),
    });
  const bytes = new Uint8Array(layout.size).map((_, index) => (index * 31 + (index >>> 8)) & 0xff);
  return { layout, disk, pool, clock, slabs, open, bytes };
}

async function* cut(bytes: Uint8Array, chunkBytes: number, breakAfter = Infinity) {
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    if (start >= breakAfter) throw new Error("connection lost");
    yield bytes.subarray(start, Math.min(bytes.length, start + chunkBytes));
  }
}

test("a wrong offset and a second request at the same time are refused", async () => {
  const { open, bytes } = world([3 * PIECE]);
  const upload = open();
  await assert.rejects(upload.receive(5, cut(bytes, 1000)), { code: "bad-offset" });
  const first = upload.receive(0, cut(bytes, 1000));
  await assert.rejects(upload.receive(0, cut(bytes, 1000)), { code: "bad-offset" });
  assert.equal(await first, bytes.length);
});

test("more bytes than declared are refused, and the declared bytes are kept", async () => {
  const { open, bytes, disk } = world([PIECE + 5]);
  const upload = open();
  await assert.rejects(upload.receive(0, cut(concatBytes([bytes, new Uint8Array(1)]), 999)), {
    code: "too-large",
  });
  assert.equal(upload.offset, bytes.length);
  assertSameBytes(disk.bytes, bytes);
});

for (const lengths of [[1], [PIECE], [PIECE + 1], [0, 5, 0, 3 * PIECE, 7], [10 * PIECE - 1]]) {
  for (const chunkBytes of [777, PIECE, 65_536]) {
    test(`files of ${lengths.join(", ")} bytes in chunks of ${chunkBytes} arrive whole, hashed`, async () => {
      const { open, bytes, disk, layout, pool } = world(lengths);
      const upload = open();
      assert.equal(await upload.receive(0, cut(bytes, chunkBytes)), bytes.length);
      assert.ok(upload.complete);
      assertSameBytes(disk.bytes, bytes);
      assert.equal(disk.emptyFiles, 1);
      const hashes = upload.hashes();
      for (let piece = 0; piece < layout.geometry.pieceCount; piece += 1) {
        const part = bytes.subarray(layout.start(piece), layout.start(piece + 1));
        assert.deepEqual(hashes.v1?.slice(piece * 20, piece * 20 + 20), new Uint8Array(sha1(part)));
        assert.deepEqual(
          hashes.v2?.slice(piece * 32, piece * 32 + 32),
          new Uint8Array(sha256(part)),
        );
      }
      assert.equal(pool.lentBytes, 0);
      await upload.close();
    });
  }
}

test("nothing but empty files is complete at once", async () => {
  const { open, disk } = world([0, 0]);
  const upload = open();
  assert.equal(await upload.receive(0, cut(new Uint8Array(0), 1)), 0);
  assert.ok(upload.complete);
  assert.equal(disk.emptyFiles, 1);
});

test("PUB-1.2: a request that breaks off keeps its tail; the next one goes on in the middle of a piece", async () => {
  const { open, bytes, disk } = world([4 * PIECE]);
  const upload = open();
  const chunk = 1000;
  await assert.rejects(upload.receive(0, cut(bytes, chunk, 20_000)), {
    message: "connection lost",
  });
  assert.equal(upload.offset, 20_000);
  await upload.close();
  disk.powerCut();
  const again = open();
  assert.equal(again.offset, 20_000);
  assert.equal(await again.receive(20_000, cut(bytes.subarray(20_000), chunk)), bytes.length);
  assertSameBytes(disk.bytes, bytes);
  const expected = Uint8Array.from(sha1(bytes.subarray(PIECE, 2 * PIECE)));
  assert.deepEqual(again.hashes().v1?.slice(20, 40), expected);
});

test("STO-13: closing cuts a silent request off and keeps every byte it brought", async () => {
  const { open, bytes, disk } = world([4 * PIECE]);
  const upload = open();
  const body = async function* () {
    yield bytes.subarray(0, 20_000);
    await new Promise(() => undefined); // The network is gone without notice.
  };
  const receiving = upload.receive(0, body());
  await until("the first bytes are there", () => upload.offset >= 20_000);
  await Promise.all([upload.close(), assert.rejects(receiving, { code: "closed" })]);
  await assert.rejects(upload.receive(20_000, cut(bytes, 9)), { code: "closed" });
  disk.powerCut();
  assert.equal(open().offset, 20_000);
});

test("STO-1, STO-2: after a power cut at any moment the offset promises only what is on disk", async () => {
  let promises = 0;
  for (let moment = 1; moment < 50; moment += 1) {
    const { open, bytes, disk, clock } = world([6 * PIECE + 100]);
    let promised = 0;
    let left = new Uint8Array(0);
    const body = async function* () {
      let chunks = 0;
      for await (const chunk of cut(bytes, 2000)) {
        chunks += 1;
        if (chunks % 7 === 0) clock.fireAll();
        if (chunks % 3 === 0) await new Promise(setImmediate);
        if (chunks === moment) {
          disk.powerCut();
          disk.tearJournal(moment % 3);
          promised = open().offset;
          left = disk.bytes.slice();
        }
        yield chunk;
      }
    };
    await open().receive(0, body());
    assertSameBytes(left.subarray(0, promised), bytes.subarray(0, promised), `${moment}`);
    promises += promised;
  }
  assert.ok(promises > 0, "some moments come after a checkpoint");
});

test("a torn or zeroed journal record is not used", () => {
  const records = [1, 2, 3].map((byte) => ({
    v1: new Uint8Array(20).fill(byte),
    v2: new Uint8Array(32).fill(byte),
  }));
  const journal = encodeJournal(records, KINDS, 0);
  assert.deepEqual(decodeJournal(journal, KINDS, 9), records);
  assert.equal(decodeJournal(journal, KINDS, 2).length, 2);
  for (let length = 0; length < journal.length; length += 1) {
    const whole = Math.floor(length / recordBytes(KINDS));
    assert.equal(decodeJournal(journal.subarray(0, length), KINDS, 9).length, whole);
  }
  const zeroed = concatBytes([journal.subarray(0, recordBytes(KINDS)), new Uint8Array(500)]);
  assert.equal(decodeJournal(zeroed, KINDS, 9).length, 1);
  const swapped = concatBytes([
    journal.subarray(recordBytes(KINDS), 2 * recordBytes(KINDS)),
    journal.subarray(0, recordBytes(KINDS)),
  ]);
  assert.equal(decodeJournal(swapped, KINDS, 9).length, 0);
});

test("STO-4: a full disk ends the request; opened again, the upload goes on where it was durable", async () => {
  const { open, bytes, disk, pool } = world([8 * PIECE]);
  const upload = open();
  const body = async function* () {
    yield bytes.subarray(0, 3 * PIECE);
    disk.refuse = "ENOSPC";
    yield bytes.subarray(3 * PIECE);
  };
  await assert.rejects(upload.receive(0, body()), { code: "disk-full" });
  await assert.rejects(upload.receive(upload.offset, cut(bytes, 9)), { code: "disk-full" });
  await upload.close();
  assert.equal(pool.lentBytes, 0);
  disk.refuse = undefined;
  const again = open();
  assert.ok(again.offset <= 3 * PIECE);
  await again.receive(again.offset, cut(bytes.subarray(again.offset), 5000));
  assertSameBytes(disk.bytes, bytes);
});

test("HUB-8: many uploads share one limit of memory", async () => {
  const { open, bytes, pool } = world([20 * PIECE], 2 * PIECE);
  // One disk and layout, because the test is about the line for slabs.
  const uploads = Array.from({ length: 8 }, open);
  await Promise.all(uploads.map((upload) => upload.receive(0, cut(bytes, 10_000))));
  assert.equal(pool.peakBytes, 2 * PIECE);
  assert.equal(pool.lentBytes, 0);
});

for (const [how, pause] of [
  ["falls silent", (resume: Promise<void>) => resume],
  ["trickles", () => new Promise<void>((resolve) => setImmediate(resolve))],
] as const) {
  test(`HUB-8: an upload that ${how} in the middle of a piece frees its memory for others`, async () => {
    const { open, bytes, pool, clock, disk } = world([4 * PIECE], PIECE);
    const [slow, quick] = [open(), open()];
    const resume = Promise.withResolvers<void>();
    const body = async function* () {
      for await (const chunk of cut(bytes, 100)) {
        yield chunk;
        await pause(resume.promise);
      }
    };
    const slowly = slow.receive(0, body());
    await until("something is there", () => slow.offset > 0);
    let done = false;
    const quickly = quick.receive(0, cut(bytes, 5000)).finally(() => (done = true));
    for (let turns = 0; !done; turns += 1) {
      assert.ok(turns < 10_000, "the quick one gets its turn");
      clock.fireAll();
      await new Promise(setImmediate);
    }
    assert.equal(await quickly, bytes.length);
    disk.powerCut();
    resume.resolve();
    assert.equal(await slowly, bytes.length);
    assertSameBytes(disk.bytes, bytes);
    assert.deepEqual(slow.hashes().v2, quick.hashes().v2);
    assert.equal(pool.peakBytes, PIECE);
    assert.equal(pool.lentBytes, 0);
  });
}

test("a piece that was set aside is durable when its request ends", async () => {
  const { open, bytes, clock, disk, slabs } = world([4 * PIECE], PIECE);
  const upload = open();
  const end = Promise.withResolvers<void>();
  const body = async function* () {
    yield bytes.subarray(0, 700);
    await end.promise;
  };
  const receiving = upload.receive(0, body());
  await until("something is there", () => upload.offset > 0);
  const other = slabs.take(PIECE);
  clock.fireAll();
  slabs.give(await other);
  end.resolve();
  assert.equal(await receiving, 700);
  disk.powerCut();
  assert.equal(open().offset, 700);
  assertSameBytes(disk.bytes.subarray(0, 700), bytes.subarray(0, 700));
});
