import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { removeLeftovers, writeAtomically } from "./atomic-file.ts";
import { isTemporaryName, temporaryPath } from "./temporary-name.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "everseed-atomic-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("a write that fails leaves the old file and nothing else (house rule 11)", async (t) => {
  const root = folder(t);
  const path = join(root, "state");
  mkdirSync(path);
  writeFileSync(join(path, "old"), "kept");
  await assert.rejects(writeAtomically(path, Buffer.from("new")), { code: "EISDIR" });
  assert.deepEqual(readdirSync(root), ["state"]);
  assert.equal(readFileSync(join(path, "old"), "utf8"), "kept");
  await assert.rejects(writeAtomically(join(root, "none", "x"), Buffer.from("y")), {
    code: "ENOENT",
  });
});

test("the file is replaced as a whole and for its owner only (CLI-3)", async (t) => {
  const root = folder(t);
  const path = join(root, "state");
  await writeAtomically(path, Buffer.from("first and longer"));
  await Promise.all([
    writeAtomically(path, Buffer.from("second")),
    writeAtomically(path, Buffer.from("second")),
  ]);
  assert.equal(readFileSync(path, "utf8"), "second");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(root), ["state"]);
});

test("files left by a crash are recognised by name and age, and nothing else is removed (STO-14)", async (t) => {
  const root = folder(t);
  const left = temporaryPath(join(root, "x".repeat(255)), "1-1");
  writeFileSync(left, "half");
  writeFileSync(join(root, "notes.tmp"), "mine");
  const { mtimeMs } = statSync(left);
  assert.deepEqual(await removeLeftovers(root, mtimeMs), []);
  const removed = await removeLeftovers(root, mtimeMs + 1);
  assert.ok(removed.length === 1 && isTemporaryName(removed[0]!));
  assert.deepEqual(readdirSync(root), ["notes.tmp"]);
});
