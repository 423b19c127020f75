import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { listFiles } from "./walk-files.ts";

/** A user who owns nothing. */
const NOBODY = 65_534;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "everseed-walk-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("a missing path rejects with the system's error", async (t) => {
  await assert.rejects(listFiles(join(folder(t), "nothing")), { code: "ENOENT" });
});

test("links, sockets, pipes and names that are not text are left out, with the reason (MET-24)", async (t) => {
  const root = folder(t);
  writeFileSync(join(root, "plain"), "12345");
  symlinkSync("plain", join(root, "link"));
  symlinkSync("..", join(root, "up"));
  execFileSync("mkfifo", [join(root, "pipe")]);
  const server = createServer().listen(join(root, "socket"));
  t.after(() => server.close());
  writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff, 0xfe)]), "x");
  await new Promise((resolve) => server.once("listening", resolve));
  const listing = await listFiles(root);
  assert.deepEqual(
    listing.files.map(({ path, length }) => [path, length]),
    [[["plain"], 5]],
  );
  assert.deepEqual(
    listing.skipped.map(({ path, why }) => [path[0]!.slice(0, 6), why]),
    [
      ["bad\ufffd\ufffd", "bad-name"],
      ["link", "link"],
      ["pipe", "special"],
      ["socket", "special"],
      ["up", "link"],
    ],
  );
});

const isLinux = process.platform === "linux";

test(
  "MET-25: files that the kernel generates are left out, even a single file",
  { skip: !isLinux },
  async (t) => {
    const folders = await listFiles("/proc/self/net");
    assert.deepEqual(folders.files, []);
    assert.ok(folders.skipped.some(({ path, why }) => path[0] === "tcp" && why === "made-up"));
    const alone = await listFiles("/proc/self/maps");
    assert.deepEqual(alone.files, []);
    assert.deepEqual(
      alone.skipped.map(({ why }) => why),
      ["made-up"],
    );
    const linked = join(folder(t), "linked");
    symlinkSync("/proc/version", linked);
    assert.deepEqual((await listFiles(linked)).files, [], "through a link that a person names");
  },
);

test("files in preparation, or left by a killed run, are left out (STO-14)", async (t) => {
  const root = folder(t);
  writeFileSync(join(root, ".x.1.everseed-tmp"), "half");
  writeFileSync(join(root, "x"), "whole");
  const { files, skipped } = await listFiles(root);
  assert.deepEqual(
    files.map(({ path }) => path),
    [["x"]],
  );
  assert.deepEqual(skipped, [{ path: [".x.1.everseed-tmp"], why: "leftover" }]);
});

test("a name that is not UTF-8 is not mistaken for its neighbour, whose name looks the same", async (t) => {
  const root = folder(t);
  writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff)]), "another");
  mkdirSync(Buffer.concat([Buffer.from(`${root}/folder`), Buffer.of(0xff)]));
  writeFileSync(
    Buffer.concat([Buffer.from(`${root}/folder`), Buffer.of(0xff), Buffer.from("/x")]),
    "",
  );
  writeFileSync(join(root, "bad\ufffd"), "x");
  const { files, skipped } = await listFiles(root);
  assert.deepEqual(
    files.map(({ path, length }) => [path, length]),
    [[["bad\ufffd"], 1]],
  );
  assert.deepEqual(
    skipped.map(({ path, why }) => [path[0], why]),
    [
      ["bad\ufffd", "bad-name"],
      ["folder\ufffd", "bad-name"],
    ],
  );
});

test("unreadable files and folders are left out, with the reason (MET-24)", async (t) => {
  const root = folder(t);
  mkdirSync(join(root, "closed"));
  writeFileSync(join(root, "secret"), "x");
  chmodSync(join(root, "closed"), 0);
  chmodSync(join(root, "secret"), 0);
  chmodSync(root, 0o755);
  // Root can read everything.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid!(NOBODY);
  const { files, skipped } = await listFiles(root).finally(() => {
    if (isRoot) process.seteuid!(0);
    chmodSync(join(root, "closed"), 0o700);
  });
  assert.deepEqual(files, []);
  assert.deepEqual(
    skipped.map(({ why }) => why),
    ["unreadable", "unreadable"],
  );
});

test("files are ordered by the bytes of their names, folder by folder", async (t) => {
  const root = folder(t);
  for (const path of ["b/2", "b/10", "a", "é", "Z", "b.txt", "ｚ", "𐐀"]) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), path);
  }
  chmodSync(join(root, "a"), 0o755);
  const { files, name, folder: isFolder } = await listFiles(root);
  assert.ok(isFolder && root.endsWith(name));
  assert.deepEqual(
    files.map(({ path }) => path.join("/")),
    ["Z", "a", "b/10", "b/2", "b.txt", "é", "ｚ", "𐐀"],
  );
  assert.deepEqual(
    files.filter(({ executable }) => executable).map(({ path }) => path[0]),
    ["a"],
  );
});

test("one file stands for itself, also through a link", async (t) => {
  const root = folder(t);
  writeFileSync(join(root, "f"), "123");
  symlinkSync("f", join(root, "link"));
  for (const name of ["f", "link"]) {
    const listing = await listFiles(join(root, name));
    assert.deepEqual(
      [
        listing.name,
        listing.folder,
        listing.root,
        listing.files[0]?.path,
        listing.files[0]?.length,
      ],
      [name, false, realpathSync(root), ["f"], 3],
    );
  }
});

test("cancelling ends the walk", async (t) => {
  const root = folder(t);
  for (let i = 0; i < 600; i += 1) writeFileSync(join(root, `${i}`), "");
  await assert.rejects(listFiles(root, { signal: AbortSignal.abort(new Error("enough")) }), {
    message: "enough",
  });
});
