import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { copyFile, link } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { DuplicateOptions } from "../ports/user-files.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { type DuplicateCalls, duplicateFile } from "./duplicate-file.ts";
import { NodeUserFiles } from "./node-user-files.ts";

const LENGTH = 3 * 1024 * 1024 + 17;

function refusal(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}

/** A disk that shares no blocks. */
const PLAIN: DuplicateCalls = {
  link,
  reflink: refusal("EOPNOTSUPP"),
  freeBytes: async () => Number.POSITIVE_INFINITY,
};

function prepare(t: TestContext) {
  const folder = temporaryFolder(t, "duplicate");
  const bytes = Buffer.from(Array.from({ length: LENGTH }, (_, index) => (index * 31) % 251));
  const entries = {
    source: join(folder, "a.bin"),
    target: join(folder, "b.bin"),
    partial: join(folder, ".taking"),
  };
  writeFileSync(entries.source, bytes, { mode: 0o640 });
  return { folder, bytes, entries };
}

function options(more: Partial<DuplicateOptions> = {}): DuplicateOptions {
  const { signal } = new AbortController();
  return { length: LENGTH, mayLink: false, partial: "", signal, onBytes: () => undefined, ...more };
}

test("a copy in slices has the same bytes and rights, is a file of its own, and says how far it is", async (t) => {
  const { folder, bytes, entries } = prepare(t);
  // What a kill has left.
  writeFileSync(entries.partial, "old");
  let told = 0;
  const onBytes = (count: number): void => void (told += count);
  assert.equal(await duplicateFile(entries, options({ onBytes }), PLAIN), "copied");
  assert.deepEqual(readFileSync(entries.target), bytes);
  assert.equal(told, LENGTH);
  assert.equal(statSync(entries.target).mode & 0o777, 0o640);
  assert.notEqual(statSync(entries.target).ino, statSync(entries.source).ino);
  assert.deepEqual(readdirSync(folder).toSorted(), ["a.bin", "b.bin"]);
});

test("a disk that shares blocks is asked first, then for a second name where that will do", async (t) => {
  const asked: string[] = [];
  for (const { mayLink, shares, how } of [
    { mayLink: true, shares: true, how: "shared" },
    { mayLink: true, shares: false, how: "linked" },
    { mayLink: false, shares: false, how: "copied" },
  ]) {
    const { bytes, entries } = prepare(t);
    const calls: DuplicateCalls = {
      ...PLAIN,
      reflink: async (source, target) => {
        asked.push(how);
        await (shares ? copyFile(source, target) : PLAIN.reflink(source, target));
      },
    };
    assert.equal(await duplicateFile(entries, options({ mayLink }), calls), how);
    assert.deepEqual(readFileSync(entries.target), bytes);
    const isSame = statSync(entries.target).ino === statSync(entries.source).ino;
    assert.equal(isSame, how === "linked");
  }
  assert.deepEqual(asked, ["shared", "linked", "copied"]);
});

for (const code of ["EPERM", "EMLINK", "EXDEV"]) {
  test(`between two disks, and where there are no links (${code}), the file is copied`, async (t) => {
    const { bytes, entries } = prepare(t);
    const calls = { ...PLAIN, reflink: refusal("EXDEV"), link: refusal(code) };
    assert.equal(await duplicateFile(entries, options({ mayLink: true }), calls), "copied");
    assert.deepEqual(readFileSync(entries.target), bytes);
  });
}

test("STO-4 too little room is found out before the copy, with the bytes that are missing", async (t) => {
  const { folder, entries } = prepare(t);
  const calls = { ...PLAIN, freeBytes: async () => 1_000 };
  const missingBytes = LENGTH - 1_000;
  await assert.rejects(duplicateFile(entries, options(), calls), { code: "ENOSPC", missingBytes });
  assert.deepEqual(readdirSync(folder), ["a.bin"]);
});

test("STO-6 a file that changes, shrinks or is another one meanwhile is not taken, and nothing is left", async (t) => {
  for (const change of ["grows", "has another length"] as const) {
    const { folder, entries } = prepare(t);
    let isFirst = true;
    const onBytes = (): void => {
      if (change === "grows" && isFirst) appendFileSync(entries.source, "more");
      isFirst = false;
    };
    const length = change === "grows" ? LENGTH : LENGTH + 1;
    const taking = duplicateFile(entries, options({ length, onBytes }), PLAIN);
    await assert.rejects(taking, { code: "ESTALE" });
    assert.deepEqual(readdirSync(folder), ["a.bin"], change);
  }
});

test("a copy ends after its slice when it is given up", async (t) => {
  const { folder, entries } = prepare(t);
  const giveUp = new AbortController();
  const onBytes = (): void => giveUp.abort();
  const taking = duplicateFile(entries, options({ signal: giveUp.signal, onBytes }), PLAIN);
  await assert.rejects(taking, { name: "AbortError" });
  assert.deepEqual(readdirSync(folder), ["a.bin"]);
});

test("a name that is taken stays, and a source that is no plain file is refused", async (t) => {
  const { folder, entries } = prepare(t);
  writeFileSync(entries.target, "somebody's");
  await assert.rejects(duplicateFile(entries, options(), PLAIN), { code: "EEXIST" });
  assert.equal(readFileSync(entries.target, "utf8"), "somebody's");
  mkdirSync(join(folder, "c"));
  const other = { ...entries, source: join(folder, "c"), target: join(folder, "d") };
  await assert.rejects(duplicateFile(other, options(), PLAIN), { code: "ESTALE" });
  assert.deepEqual(readdirSync(folder).toSorted(), ["a.bin", "b.bin", "c"]);
});

test("the files below a folder: a new folder is made, and no link on the way is followed", async (t) => {
  const { folder, bytes, entries } = prepare(t);
  const root = join(folder, "root");
  mkdirSync(root);
  const files = new NodeUserFiles().below(root);
  t.after(() => files.close());
  const to = join(root, "new", "b.bin");
  const partial = join(root, "new", ".taking");
  await files.duplicate(entries.source, to, options({ partial }));
  assert.deepEqual(readFileSync(to), bytes);
  assert.deepEqual(readdirSync(join(root, "new")), ["b.bin"]);
  mkdirSync(join(folder, "outside"));
  symlinkSync(join(folder, "outside"), join(root, "way"));
  const outside = join(root, "way", "b.bin");
  await assert.rejects(
    files.duplicate(entries.source, outside, options({ partial: join(root, "way", ".taking") })),
    { code: "ELOOP" },
  );
  assert.deepEqual(readdirSync(join(folder, "outside")), []);
});
