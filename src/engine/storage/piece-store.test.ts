import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../../base/bitfield.ts";
import { BLOCK_BYTES, Geometry } from "../../base/geometry.ts";
import type {
  ByteStore,
  DiskFailure,
  PieceJudge,
  PieceVerdict,
  Slab,
  SlabPool,
} from "../../ports/content.ts";
import { PieceStore } from "./piece-store.ts";

const FULL: DiskFailure = { kind: "failure", code: "ENOSPC", message: "no space", path: "/x" };
const INTACT: PieceVerdict = { kind: "intact" };

/** Memory that counts what it has lent. */
class CountedSlabs implements SlabPool {
  readonly limitBytes: number;
  lentBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  take(bytes: number): Slab | undefined {
    if (this.lentBytes + bytes > this.limitBytes) return undefined;
    this.lentBytes += bytes;
    return { view: new Uint8Array(bytes) };
  }

  give(slab: Slab): void {
    this.lentBytes -= slab.view.length;
  }
}

/** A disk whose answers the test controls. */
class HeldDisk {
  readonly calls: {
    readonly kind: string;
    readonly piece: number;
    end: (result: never) => void;
  }[] = [];
  readonly content = {
    store: (piece: number, _slab: Slab, _options: object, end: (verdict: PieceVerdict) => void) =>
      this.#hold("store", piece, end),
    write: (piece: number, _run: object, _source: object, end: (outcome: never) => void) =>
      this.#hold("write", piece, end),
    verify: (piece: number, _options: object, end: (verdict: PieceVerdict) => void) =>
      this.#hold("verify", piece, end),
  } as unknown as ByteStore & PieceJudge;

  get kinds(): string[] {
    return this.calls.map(({ kind }) => kind);
  }

  /** Ends the oldest call. */
  answer(result: PieceVerdict | { readonly kind: "done" }): void {
    this.calls.shift()!.end(result as never);
  }

  #hold(kind: string, piece: number, end: (result: never) => void): void {
    this.calls.push({ kind, piece, end });
  }
}

interface World {
  readonly disk: HeldDisk;
  readonly slabs: CountedSlabs;
  readonly store: PieceStore;
}

/** Pieces that were abandoned because one of their blocks could not be written. */
function refused(store: PieceStore): number[] {
  const pieces: number[] = [];
  for (let next = store.nextRefused(); next; next = store.nextRefused()) pieces.push(next.piece);
  return pieces;
}

function world(pieceLength: number, limitBytes: number): World {
  const disk = new HeldDisk();
  const slabs = new CountedSlabs(limitBytes);
  const files = [{ offset: 0, length: pieceLength * 4, pad: false }];
  const store = new PieceStore({
    geometry: new Geometry({ pieceLength, files, aligned: false }),
    bytes: disk.content,
    judge: disk.content,
    slabs,
    memory: { handleRoom: () => undefined },
  });
  return { disk, slabs, store };
}

function all(count: number): Bitfield {
  const blocks = new Bitfield(count);
  blocks.fill();
  return blocks;
}

const MIB = 1024 * 1024;
const SMALL = 4 * BLOCK_BYTES;
const LARGE = 32 * 1024 * 1024;

test("without memory no piece is opened; a piece that is not open takes no block", () => {
  const { store } = world(SMALL, SMALL);
  assert.equal(store.open(0), true);
  assert.equal(store.open(1), false);
  assert.equal(store.target(1, 0, BLOCK_BYTES), undefined);
  assert.equal(store.spill(1, all(4)), false);
});

test("a piece in memory: blocks lie side by side, and its memory is returned with the verdict", () => {
  const { store, disk, slabs } = world(SMALL, SMALL);
  store.open(0);
  const first = store.target(0, 0, BLOCK_BYTES)!;
  const second = store.target(0, 1, BLOCK_BYTES)!;
  assert.equal(first.bytes.buffer, second.bytes.buffer);
  assert.equal(second.bytes.byteOffset - first.bytes.byteOffset, BLOCK_BYTES);
  const verdicts: PieceVerdict[] = [];
  store.judge(0, { digests: false }, (verdict) => verdicts.push(verdict));
  assert.deepEqual(disk.kinds, ["store"]);
  assert.equal(store.target(0, 0, BLOCK_BYTES), undefined);
  disk.answer(INTACT);
  assert.deepEqual(verdicts, [INTACT]);
  assert.equal(slabs.lentBytes, 0);
});

test("a piece of more than a quarter of the memory is never held as a whole", () => {
  for (const [pieceLength, limitBytes, held] of [
    [4, 16, true],
    [8, 16, false],
    [16, 12, false],
    [16, 96, true],
    [128, 96, false],
  ] as const) {
    const { store, slabs } = world(pieceLength * MIB, limitBytes * MIB);
    assert.equal(store.open(0), true);
    assert.equal(slabs.lentBytes, held ? pieceLength * MIB : 0);
  }
});

test("spilled: runs are written, then the memory is free, and blocks arrive one by one", () => {
  const { store, disk, slabs } = world(SMALL, SMALL * 64);
  store.open(0);
  const blocks = new Bitfield(4);
  for (const block of [0, 1, 3]) blocks.add(block);
  assert.equal(store.spill(0, blocks), true);
  assert.deepEqual(disk.kinds, ["write", "write"]);
  disk.answer({ kind: "done" });
  assert.equal(slabs.lentBytes, SMALL);
  disk.answer({ kind: "done" });
  assert.equal(slabs.lentBytes, 0);
  assert.deepEqual([...store.written(0)!.indexes()], [0, 1, 3]);
  const target = store.target(0, 2, BLOCK_BYTES)!;
  assert.ok(target.slab);
  store.arrived(0, 2, target);
  const verdicts: PieceVerdict[] = [];
  store.judge(0, { digests: false }, (verdict) => verdicts.push(verdict));
  assert.deepEqual(disk.kinds, ["write"], "it is judged when the last block is written");
  disk.answer({ kind: "done" });
  assert.deepEqual(disk.kinds, ["verify"]);
  disk.answer(INTACT);
  assert.deepEqual(verdicts, [INTACT]);
  assert.equal(slabs.lentBytes, 0);
});

test("STO-4: a write fails before the piece is whole: the piece is abandoned once", () => {
  const { store, disk, slabs } = world(SMALL, SMALL * 64);
  store.open(0);
  store.spill(0, new Bitfield(4));
  store.restore(0, new Bitfield(4));
  for (const block of [0, 1]) store.arrived(0, block, store.target(0, block, BLOCK_BYTES)!);
  disk.answer(FULL);
  disk.answer(FULL);
  assert.deepEqual(refused(store), [0]);
  assert.equal(store.written(0), undefined);
  assert.equal(slabs.lentBytes, 0);
});

test("STO-4: the last write fails while the verdict is pending: that is the verdict", () => {
  const { store, disk, slabs } = world(SMALL, SMALL * 64);
  store.restore(0, new Bitfield(4));
  store.arrived(0, 0, store.target(0, 0, BLOCK_BYTES)!);
  const verdicts: PieceVerdict[] = [];
  store.judge(0, { digests: false }, (verdict) => verdicts.push(verdict));
  disk.answer(FULL);
  assert.deepEqual(verdicts, [FULL]);
  assert.deepEqual(refused(store), []);
  assert.equal(slabs.lentBytes, 0);
});

test("a piece of 32 MiB is never held in memory, and waits while memory is short", () => {
  const { store, slabs, disk } = world(LARGE, 64 * BLOCK_BYTES);
  assert.equal(store.open(0), true);
  assert.equal(slabs.lentBytes, 0);
  const target = store.target(0, 2047, BLOCK_BYTES)!;
  assert.equal(slabs.lentBytes, BLOCK_BYTES);
  assert.equal(store.open(1), false);
  store.cancelTarget(target);
  assert.equal(store.open(1), true);
  const late = store.target(1, 0, BLOCK_BYTES)!;
  store.arrived(1, 0, late);
  disk.answer({ kind: "done" });
  assert.equal(slabs.lentBytes, 0);
});

test("a resume may claim other blocks when blocks were written, and when their piece ends", () => {
  const { store, disk } = world(SMALL, SMALL * 64);
  store.open(0);
  assert.equal(store.takeClaimsChanged(), false);
  store.spill(0, all(4));
  assert.equal(store.takeClaimsChanged(), false, "nothing is on disk yet");
  disk.answer({ kind: "done" });
  assert.deepEqual([store.takeClaimsChanged(), store.takeClaimsChanged()], [true, false]);
  store.judge(0, { digests: false }, () => undefined);
  disk.answer({ kind: "corrupt", fault: "both", digests: undefined });
  assert.equal(store.takeClaimsChanged(), true, "a corrupt piece");
  store.restore(1, all(2));
  assert.equal(store.takeClaimsChanged(), false);
  store.discard(1);
  assert.equal(store.takeClaimsChanged(), true, "a discarded piece");
  store.open(2);
  store.judge(2, { digests: false }, () => undefined);
  disk.answer(INTACT);
  assert.equal(store.takeClaimsChanged(), false, "a piece that was never on disk");
});

test("idle means that nothing is being judged or written", () => {
  const { store, disk } = world(SMALL, SMALL * 64);
  let idle = 0;
  store.whenIdle(() => (idle += 1));
  assert.equal(idle, 1);
  store.open(0);
  store.judge(0, { digests: false }, () => undefined);
  store.open(1);
  store.spill(1, all(4));
  store.whenIdle(() => (idle += 1));
  disk.answer(INTACT);
  assert.equal(idle, 1);
  disk.answer({ kind: "done" });
  assert.equal(idle, 2);
});

test("a write that fails after its piece was discarded does not end the piece when it was opened again", () => {
  const { store, slabs, disk } = world(SMALL, SMALL * 64);
  store.restore(0, all(1));
  store.arrived(0, 1, store.target(0, 1, BLOCK_BYTES)!);
  store.discard(0);
  assert.equal(store.open(0), true);
  disk.answer(FULL);
  assert.deepEqual(refused(store), []);
  assert.ok(store.target(0, 0, BLOCK_BYTES), "it still has its memory");
  store.judge(0, { digests: false }, () => undefined);
  disk.answer(INTACT);
  assert.equal(slabs.lentBytes, 0);
});
