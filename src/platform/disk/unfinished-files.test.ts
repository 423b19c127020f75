import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { assertSameBytes } from "../../../test/fixtures/same-bytes.ts";
import { BLOCK, ContentCalls, makeFixture, openDisk, temporaryFolder } from "./disk-fixture.ts";

const FILES = [
  { path: "t/a", length: BLOCK * 2 + 100 },
  { path: "t/b", length: BLOCK * 3 },
  { path: "t/empty", length: 0 },
];
const LONG = { path: `t/${"n".repeat(252)}`, length: 10 };

function world(t: TestContext, files = FILES, unfinishedSuffix = ".part") {
  const root = temporaryFolder(t);
  const fixture = makeFixture(root, "v1", BLOCK, files, { unfinishedSuffix });
  const disk = openDisk(t);
  return {
    root,
    fixture,
    names: () => readdirSync(join(root, "t")).toSorted(),
    open: () => new ContentCalls(disk, fixture),
  };
}

test("files carry a suffix until they are finished, and are served meanwhile", async (t) => {
  const { root, fixture, names, open } = world(t);
  const calls = open();
  await calls.createEmpty();
  for (const { kind } of await calls.storeAll()) assert.equal(kind, "intact");
  assert.deepEqual(names(), ["a.part", "b.part", "empty"]);
  assert.deepEqual(await calls.sync(), { kind: "done" });
  const before = await calls.stamp();
  assert.deepEqual(await calls.finish([0, 1, 2]), { kind: "done" });
  assert.deepEqual(names(), ["a", "b", "empty"]);
  const after = await calls.stamp();
  assert.ok(!("code" in before) && !("code" in after));
  assert.deepEqual(
    after,
    before.map((stamp) => ({ ...stamp, unfinished: false })),
    "they are the same files",
  );
  assert.deepEqual(await calls.finish([0, 1, 2]), { kind: "done" }, "a second call does nothing");
  // One piece spans both files, and the workers' descriptors still lead to them.
  assert.equal((await calls.verify(2)).kind, "intact");
  assert.equal((await calls.store(2)).kind, "intact");
  assert.deepEqual(await calls.sync(), { kind: "done" });
  const { offset, length } = fixture.geometry.files[1]!;
  const bytes = new Uint8Array(readFileSync(join(root, "t/b")));
  assertSameBytes(bytes, fixture.space.subarray(offset, offset + length));
});

test("after a restart each file is found under the name it has", async (t) => {
  const { names, open } = world(t);
  let calls = open();
  await calls.storeAll();
  await calls.sync();
  await calls.finish([0]);
  await calls.close();
  calls = open();
  assert.deepEqual(await calls.check(), [true, true, true, true, true, true]);
  assert.equal((await calls.store(0)).kind, "intact");
  assert.deepEqual(names(), ["a", "b.part"]);
  assert.deepEqual(await calls.finish([0, 1]), { kind: "done" });
  assert.deepEqual(names(), ["a", "b"]);
});

test("an entry that took a file's final name meanwhile is not overwritten", async (t) => {
  const { root, names, open } = world(t);
  const calls = open();
  await calls.storeAll();
  writeFileSync(join(root, "t/b"), "mine");
  const refused = await calls.finish([0, 1]);
  assert.equal(refused.kind === "failure" && refused.code, "EEXIST");
  assert.equal(readFileSync(join(root, "t/b"), "utf8"), "mine");
  assert.deepEqual(names(), ["a", "b", "b.part"]);
});

test("a file that exists when the download begins keeps its name", async (t) => {
  const { root, fixture, names, open } = world(t);
  const calls = open();
  await calls.storeAll();
  await calls.finish([0]);
  await calls.close();
  // As left by a program without suffixes: under its final name, but incomplete.
  writeFileSync(join(root, "t/a"), fixture.space.subarray(0, BLOCK));
  const again = open();
  assert.deepEqual(await again.check([0, 1]), [
    true,
    false,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal((await again.store(1)).kind, "intact");
  assert.deepEqual(names(), ["a", "b.part"]);
});

test("bytes of an unwanted file leave the part file under the unfinished name", async (t) => {
  const { fixture, names, open } = world(t);
  const calls = open();
  await calls.setWanted([true, false, false]);
  for (const piece of [0, 1, 2]) await calls.store(piece);
  assert.deepEqual(await calls.finish([0, 1]), { kind: "done" });
  assert.deepEqual(names(), ["a"]);
  await calls.setWanted([true, true, true]);
  assert.deepEqual(names(), ["a", "b.part"]);
  assert.ok(!existsSync(fixture.layout.partFile));
  for (const piece of [3, 4, 5]) await calls.store(piece);
  assert.deepEqual(await calls.check(), [true, true, true, true, true, true]);
  await calls.finish([1]);
  assert.deepEqual(names(), ["a", "b"]);
});

test("a name without room for the suffix has none", async (t) => {
  const { names, open } = world(t, [LONG]);
  const calls = open();
  await calls.storeAll();
  assert.deepEqual(names(), [LONG.path.slice(2)]);
  assert.deepEqual(await calls.finish([0]), { kind: "done" });
  assert.deepEqual(names(), [LONG.path.slice(2)]);
});

test("a lost file starts again under its unfinished name", async (t) => {
  const { root, names, open } = world(t);
  const calls = open();
  await calls.storeAll();
  await calls.finish([0, 1]);
  rmSync(join(root, "t"), { recursive: true });
  await calls.reopen([0, 1]);
  for (const { kind } of await calls.storeAll()) assert.equal(kind, "intact");
  assert.deepEqual(names(), ["a.part", "b.part"]);
});
