import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { assertSameBytes } from "../../test/fixtures/same-bytes.ts";
import { Bitfield } from "../base/bitfield.ts";
import { toHex } from "../base/bytes.ts";
import type { DiskFailure, PieceVerdict, SlabPool } from "../ports/content.ts";
import { SimDisk } from "../sim/sim-disk.ts";
import { SimSlabs } from "../sim/sim-slabs.ts";
import { SimStore } from "../sim/sim-store.ts";
import { Simulation } from "../sim/simulation.ts";
import {
  BLOCK,
  ContentCalls,
  type ContentHost,
  type Fixture,
  type FixtureFile,
  type Kind,
  makeFixture,
  openDisk,
  temporaryFolder,
} from "./disk/disk-fixture.ts";

// Tests what every content promises: a folder of this machine, the simulated disk, and a store of
// bytes judged by `JudgedStore`, with hashes from this thread and from workers. node-disk.test.ts
// and disk/ test what only folders can do.

const KINDS: readonly Kind[] = ["v1", "v2", "hybrid"];
const MIB = 64 * BLOCK;

const MIXED: readonly FixtureFile[] = [
  { path: "t/one byte", length: 1 },
  { path: "t/empty", length: 0 },
  { path: "t/deep", length: 3 * BLOCK * 4 + 5 },
  { path: "t/whole", length: BLOCK * 4 },
  { path: "t/last", length: BLOCK * 9 - 1 },
];

/** One place that holds contents. */
interface World extends ContentHost {
  readonly root: string;
  /** Flips a byte of the space without the content's knowledge. */
  damage(fixture: Fixture, offset: number): void;
}

const WORLDS: ReadonlyMap<string, (t: TestContext) => World> = new Map([
  ["a folder", folderWorld],
  ["the simulated disk", diskWorld],
  ["a store of bytes", storeWorld],
  ["a store of bytes, hashed by workers", workerWorld],
]);

function folderWorld(t: TestContext): World {
  const disk = openDisk(t);
  return {
    root: temporaryFolder(t),
    open: (layout) => disk.open(layout),
    createSlabPool: (limitBytes) => disk.createSlabPool(limitBytes),
    damage: ({ geometry, layout }, offset) => {
      const [span] = geometry.spans(offset, 1);
      const path = join(layout.root, layout.files[span!.file]!.path);
      const bytes = readFileSync(path);
      bytes[span!.offset]! ^= 0xff;
      writeFileSync(path, bytes);
    },
  };
}

function diskWorld(t: TestContext): World {
  const disk = new SimDisk({ simulation: runningSimulation(t) });
  return {
    root: "/content",
    open: (layout) => disk.open(layout),
    createSlabPool: (limitBytes) => new SimSlabs(limitBytes),
    damage: ({ geometry, layout }, offset) => {
      const [span] = geometry.spans(offset, 1);
      disk.damage(`${layout.root}/${layout.files[span!.file]!.path}`, span!.offset);
    },
  };
}

function storeWorld(t: TestContext): World {
  const store = new SimStore(runningSimulation(t));
  t.after(() => assert.equal(store.hasher.underWay, 0, "all hashing has ended"));
  return {
    root: "content",
    open: (layout) => store.open(layout),
    createSlabPool: (limitBytes) => new SimSlabs(limitBytes),
    damage: ({ layout }, offset) => store.damage(layout.root, offset),
  };
}

/** Its pieces are in memory that this machine's workers share. */
function workerWorld(t: TestContext): World {
  const disk = openDisk(t);
  const createSlabPool = (limitBytes: number): SlabPool => disk.createSlabPool(limitBytes);
  const store = new SimStore(runningSimulation(t), {
    hasher: disk.hasher,
    slabs: () => createSlabPool(4 * MIB),
  });
  return {
    root: "content",
    open: (layout) => store.open(layout),
    createSlabPool,
    damage: ({ layout }, offset) => store.damage(layout.root, offset),
  };
}

/** Its time passes whenever the test awaits something. */
function runningSimulation(t: TestContext): Simulation {
  const simulation = new Simulation();
  const timer = setInterval(() => simulation.runFor(10), 1);
  t.after(() => clearInterval(timer));
  return simulation;
}

for (const [name, openWorld] of WORLDS) {
  for (const kind of KINDS) {
    test(`${name}, ${kind}: pieces are judged, written, found again and read`, async (t) => {
      const world = openWorld(t);
      const fixture = makeFixture(world.root, kind, BLOCK * 4, MIXED);
      const { geometry, space } = fixture;
      const calls = new ContentCalls(world, fixture);
      const all = Array.from({ length: geometry.pieceCount }, (_, piece) => piece);
      assert.deepEqual(
        await calls.check(),
        all.map(() => false),
      );
      for (const verdict of await calls.storeAll()) assert.equal(verdict.kind, "intact");
      assert.deepEqual(await calls.sync(), { kind: "done" });
      assert.deepEqual(
        await calls.check(),
        all.map(() => true),
      );
      for (const piece of all) {
        assert.equal((await calls.verify(piece)).kind, "intact");
        const start = piece * geometry.pieceLength;
        const bytes = await calls.readPiece(piece);
        assert.ok(bytes instanceof Uint8Array);
        assertSameBytes(bytes, space.subarray(start, start + bytes.length), `${piece}`);
        assert.equal(bytes.length, geometry.pieceSize(piece));
      }
      await calls.close();
      const again = new ContentCalls(world, fixture);
      assert.deepEqual(
        await again.check(),
        all.map(() => true),
        "opened again",
      );
    });

    test(`${name}, ${kind}: a corrupt piece is refused with digests, and not written`, async (t) => {
      const world = openWorld(t);
      const fixture = makeFixture(world.root, kind, BLOCK * 4, [
        { path: "f", length: BLOCK * 6 + 10 },
      ]);
      const calls = new ContentCalls(world, fixture);
      await calls.store(0);
      const verdict = await calls.store(1, { spoil: BLOCK + 1 });
      assert.ok(verdict.kind === "corrupt");
      assert.equal(verdict.fault, kind === "hybrid" ? "both" : kind);
      const read = await calls.read([{ piece: 1, begin: BLOCK, length: BLOCK }]);
      const spoiled = fixture.space.slice(BLOCK * 5, BLOCK * 6);
      spoiled[1]! ^= 1;
      assert.ok("code" in read || Buffer.compare(read, spoiled) !== 0, "none of it was written");
      const intact = await calls.store(1, { digests: true });
      assert.ok(intact.kind === "intact");
      for (const index of [0, 1, 2]) {
        const start = BLOCK * (4 + index);
        const bytes = fixture.space.subarray(start, Math.min(start + BLOCK, BLOCK * 6 + 10));
        const expected = createHash("sha1").update(bytes).digest("hex");
        assert.equal(digestAt(intact, index), expected);
        const isSame: boolean = digestAt(verdict, index) === expected;
        assert.equal(isSame, index !== 1, "the evidence points at the spoiled block");
      }
      assert.equal(await calls.store(1).then(digestsOf), undefined, "no digests unless requested");
      world.damage(fixture, BLOCK * 5);
      const damaged = await calls.verify(1);
      assert.equal(damaged.kind, "corrupt");
      assert.notEqual(digestAt(damaged, 1), digestAt(intact, 1));
      assert.equal(digestAt(damaged, 2), digestAt(intact, 2));
    });

    test(`${name}, ${kind}: a verified piece leaves its bytes in frames, if it is intact`, async (t) => {
      const world = openWorld(t);
      const fixture = makeFixture(world.root, kind, BLOCK * 4, MIXED);
      const { geometry, space } = fixture;
      const calls = new ContentCalls(world, fixture);
      assert.equal(await calls.verifyInFrames(0, 13), undefined, "nothing is there");
      await calls.storeAll();
      for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
        const start = piece * geometry.pieceLength;
        const expected = space.slice(start, start + geometry.requestSize(piece));
        const framed = await calls.verifyInFrames(piece, 13);
        assert.ok(framed);
        assertSameBytes(framed, expected, String(piece));
      }
      const { offset } =
        geometry.files[fixture.layout.files.findIndex((f) => f.path === "t/deep")]!;
      world.damage(fixture, offset + BLOCK * 5);
      const flipped = Math.floor((offset + BLOCK * 5) / geometry.pieceLength);
      assert.equal(await calls.verifyInFrames(flipped, 13), undefined);
    });

    test(`${name}, ${kind}: ingesting writes unconditionally and returns the hashes`, async (t) => {
      const world = openWorld(t);
      const fixture = makeFixture(world.root, kind, BLOCK * 4, MIXED);
      const blank = { ...fixture, layout: { ...fixture.layout, hashes: {} } };
      const writer = new ContentCalls(world, blank);
      const want = { v1: kind !== "v2", v2: kind !== "v1" };
      for (let piece = 0; piece < fixture.geometry.pieceCount; piece += 1) {
        const found = await writer.ingest(piece, want);
        assert.ok(!("code" in found));
        const v1 = fixture.v1?.slice(piece * 20, piece * 20 + 20);
        const v2 = fixture.v2?.slice(piece * 32, piece * 32 + 32);
        assert.deepEqual(found.v1 && toHex(found.v1), v1 && toHex(v1));
        assert.deepEqual(found.v2 && toHex(found.v2), v2 && toHex(v2));
      }
      const judged = await new ContentCalls(world, fixture).check();
      assert.ok(Array.isArray(judged) && judged.every((intact) => intact === true));
    });
  }

  test(`${name}: a piece with an unknown hash is never intact; once the hash is known it is judged`, async (t) => {
    const world = openWorld(t);
    const fixture = makeFixture(world.root, "v2", BLOCK * 2, [{ path: "f", length: BLOCK * 4 }]);
    const v2 = fixture.v2!;
    const node = v2.slice(0, 32);
    v2.fill(0, 0, 32);
    const calls = new ContentCalls(world, fixture);
    assert.equal((await calls.store(0)).kind, "corrupt");
    v2.set(node);
    assert.equal((await calls.store(0)).kind, "intact");
  });

  test(`${name}: pieces larger than one read, and pieces of padding only`, async (t) => {
    const world = openWorld(t);
    const cases: [Kind, pieceLength: number, FixtureFile[]][] = [
      [
        "v1",
        3 * MIB,
        [
          { path: "a", length: 4 * MIB + 100 },
          { path: ".pad/1", length: 8 * MIB, pad: true },
          { path: "b", length: 10 },
        ],
      ],
      [
        "v1",
        4 * BLOCK,
        [
          { path: "e", length: BLOCK + 5 },
          { path: ".pad/2", length: BLOCK - 5, pad: true },
          { path: "g", length: 2 * BLOCK + 7 },
        ],
      ],
      [
        "hybrid",
        4 * MIB,
        [
          { path: "c", length: 6 * MIB + 100 },
          { path: "d", length: 10 },
        ],
      ],
    ];
    for (const [index, [kind, pieceLength, files]] of cases.entries()) {
      const fixture = makeFixture(`${world.root}/${index}`, kind, pieceLength, files);
      const calls = new ContentCalls(world, fixture);
      for (const verdict of await calls.storeAll()) assert.equal(verdict.kind, "intact");
      const judged = await calls.check();
      assert.ok(Array.isArray(judged) && judged.every((intact) => intact === true));
      const asked = await calls.verify(0, true);
      const blocks = fixture.geometry.blockCount(0);
      assert.equal(asked.kind === "intact" && asked.digests?.length, blocks * 20);
      world.damage(fixture, 0);
      const spoiled = await calls.verify(0);
      assert.equal(spoiled.kind === "corrupt" && spoiled.digests?.length, blocks * 20);
    }
  });

  test(`${name}: blocks of an unfinished piece are written and read in the order of the calls`, async (t) => {
    const world = openWorld(t);
    const fixture = makeFixture(world.root, "v1", BLOCK * 4, [{ path: "f", length: BLOCK * 16 }]);
    const calls = new ContentCalls(world, fixture);
    const writes = [
      calls.write(1, BLOCK, BLOCK),
      calls.write(1, 0, BLOCK),
      calls.write(2, 0, 2 * BLOCK),
    ];
    const read = calls.read([
      { piece: 1, begin: 0, length: BLOCK * 2 },
      { piece: 2, begin: 0, length: BLOCK * 2 },
    ]);
    for (const outcome of await Promise.all(writes)) assert.deepEqual(outcome, { kind: "done" });
    const bytes = await read;
    assert.ok(bytes instanceof Uint8Array);
    const { space } = fixture;
    const expected = Buffer.concat([
      space.subarray(BLOCK * 4, BLOCK * 6),
      space.subarray(BLOCK * 8, BLOCK * 10),
    ]);
    assertSameBytes(bytes, expected);
    assert.equal((await calls.verify(1)).kind, "corrupt", "half of it is missing");
  });

  test(`${name}: jobs that judge one piece run in the order of the calls`, async (t) => {
    const world = openWorld(t);
    const fixture = makeFixture(world.root, "v1", BLOCK * 4, [{ path: "f", length: BLOCK * 16 }]);
    const calls = new ContentCalls(world, fixture);
    await calls.store(3);
    const before = calls.verify(1);
    const stored = calls.store(1);
    const after = calls.verify(1);
    assert.deepEqual(
      (await Promise.all([before, stored, after])).map(({ kind }) => kind),
      ["corrupt", "intact", "intact"],
    );
  });

  test(`${name}: a flipped byte is found, and only the requested pieces are checked (WIR-14)`, async (t) => {
    const world = openWorld(t);
    const fixture = makeFixture(world.root, "v1", BLOCK, [{ path: "f", length: BLOCK * 5 }]);
    const calls = new ContentCalls(world, fixture);
    await calls.storeAll();
    world.damage(fixture, BLOCK * 3 + 7);
    assert.equal((await calls.verify(2)).kind, "intact");
    assert.equal((await calls.verify(3)).kind, "corrupt");
    assert.deepEqual(await calls.check([1, 3]), [undefined, true, undefined, false, undefined]);
    assert.ok(Array.isArray(await calls.check([])), "a check of nothing ends too");
  });

  test(`${name}: a check stops when told to, at once and for good; closing stops it too`, async (t) => {
    const world = openWorld(t);
    const fixture = makeFixture(world.root, "v1", BLOCK, [{ path: "f", length: BLOCK * 3000 }]);
    const calls = new ContentCalls(world, fixture);
    let pieces = 0;
    const stopped = Promise.withResolvers<void>();
    let ends = 0;
    const onDone = (): void => {
      ends += 1;
      stopped.reject(new Error("the check has ended"));
    };
    const marked = new Bitfield(fixture.geometry.pieceCount);
    marked.fill();
    const start = (onPiece: () => void): (() => void) =>
      calls.content.judge.check({ pieces: marked, onPiece, onDone });
    const stop = start(() => {
      pieces += 1;
      if (pieces < 3) return;
      stop();
      stopped.resolve();
    });
    start(() => undefined);
    await stopped.promise;
    await calls.close();
    assert.equal(pieces, 3);
    assert.equal(ends, 0);
    const late = new Promise<DiskFailure>((resolve) =>
      calls.content.judge.check({
        pieces: marked,
        onPiece: () => undefined,
        onDone: (outcome) => resolve(outcome as DiskFailure),
      }),
    );
    assert.equal((await late).code, "EBADF");
    assert.equal(((await calls.verify(0)) as DiskFailure).code, "EBADF");
    assert.equal(((await calls.store(0)) as DiskFailure).code, "EBADF");
    assert.equal(((await calls.sync()) as DiskFailure).code, "EBADF");
    const read = await calls.read([{ piece: 0, begin: 0, length: 1 }]);
    assert.equal((read as DiskFailure).code, "EBADF");
  });

  test(`${name}: closing waits for jobs under way, and no callback runs inside a call`, async (t) => {
    const world = openWorld(t);
    const fixture = makeFixture(world.root, "hybrid", BLOCK * 4, MIXED);
    const { content } = new ContentCalls(world, fixture);
    const { bytes, judge } = content;
    const pool = world.createSlabPool(MIB);
    const told: string[] = [];
    let isInside = true;
    const tell = (what: string) => () => {
      assert.equal(isInside, false, what);
      told.push(what);
    };
    const slab = pool.take(BLOCK * 4)!;
    const none = new Bitfield(fixture.geometry.pieceCount);
    judge.verify(0, { digests: true }, tell("verify"));
    judge.store(1, slab, { digests: false }, tell("store"));
    judge.ingest(2, slab, { v1: true, v2: true }, tell("ingest"));
    judge.check({ pieces: none, onPiece: tell("piece"), onDone: tell("check") });
    bytes.write(3, { begin: 0, length: BLOCK }, { slab, slabOffset: 0 }, tell("write"));
    bytes.read(slab, [{ piece: 3, begin: 0, length: BLOCK, slabOffset: 0 }], tell("read"));
    bytes.sync(tell("sync"));
    const closed = new Promise<void>((resolve) =>
      bytes.close(() => {
        tell("close")();
        resolve();
      }),
    );
    isInside = false;
    await closed;
    assert.equal(told.pop(), "close");
    told.sort();
    assert.deepEqual(told, ["ingest", "read", "store", "sync", "verify", "write"]);
  });
}

function digestsOf(verdict: PieceVerdict): Uint8Array | undefined {
  return verdict.kind === "failure" ? undefined : verdict.digests;
}

function digestAt(verdict: PieceVerdict, index: number): string {
  return toHex(digestsOf(verdict)!.subarray(index * 20, index * 20 + 20));
}
