import assert from "node:assert/strict";
import {
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { assertSameBytes } from "../../../test/fixtures/same-bytes.ts";
import type { DiskOutcome, FilePlaces } from "../../ports/content.ts";
import { ContentIo } from "./content-io.ts";
import { DiskRefusal } from "./disk-refusal.ts";
import { DescriptorBudget } from "./open-files.ts";
import { shareLayout } from "./shared-layout.ts";
import { BLOCK, ContentCalls, makeFixture, openDisk, temporaryFolder } from "./disk-fixture.ts";

/** Two pieces: `a` is the first and half of the second, `b` the rest. */
function twoFiles(t: TestContext) {
  const root = temporaryFolder(t);
  const files = [
    { path: "t/a", length: (BLOCK * 3) / 2 },
    { path: "t/b", length: BLOCK / 2 },
  ];
  const fixture = makeFixture(root, "v1", BLOCK, files, { existing: "claimed" });
  const bytesA = fixture.space.subarray(0, files[0]!.length);
  const bytesB = fixture.space.subarray(files[0]!.length);
  const calls = new ContentCalls(openDisk(t), fixture);
  mkdirSync(join(root, "t"));
  const at = (name: string): string => join(root, "t", name);
  return { root, calls, at, bytesA, bytesB };
}

function call(
  places: FilePlaces,
  what: "claim" | "setAside",
  files: readonly number[],
): Promise<DiskOutcome> {
  return new Promise((resolve) => places[what](files, resolve));
}

test("an existing file is not written to unless it is claimed", async (t) => {
  const { calls, at, bytesB } = twoFiles(t);
  writeFileSync(at("a"), "somebody's letter");
  for (let again = 0; again < 2; again += 1) {
    const verdict = await calls.store(0);
    assert.ok(verdict.kind === "failure" && verdict.code === "EEXIST");
    assert.equal(verdict.message, `${at("a")} is there already, and was not made by this download`);
  }
  assert.equal(readFileSync(at("a"), "utf8"), "somebody's letter");
  assert.ok(bytesB.length > 0);
  assert.deepEqual(readdirSync(at(".")), ["a"]);
});

test("a file that already holds the right bytes needs no writing: a piece spans it and a new file", async (t) => {
  const { calls, at, bytesA, bytesB } = twoFiles(t);
  writeFileSync(at("a"), bytesA);
  const before = lstatSync(at("a"), { bigint: true });
  assert.equal((await calls.store(1)).kind, "intact");
  const after = lstatSync(at("a"), { bigint: true });
  assert.deepEqual([after.ino, after.mtimeNs], [before.ino, before.mtimeNs]);
  assertSameBytes(readFileSync(at("b")), bytesB);
  assert.equal((await calls.verify(1)).kind, "intact");
});

test("a file created here stays writable, unless another file takes its place", async (t) => {
  const { calls, at } = twoFiles(t);
  assert.equal((await calls.store(0)).kind, "intact");
  assert.equal((await calls.store(1)).kind, "intact");
  renameSync(at("a"), at("a2"));
  writeFileSync(at("a"), "somebody's letter");
  await new Promise((resolve) => calls.content.watch!.reopen([], resolve));
  const verdict = await calls.store(0);
  assert.ok(verdict.kind === "failure" && verdict.code === "EEXIST");
  assert.equal(readFileSync(at("a"), "utf8"), "somebody's letter");
});

test("a claimed file is cut to its length, and one with other names is copied first", async (t) => {
  const { root, calls, at, bytesA, bytesB } = twoFiles(t);
  writeFileSync(at("a"), Buffer.alloc(BLOCK * 4, "x"), { mode: 0o640 });
  linkSync(at("a"), join(root, "precious"));
  writeFileSync(at("b"), Buffer.alloc(BLOCK, "y"));
  const inodeB = statSync(at("b")).ino;
  assert.deepEqual(await call(calls.content.places!, "claim", [0, 1]), { kind: "done" });
  for (const verdict of await calls.storeAll()) assert.equal(verdict.kind, "intact");
  assertSameBytes(readFileSync(at("a")), bytesA);
  assertSameBytes(readFileSync(at("b")), bytesB);
  assert.equal(statSync(at("b")).ino, inodeB, "a file without other names is not copied");
  assert.equal(statSync(at("a")).mode & 0o777, 0o640);
  assertSameBytes(readFileSync(join(root, "precious")), Buffer.alloc(BLOCK * 4, "x"));
  assert.deepEqual(readdirSync(at(".")).toSorted(), ["a", "b"].toSorted());
});

test("a link is not claimed: its target belongs to somebody", async (t) => {
  const { root, calls, at } = twoFiles(t);
  writeFileSync(join(root, "precious"), "x");
  symlinkSync("../precious", at("a"));
  const outcome = await call(calls.content.places!, "claim", [0]);
  assert.ok(outcome.kind === "failure" && outcome.code === "ELOOP");
  assert.equal(readFileSync(join(root, "precious"), "utf8"), "x");
});

test("files are set aside under free names", async (t) => {
  const { calls, at } = twoFiles(t);
  for (const [name, text] of [
    ["a", "new"],
    ["a (old)", "older"],
    ["b", "another"],
  ] as const) {
    writeFileSync(at(name), text);
  }
  // They were examined, and are known to have existed.
  assert.equal((await calls.verify(0)).kind, "corrupt");
  assert.deepEqual(await call(calls.content.places!, "setAside", [0, 1]), { kind: "done" });
  for (const verdict of await calls.storeAll()) assert.equal(verdict.kind, "intact");
  assert.deepEqual(readdirSync(at(".")).toSorted(), ["a", "a (old 2)", "a (old)", "b", "b (old)"]);
  assert.equal(readFileSync(at("a (old)"), "utf8"), "older");
  assert.equal(readFileSync(at("a (old 2)"), "utf8"), "new");
});

test("content behind links is read through them, and never written", async (t) => {
  const root = temporaryFolder(t);
  const elsewhere = temporaryFolder(t);
  const files = [
    { path: "t/d/a", length: BLOCK },
    { path: "t/b", length: BLOCK },
  ];
  const options = { readOnly: true, existing: "claimed", throughLinks: true } as const;
  const fixture = makeFixture(root, "v1", BLOCK, files, options);
  mkdirSync(join(root, "t"));
  writeFileSync(join(elsewhere, "a"), fixture.space.subarray(0, BLOCK));
  writeFileSync(join(elsewhere, "c"), fixture.space.subarray(BLOCK));
  symlinkSync(elsewhere, join(root, "t/d"));
  symlinkSync(join(elsewhere, "c"), join(root, "t/b"));
  const calls = new ContentCalls(openDisk(t), fixture);
  assert.deepEqual(await calls.check(), [true, true]);
  const stamps = await calls.stamp();
  assert.ok(Array.isArray(stamps) && stamps.every(({ size }) => size === BLOCK));
  const verdict = await calls.store(0);
  assert.ok(verdict.kind === "failure" && verdict.code === "EROFS");
});

test("a file that somebody creates just before ours is not written to", (t) => {
  const root = temporaryFolder(t);
  const fixture = makeFixture(root, "v1", BLOCK, [{ path: "f", length: BLOCK }], {
    existing: "claimed",
  });
  /** Runs between the check that finds nothing and the creation of the file. */
  class Interrupted extends DescriptorBudget {
    override open(path: string, flags: number, permissions?: number): number {
      if ((flags & constants.O_CREAT) !== 0) writeFileSync(join(root, "f"), "somebody's letter");
      return super.open(path, flags, permissions);
    }
  }
  const io = new ContentIo(shareLayout(fixture.layout), new Interrupted(10));
  t.after(() => io.files.end());
  for (let again = 0; again < 2; again += 1) {
    assert.throws(
      () => io.write(0, fixture.space),
      (error) => error instanceof DiskRefusal && error.failure.code === "EEXIST",
    );
    assert.equal(readFileSync(join(root, "f"), "utf8"), "somebody's letter");
  }
});
