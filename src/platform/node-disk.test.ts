import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, statSync, truncateSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertSameBytes } from "../../test/fixtures/same-bytes.ts";
import { toHex } from "../base/bytes.ts";
import {
  BLOCK,
  ContentCalls,
  type FixtureFile,
  type Kind,
  makeFixture,
  openDisk,
  temporaryFolder,
} from "./disk/disk-fixture.ts";

const MIXED: readonly FixtureFile[] = [
  { path: "t/one byte", length: 1 },
  { path: "t/empty", length: 0 },
  { path: "t/a/b/c/deep", length: 3 * BLOCK * 4 + 5 },
  { path: "t/жизнь/日本", length: BLOCK * 4 },
  { path: "t/run.sh", length: 777, executable: true },
  { path: "t/last", length: BLOCK * 9 - 1 },
];

const KINDS: readonly Kind[] = ["v1", "v2", "hybrid"];

for (const kind of KINDS) {
  test(`${kind}: pieces are judged, written, found again, served; files come out byte for byte`, async (t) => {
    const root = temporaryFolder(t);
    const fixture = makeFixture(root, kind, BLOCK * 4, MIXED);
    const { geometry, space } = fixture;
    const calls = new ContentCalls(openDisk(t), fixture);
    const before = await calls.check();
    assert.deepEqual(
      before,
      Array.from({ length: geometry.pieceCount }, () => false),
    );
    for (const verdict of await calls.storeAll()) assert.equal(verdict.kind, "intact");
    assert.deepEqual(await calls.createEmpty(), { kind: "done" });
    assert.deepEqual(await calls.sync(), { kind: "done" });
    for (const [index, extent] of geometry.files.entries()) {
      if (extent.pad) continue;
      const path = join(root, fixture.layout.files[index]!.path);
      const expected = space.subarray(extent.offset, extent.offset + extent.length);
      assertSameBytes(readFileSync(path), expected, path);
    }
    assert.ok(!existsSync(join(root, ".pad")), "padding is never written to disk (MET-13)");
    assert.ok(!existsSync(fixture.layout.partFile));
    assert.equal(statSync(join(root, "t/run.sh")).mode & 0o6111, 0o111);
    assert.equal(statSync(join(root, "t/last")).mode & 0o6111, 0);
    assert.deepEqual(
      await calls.check(),
      Array.from({ length: geometry.pieceCount }, () => true),
    );
    for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
      assert.equal((await calls.verify(piece)).kind, "intact");
      const start = piece * geometry.pieceLength;
      const bytes = await calls.readPiece(piece);
      assert.ok(bytes instanceof Uint8Array);
      assertSameBytes(bytes, space.subarray(start, start + bytes.length), `piece ${piece}`);
      assert.equal(bytes.length, geometry.pieceSize(piece));
    }
    await calls.close();
  });

  test(`${kind}: a corrupt piece is refused with digests, and nothing of it is written`, async (t) => {
    const root = temporaryFolder(t);
    const fixture = makeFixture(root, kind, BLOCK * 4, [{ path: "f", length: BLOCK * 6 + 10 }]);
    const calls = new ContentCalls(openDisk(t), fixture);
    const verdict = await calls.store(1, { spoil: BLOCK + 1 });
    assert.equal(verdict.kind, "corrupt");
    assert.ok(verdict.kind === "corrupt");
    assert.equal(verdict.fault, kind === "hybrid" ? "both" : kind);
    assert.equal(verdict.digests?.length, 3 * 20);
    assert.ok(!existsSync(join(root, "f")));
    const intact = await calls.store(1, { digests: true });
    assert.ok(intact.kind === "intact");
    const block = (index: number): string => {
      const start = BLOCK * (4 + index);
      const bytes = fixture.space.subarray(start, Math.min(start + BLOCK, BLOCK * 6 + 10));
      return createHash("sha1").update(bytes).digest("hex");
    };
    const digests = intact.digests!;
    for (const index of [0, 1, 2]) {
      const here = toHex(digests.subarray(index * 20, index * 20 + 20));
      assert.equal(here, block(index));
      const there = toHex(verdict.digests.subarray(index * 20, index * 20 + 20));
      assert.equal(there === here, index !== 1, "the evidence points at the spoiled block");
    }
  });

  test(`${kind}: measuring computes the hashes, and both workers read the data`, async (t) => {
    const root = temporaryFolder(t);
    const fixture = makeFixture(root, kind, BLOCK * 4, MIXED);
    const disk = openDisk(t);
    const calls = new ContentCalls(disk, fixture);
    await calls.storeAll();
    await calls.createEmpty();
    let bytesDone = 0;
    const found = await disk.measure({
      layout: fixture.layout,
      v1: kind !== "v2",
      v2: kind !== "v1",
      onProgress: (bytes) => (bytesDone = bytes),
    });
    assert.deepEqual(found.v1 && toHex(found.v1), fixture.v1 && toHex(fixture.v1));
    assert.deepEqual(found.v2 && toHex(found.v2), fixture.v2 && toHex(fixture.v2));
    assert.equal(bytesDone, fixture.geometry.dataLength);
  });
}

test("the vectors of BEP 52: roots of small files, layers of large ones", async (t) => {
  const root = temporaryFolder(t);
  const disk = openDisk(t);
  const cases: [length: number, pieceLength: number, nodes: string[]][] = [
    [1, 16384, ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"]],
    [16384, 16384, ["4348e3b98e8a327b34ced39c1da9e67cdb4cd5e48e4d7960607a3ae403d35f0c"]],
    [
      16385,
      16384,
      [
        "4348e3b98e8a327b34ced39c1da9e67cdb4cd5e48e4d7960607a3ae403d35f0c",
        "a9f51566bd6705f7ea6ad54bb9deb449f795582d6529a0e22207b8981233ec58",
      ],
    ],
    [
      40000,
      32768,
      [
        "d9e13d0b676ad681164ef0b7b5910d1328ea83a047cad57e619d76bbe3a08525",
        "c878da4f6d2bc3d9e59af3c6ef3aaf72b248998c30a4b77a4e7de79a899daf72",
      ],
    ],
    [1000, 32768, ["4e4c294b331f7a2099a379bec34b9f9fc03dc46ab465d998f4d683da53487e6d"]],
  ];
  for (const [length, pieceLength, nodes] of cases) {
    const path = `v${length}`;
    writeFileSync(
      join(root, path),
      Uint8Array.from({ length }, (_, i) => i % 251),
    );
    const { layout } = makeFixture(root, "v2", pieceLength, [{ path, length }]);
    const { v2 } = await disk.measure({ layout, v1: false, v2: true });
    assert.equal(toHex(v2!), nodes.join(""));
  }
});

test("stamps report what is there; a truncated file is a failure when served, corrupt when judged (STO-6)", async (t) => {
  const root = temporaryFolder(t);
  const fixture = makeFixture(root, "hybrid", BLOCK, [
    { path: "f", length: BLOCK * 3 + 1 },
    { path: "absent", length: 5 },
  ]);
  const calls = new ContentCalls(openDisk(t), fixture);
  for (const piece of [0, 1, 2, 3]) await calls.store(piece);
  const stamps = await calls.stamp();
  assert.ok(!("code" in stamps));
  const facts = statSync(join(root, "f"));
  const { size, mtimeMs, ino: inode } = facts;
  assert.deepEqual(stamps[0], { size, mtimeMs, inode, unfinished: false });
  assert.deepEqual(
    stamps.map((stamp) => stamp.size),
    [BLOCK * 3 + 1, -1, -1, -1],
  );
  truncateSync(join(root, "f"), BLOCK * 2 + 5);
  const outcome = await calls.read([{ piece: 2, begin: 0, length: BLOCK }]);
  assert.deepEqual(outcome, {
    kind: "failure",
    code: "EOF",
    path: join(root, "f"),
    message: `${join(root, "f")} is shorter than it should be`,
  });
  assert.equal((await calls.verify(2)).kind, "corrupt");
  const judged = await calls.check();
  assert.deepEqual(judged, [true, true, false, false, false]);
});

test("two concurrent syncs end in order, and each covers what was written before it (STO-2)", async (t) => {
  const root = temporaryFolder(t);
  const files = Array.from({ length: 130 }, (_, i) => ({ path: `${i}`, length: BLOCK }));
  const calls = new ContentCalls(openDisk(t), makeFixture(root, "v1", BLOCK, files));
  await calls.storeAll();
  const ends: number[] = [];
  const syncs = [1, 2, 3].map(async (which) => {
    assert.deepEqual(await calls.sync(), { kind: "done" });
    ends.push(which);
  });
  await Promise.all(syncs);
  assert.deepEqual(ends, [1, 2, 3]);
  await calls.close();
  const late = await calls.sync();
  assert.ok(late.kind === "failure" && late.code === "EBADF");
});
