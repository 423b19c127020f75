import assert from "node:assert/strict";
import {
  mkdirSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { DiskFailure, FileStamp, OpenContent } from "../../ports/content.ts";
import { SILENT_LOG } from "../../ports/log.ts";
import { BLOCK, type FixtureFile, makeFixture, temporaryFolder } from "./disk-fixture.ts";
import { NodeContent } from "./node-content.ts";
import { QuickLooks } from "./quick-looks.ts";
import { LayoutTable, shareLayout } from "./shared-layout.ts";
import { WorkerPool } from "./worker-pool.ts";

const SEEDED = { readOnly: true, existing: "claimed", throughLinks: true } as const;

/** A content whose files are in their places, on threads that did not start yet. */
function openContent(
  t: TestContext,
  files: readonly FixtureFile[],
  options: Parameters<typeof makeFixture>[4] = SEEDED,
) {
  const root = join(temporaryFolder(t), "root");
  const fixture = makeFixture(root, "hybrid", BLOCK, files, options);
  for (const { path, length } of files) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), new Uint8Array(length));
  }
  const pool = new WorkerPool({ workers: 1, openFilesMax: 10, log: SILENT_LOG });
  t.after(() => pool.close());
  const layout = shareLayout(fixture.layout);
  return { root, pool, layout, content: new NodeContent(pool, layout) };
}

function stampsOf(content: OpenContent): Promise<readonly FileStamp[] | DiskFailure> {
  return new Promise((resolve) => content.watch!.stamp(resolve));
}

const FEW = [
  { path: "a", length: BLOCK + 1 },
  { path: "d/b", length: 5 },
  { path: "empty", length: 0 },
];

test("a small seed is looked at without a thread, with what a thread would see", async (t) => {
  const { root, pool, content } = openContent(t, FEW);
  renameSync(join(root, "d/b"), join(root, "elsewhere"));
  symlinkSync(join(root, "elsewhere"), join(root, "d/b"));
  const quick = await stampsOf(content);
  await new Promise((resolve) => content.places.createEmpty(resolve));
  assert.ok(pool.isAsleep);
  assert.ok(!("code" in quick));
  const { size, mtimeMs, ino: inode } = statSync(join(root, "a"));
  assert.deepEqual(quick[0], { size, mtimeMs, inode, unfinished: false });
  assert.deepEqual(
    quick.map((stamp) => stamp.size),
    [BLOCK + 1, -1, 5, -1, 0],
  );
  await new Promise((resolve) => content.reopen([], resolve));
  assert.ok(!pool.isAsleep);
  assert.deepEqual(await stampsOf(content), quick);
});

for (const [what, change] of [
  ["a file is missing", (root: string) => rmSync(join(root, "a"))],
  ["a folder stands in a file's place", inTheWay],
  ["the root is gone", (root: string) => rmSync(root, { recursive: true })],
] as const) {
  test(`a thread looks when ${what}`, async (t) => {
    const { root, pool, content } = openContent(t, FEW);
    change(root);
    const stamps = await stampsOf(content);
    assert.ok(!pool.isAsleep);
    assert.ok(!("code" in stamps));
    assert.equal(stamps[0]!.size, -1);
  });
}

function inTheWay(root: string): void {
  rmSync(join(root, "a"));
  mkdirSync(join(root, "a"));
}

test("a thread looks when the disk is another than before (STO-5)", async (t) => {
  const { pool, content, layout } = openContent(t, FEW);
  await stampsOf(content);
  assert.ok(pool.isAsleep);
  layout.rootDevice[0]! += 1;
  const stamps = await stampsOf(content);
  assert.ok("code" in stamps && stamps.code === "ENODEV");
});

test("a thread looks at many files, and at files that are written to", async (t) => {
  const many = Array.from({ length: 33 }, (_, index) => ({ path: `f${index}`, length: BLOCK }));
  const large = openContent(t, many);
  assert.ok("length" in (await stampsOf(large.content)));
  assert.ok(!large.pool.isAsleep);

  const download = openContent(t, FEW, { existing: "own" });
  assert.ok("length" in (await stampsOf(download.content)));
  assert.ok(!download.pool.isAsleep);
});

test("looks wait for each other, but not for one on a disk that hangs", async (t) => {
  const { pool, content, layout } = openContent(t, FEW);
  const many = await Promise.all(Array.from({ length: 100 }, () => stampsOf(content)));
  assert.deepEqual(many[99], many[0]);
  assert.ok(pool.isAsleep);

  const hangs = Promise.withResolvers<Stats>();
  const looks = new QuickLooks({ stat: () => hangs.promise, waitMs: 1 });
  const table = new LayoutTable(layout);
  const first = looks.stamp(table);
  assert.equal(await looks.stamp(table), undefined, "a thread has to look");
  hangs.reject(Object.assign(new Error("gone"), { code: "EIO", syscall: "stat" }));
  assert.equal(await first, undefined);
});

test("a content that closes during a look is told what was seen, and closes behind it", async (t) => {
  const { pool, content } = openContent(t, FEW);
  const order: string[] = [];
  const looked = stampsOf(content).then((stamps) => order.push("code" in stamps ? "no" : "seen"));
  const closed = new Promise<void>((resolve) => content.close(resolve)).then(() => {
    order.push("closed");
  });
  await Promise.all([looked, closed]);
  assert.deepEqual(order, ["seen", "closed"]);
  assert.ok(pool.isAsleep);
});
