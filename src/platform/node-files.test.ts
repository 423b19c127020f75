import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { makeFolders, NodeFiles } from "./node-files.ts";

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "everseed-files-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const files = new NodeFiles();

test("an absent file, a folder and a link are not opened", async (t) => {
  const root = folder(t);
  writeFileSync(join(root, "file"), "x");
  symlinkSync("file", join(root, "link"));
  assert.equal(await files.openRead(join(root, "gone")), undefined);
  assert.equal(await files.openRead(join(root, "file/below")), undefined);
  assert.equal(await files.openRead(root), undefined);
  assert.equal(await files.openRead(join(root, "link")), undefined);
  assert.equal(await files.read(join(root, "gone")), undefined);
  assert.equal(await files.stat(join(root, "gone")), undefined);
  assert.deepEqual(await files.list(join(root, "gone")), []);
  await files.remove(join(root, "gone"));
});

test("STO-12: folders are created with their parents, by several calls at once, and refusals end", async (t) => {
  const root = folder(t);
  const deep = join(root, "a/b/c");
  await Promise.all(
    [deep, deep, join(root, "a/b/d"), join(root, "a")].map((path) => makeFolders(path)),
  );
  await makeFolders(deep);
  await makeFolders("/");
  assert.deepEqual(readdirSync(join(root, "a/b")), ["c", "d"]);
  writeFileSync(join(root, "file"), "");
  await assert.rejects(makeFolders(join(root, "file")), { code: "EEXIST" });
  await assert.rejects(makeFolders(join(root, "file/below")), { code: "ENOTDIR" });
  symlinkSync("nowhere", join(root, "link"));
  await assert.rejects(makeFolders(join(root, "link")), { code: "EEXIST" });
  // Node's own mkdir loops for ever there.
  await assert.rejects(makeFolders("/proc/1/no/folder"), { code: "ENOENT" });
});

test("STO-9: a file system without a size has unlimited room", async () => {
  assert.equal(await files.freeBytes("/proc"), Number.POSITIVE_INFINITY);
  assert.ok(Number.isFinite(await files.freeBytes(tmpdir())));
});

test("STO-14: a write that fails leaves no temporary file", async (t) => {
  const root = folder(t);
  await files.makeFolder(join(root, "target"));
  writeFileSync(join(root, "target/full"), "x");
  await assert.rejects(files.write(join(root, "target"), encodeUtf8("x")));
  assert.deepEqual(readdirSync(root), ["target"]);
});

test("CLI-3: files and folders are created for their owner only", async (t) => {
  const root = folder(t);
  await files.write(join(root, "a/b/file"), encodeUtf8("hello"));
  assert.equal(statSync(join(root, "a/b")).mode & 0o777, 0o700);
  assert.equal(statSync(join(root, "a/b/file")).mode & 0o777, 0o600);
  await files.write(join(root, "a/b/file"), encodeUtf8("again"));
  assert.deepEqual(await files.read(join(root, "a/b/file")), Buffer.from("again"));
  assert.deepEqual(readdirSync(join(root, "a/b")), ["file"]);
});

test("a journal is truncated to its valid length and grows from there", async (t) => {
  const path = join(folder(t), "new/journal");
  const first = await files.openAppend(path, 0);
  await first.append(encodeUtf8("abc"));
  await first.append(encodeUtf8("defg"));
  await first.close();
  const second = await files.openAppend(path, 3);
  await second.append(encodeUtf8("X"));
  await second.close();
  assert.deepEqual(await files.read(path), Buffer.from("abcX"));
});

test("a folder moves; a link replaces a file in one step", async (t) => {
  const root = folder(t);
  await files.write(join(root, "from/x/one"), encodeUtf8("1"));
  await files.move(join(root, "from/x"), join(root, "to/deep/x"));
  assert.deepEqual(await files.list(join(root, "from")), []);
  await files.write(join(root, "two"), encodeUtf8("1"));
  for (let again = 0; again < 2; again += 1) {
    await files.replaceByLink(join(root, "to/deep/x/one"), join(root, "two"));
    assert.equal(statSync(join(root, "two")).ino, statSync(join(root, "to/deep/x/one")).ino);
    assert.deepEqual((await files.list(root)).toSorted(), ["from", "to", "two"]);
  }
});

test("a read returns what is there, and less at the end", async (t) => {
  const path = join(folder(t), "file");
  writeFileSync(path, "0123456789");
  const file = await files.openRead(path);
  assert.ok(file);
  const into = new Uint8Array(6);
  assert.equal(await file.read(into, 2), 6);
  assert.deepEqual(into, new Uint8Array(encodeUtf8("234567")));
  assert.equal(await file.read(into, 7), 3);
  assert.equal(await file.read(into, 10), 0);
  assert.equal(file.size, 10);
  await file.close();
  assert.ok((await files.freeBytes(path)) > 0);
});
