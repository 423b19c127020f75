import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { temporaryFolder } from "./disk/disk-fixture.ts";
import { raceSwaps } from "./disk/swap-race.ts";
import { hasDescriptorPaths } from "./disk/open-folders.ts";
import { FilesError } from "./guarded-paths.ts";
import { NodeFiles } from "./node-files.ts";

const BYTES = encodeUtf8("ours");

/** A data folder with `a/b/file`, and the same names outside it. */
function world(t: TestContext) {
  const root = temporaryFolder(t);
  const outside = temporaryFolder(t);
  for (const folder of [join(root, "a/b/sub"), join(root, "c"), join(outside, "b/sub")]) {
    mkdirSync(folder, { recursive: true });
  }
  writeFileSync(join(root, "a/b/file"), "ours");
  writeFileSync(join(root, "c/other"), "ours too");
  writeFileSync(join(outside, "b/file"), "a stranger's");
  writeFileSync(join(outside, "b/sub/deep"), "a stranger's");
  const files = new NodeFiles(root);
  t.after(() => files.close());
  return { root, outside, files, at: (path: string) => join(root, path) };
}

type World = ReturnType<typeof world>;

const ELOOP = { code: "ELOOP" };

/**
 * Each operation on an entry below a folder that became a link; a read behaves as if nothing were
 * there.
 */
const operations: readonly (readonly [name: string, act: (world: World) => Promise<void>])[] = [
  ["read", ({ files, at }) => assert.rejects(files.read(at("a/b/file")), ELOOP)],
  ["write", ({ files, at }) => assert.rejects(files.write(at("a/b/file"), BYTES), ELOOP)],
  ["write anew", ({ files, at }) => assert.rejects(files.write(at("a/b/x/new"), BYTES), ELOOP)],
  ["append", ({ files, at }) => assert.rejects(files.openAppend(at("a/b/file"), 0), ELOOP)],
  ["open", async ({ files, at }) => assert.equal(await files.openRead(at("a/b/file")), undefined)],
  ["make a folder", ({ files, at }) => assert.rejects(files.makeFolder(at("a/b/new")), ELOOP)],
  ["move from", ({ files, at }) => assert.rejects(files.move(at("a/b/file"), at("c/file")), ELOOP)],
  ["move to", ({ files, at }) => assert.rejects(files.move(at("c/other"), at("a/b/file")), ELOOP)],
  [
    "link from",
    ({ files, at }) => assert.rejects(files.replaceByLink(at("a/b/file"), at("c/other")), ELOOP),
  ],
  [
    "link to",
    ({ files, at }) => assert.rejects(files.replaceByLink(at("c/other"), at("a/b/file")), ELOOP),
  ],
  ["remove a file", ({ files, at }) => assert.rejects(files.remove(at("a/b/file")), ELOOP)],
  ["remove a folder", ({ files, at }) => assert.rejects(files.remove(at("a/b/sub")), ELOOP)],
  ["list", ({ files, at }) => assert.rejects(files.list(at("a/b")), ELOOP)],
  ["look at", async ({ files, at }) => assert.equal(await files.stat(at("a/b/file")), undefined)],
];
for (const [name, act] of operations) {
  for (const isWarm of [false, true]) {
    const when = isWarm ? "while it is open" : "before it is used";
    test(`SYN-6: ${name}: a folder in the middle that became a link ${when} is not followed`, async (t) => {
      const all = world(t);
      if (isWarm) assert.deepEqual(await all.files.read(all.at("a/b/file")), Buffer.from("ours"));
      renameSync(all.at("a"), all.at("was-a"));
      symlinkSync(all.outside, all.at("a"));
      await act(all);
      assert.deepEqual(readdirSync(all.outside, { recursive: true }).map(String).toSorted(), [
        "b",
        "b/file",
        "b/sub",
        "b/sub/deep",
      ]);
      assert.equal(readFileSync(join(all.outside, "b/file"), "utf8"), "a stranger's");
      assert.equal(lstatSync(join(all.outside, "b/file")).nlink, 1);
      assert.equal(readFileSync(all.at("was-a/b/file"), "utf8"), "ours");
      assert.deepEqual(readdirSync(all.at("c")), ["other"]);
      // The folder is back, and no trace of the link remains.
      rmSync(all.at("a"));
      renameSync(all.at("was-a"), all.at("a"));
      assert.deepEqual(await all.files.read(all.at("a/b/file")), Buffer.from("ours"));
    });
  }
}

test("SYN-6: a link in the last component is itself replaced, moved or removed, and never read through", async (t) => {
  const { root, outside, files, at } = world(t);
  const secret = join(outside, "b/file");
  const link = (name: string): string => {
    symlinkSync(secret, at(name));
    return at(name);
  };
  await assert.rejects(files.read(link("read")), ELOOP);
  await assert.rejects(files.openAppend(link("append"), 0), ELOOP);
  assert.equal(await files.openRead(link("open")), undefined);
  await assert.rejects(files.replaceByLink(link("linked"), at("c/other")), ELOOP);
  await files.write(link("write"), BYTES);
  assert.ok(lstatSync(at("write")).isFile());
  await files.move(link("moved"), at("c/moved"));
  assert.ok(lstatSync(at("c/moved")).isSymbolicLink());
  await files.remove(link("removed"));
  symlinkSync(join(outside, "b"), at("a/b/folder"));
  await files.remove(at("a"));
  assert.equal(readFileSync(secret, "utf8"), "a stranger's");
  assert.equal(statSync(secret).nlink, 1);
  assert.deepEqual(readdirSync(outside), ["b"]);
  assert.deepEqual(
    readdirSync(root).filter((name) => name.includes("tmp")),
    [],
  );
});

test("HUB-33: a pipe, a socket or a device in a file's place is refused at once", async (t) => {
  const { files, at } = world(t);
  execFileSync("mkfifo", [at("pipe")]);
  await assert.rejects(files.read(at("pipe")), { code: "EINVAL" });
  await assert.rejects(files.openAppend(at("pipe"), 0), { code: "EINVAL" });
  assert.equal(await files.openRead(at("pipe")), undefined);
  await assert.rejects(files.read(at("c")), { code: "EISDIR" });
  await assert.rejects(new NodeFiles().read("/dev/zero"), { code: "EINVAL" });
  await files.write(at("pipe"), BYTES);
  assert.deepEqual(await files.read(at("pipe")), Buffer.from("ours"), "a file takes its place");
});

test("a path with dots, the root itself and paths elsewhere work as usual", async (t) => {
  const { root, outside, files, at } = world(t);
  assert.deepEqual(await files.read(`${root}/a/../c/./other`), Buffer.from("ours too"));
  assert.deepEqual((await files.list(root)).toSorted(), ["a", "c"]);
  assert.equal((await files.stat(root))?.folder, true);
  // Outside the root, links on the way belong to the owner, as before.
  symlinkSync(outside, join(outside, "loop"));
  assert.ok(await files.read(join(outside, "loop/b/file")));
  assert.ok(await files.read(`${root}/../${outside.split("/").at(-1)}/b/file`));
  await files.makeFolder(root);
  await assert.rejects(files.list(at("a/b/file")).then((names) => names[0]!.length));
});

test("an error names the path, not the descriptor it went through", async (t) => {
  const { files, at } = world(t);
  await assert.rejects(files.move(at("a/gone"), at("c/gone")), {
    code: "ENOENT",
    message: `${at("a/gone")} is not there`,
  });
  await assert.rejects(files.write(at("a/b"), BYTES), { code: "EISDIR", path: at("a/b") });
});

test("a tree of 300 files, folders, links and names of all kinds is removed; hard links elsewhere stay", async (t) => {
  const { root, outside, files, at } = world(t);
  const kept = join(outside, "kept");
  for (let index = 0; index < 300; index += 1) {
    const folder = at(`a/tree/${index % 7}/${index % 3}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index} ü\n`), "x");
  }
  writeFileSync(at("a/tree/linked"), "kept");
  linkSync(at("a/tree/linked"), kept);
  symlinkSync(outside, at("a/tree/0/outside"));
  execFileSync("mkfifo", [at("a/tree/pipe")]);
  await files.remove(at("a/tree"));
  assert.deepEqual(readdirSync(at("a")), ["b"]);
  assert.equal(readFileSync(kept, "utf8"), "kept");
  assert.ok(readdirSync(outside).includes("b"));
  await files.remove(root);
});

test(
  "SYN-6: a folder that is repeatedly swapped for a link never leads a hub's reads and moves outside",
  { skip: hasDescriptorPaths() ? false : "this system opens no file from a descriptor" },
  async (t) => {
    const { root, outside, files, at } = world(t);
    const acts: readonly (() => Promise<unknown>)[] = [
      () => files.write(at("a/b/new"), BYTES),
      async () => {
        const bytes = await files.read(at("a/b/file"));
        if (bytes) assert.deepEqual(bytes, Buffer.from("ours"));
      },
      () => files.write(at("a/b/sub/one"), BYTES),
      () => files.remove(at("a/b/sub")),
      () => files.write(at("c/moving"), BYTES),
      () => files.move(at("c/moving"), at("a/b/moving")),
      () => files.replaceByLink(at("c/other"), at("a/b/moving")),
      () => files.list(at("a/b")).then((names) => assert.ok(!names.includes("stranger"))),
    ];
    writeFileSync(join(outside, "b/stranger"), "x");
    await raceSwaps(t, { folder: at("a"), outside }, async () => {
      // Concurrently, as requests run.
      const settled = await Promise.allSettled(acts.map((act) => act()));
      return settled.map((outcome) => {
        const error: unknown = outcome.status === "rejected" ? outcome.reason : undefined;
        // Anything but a refusal of the disk fails the test, and so do wrong bytes.
        if (error !== undefined) assert.ok(error instanceof FilesError, error as Error);
        return error?.code ?? "done";
      });
    });
    assert.deepEqual(readdirSync(outside, { recursive: true }).map(String).toSorted(), [
      "b",
      "b/file",
      "b/stranger",
      "b/sub",
      "b/sub/deep",
    ]);
    assert.equal(readFileSync(join(outside, "b/file"), "utf8"), "a stranger's");
    assert.ok(readdirSync(root).length > 0);
  },
);
