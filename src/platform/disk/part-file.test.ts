import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { assertSameBytes } from "../../../test/fixtures/same-bytes.ts";
import { BLOCK, ContentCalls, makeFixture, openDisk, temporaryFolder } from "./disk-fixture.ts";

const FILES = [
  { path: "t/a", length: BLOCK * 2 + 100 },
  { path: "t/b", length: BLOCK * 3 },
  { path: "t/c", length: BLOCK * 2 },
];

function world(t: TestContext) {
  const root = temporaryFolder(t);
  const fixture = makeFixture(root, "v1", BLOCK, FILES);
  const disk = openDisk(t);
  const bytesOf = (index: number): Uint8Array => {
    const { offset, length } = fixture.geometry.files[index]!;
    return fixture.space.subarray(offset, offset + length);
  };
  return { root, fixture, bytesOf, open: () => new ContentCalls(disk, fixture) };
}

test("pieces shared with unwanted files are kept, judged and served without those files", async (t) => {
  const { root, fixture, bytesOf, open } = world(t);
  const calls = open();
  await calls.setWanted([true, false, false]);
  for (const piece of [0, 1, 2]) assert.equal((await calls.store(piece)).kind, "intact");
  assertSameBytes(readFileSync(join(root, "t/a")), bytesOf(0));
  assert.ok(!existsSync(join(root, "t/b")));
  assert.ok(statSync(fixture.layout.partFile).blocks * 512 <= BLOCK * 2, "the part file is sparse");
  assert.equal((await calls.verify(2)).kind, "intact");
  const bytes = await calls.read([{ piece: 2, begin: 50, length: 1000 }]);
  const at = BLOCK * 2 + 50;
  assert.deepEqual(
    Buffer.from(bytes as Uint8Array),
    Buffer.from(fixture.space.slice(at, at + 1000)),
  );
  assert.deepEqual(await calls.sync(), { kind: "done" });
  const stamps = await calls.stamp();
  assert.ok(Array.isArray(stamps) && stamps[1]!.size === -1);
});

for (const restarted of [false, true]) {
  const when = restarted ? "after a restart" : "in the same run";
  test(`a file that becomes wanted takes its bytes out of the part file, ${when}`, async (t) => {
    const { root, fixture, bytesOf, open } = world(t);
    let calls = open();
    await calls.setWanted([true, false, true]);
    for (const piece of [0, 1, 2, 5, 6]) assert.equal((await calls.store(piece)).kind, "intact");
    if (restarted) {
      await calls.close();
      calls = open();
    }
    assert.deepEqual(await calls.setWanted([true, true, true]), { kind: "done" });
    assert.ok(!existsSync(fixture.layout.partFile), "it has nothing left to hold");
    for (const piece of [2, 5]) assert.equal((await calls.verify(piece)).kind, "intact");
    for (const piece of [3, 4]) assert.equal((await calls.store(piece)).kind, "intact");
    assertSameBytes(readFileSync(join(root, "t/b")), bytesOf(1));
    assert.deepEqual(await calls.sync(), { kind: "done" });
    assert.deepEqual(readdirSync(join(root, "t")), ["a", "b", "c"]);
  });
}

test("a piece from the middle of an unwanted file still arrives, and creates the file", async (t) => {
  const { root, bytesOf, open } = world(t);
  const calls = open();
  await calls.setWanted([true, false, true]);
  const verdicts = await Promise.all([2, 3, 5, 4, 6].map((piece) => calls.store(piece)));
  for (const verdict of verdicts) assert.equal(verdict.kind, "intact");
  assertSameBytes(readFileSync(join(root, "t/b")), bytesOf(1));
  for (const piece of [2, 3, 4, 5]) assert.equal((await calls.verify(piece)).kind, "intact");
});

test("a piece from the middle that arrives while its file becomes unwanted is not lost", async (t) => {
  const { root, bytesOf, open } = world(t);
  const calls = open();
  const outcomes = await Promise.all([
    calls.setWanted([true, false, true]),
    calls.store(3),
    calls.store(4),
  ]);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["done", "intact", "intact"],
  );
  for (const piece of [2, 5]) await calls.store(piece);
  await calls.setWanted([true, true, true]);
  assertSameBytes(readFileSync(join(root, "t/b")), bytesOf(1));
});

test("an existing file keeps its bytes when it becomes unwanted", async (t) => {
  const { root, fixture, open } = world(t);
  const calls = open();
  await calls.storeAll();
  await calls.setWanted([true, false, true]);
  assert.ok(!existsSync(fixture.layout.partFile));
  assert.equal((await calls.verify(2)).kind, "intact");
  const judged = await calls.check();
  assert.ok(Array.isArray(judged) && judged.every((intact) => intact === true));
  assert.ok(existsSync(join(root, "t/b")));
});

test("a temporary file left by a crash is overwritten, a file that appeared is written into (STO-14)", async (t) => {
  const { root, bytesOf, open } = world(t);
  const calls = open();
  await calls.setWanted([true, false, true]);
  for (const piece of [0, 1, 2, 5, 6]) await calls.store(piece);
  writeFileSync(join(root, "t/.b.part-1.everseed-tmp"), "half of something longer");
  writeFileSync(join(root, "t/b"), "");
  assert.deepEqual(await calls.setWanted([true, true, true]), { kind: "done" });
  for (const piece of [3, 4, 7]) await calls.store(piece);
  assertSameBytes(readFileSync(join(root, "t/b")), bytesOf(1));
  const judged = await calls.check();
  assert.ok(Array.isArray(judged) && judged.every((intact) => intact === true));
});
