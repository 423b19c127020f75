import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { DiskFailure } from "../../ports/content.ts";
import { NodeFiles } from "../node-files.ts";
import { BLOCK, ContentCalls, makeFixture, openDisk, temporaryFolder } from "./disk-fixture.ts";
import { ContentIo } from "./content-io.ts";
import { DescriptorBudget } from "./open-files.ts";
import { DIRTY, shareLayout } from "./shared-layout.ts";
import { syncWholeDisk } from "./sync-jobs.ts";
import { DISK_WORKER_URL } from "./worker-url.ts";

function failureOf(outcome: unknown): DiskFailure {
  assert.ok(typeof outcome === "object" && outcome !== null && "kind" in outcome);
  assert.equal(outcome.kind, "failure", JSON.stringify(outcome));
  return outcome as DiskFailure;
}

const isRoot = process.getuid?.() === 0;

/** @returns A small separate disk, or `undefined`, with the test skipped, when mounting needs privileges. */
function mountedFolder(t: TestContext, options: string): string | undefined {
  let mounted: string | undefined;
  // Hooks run in the order they were given: the disk goes before its folder does.
  t.after(() => mounted && execFileSync("umount", ["-l", mounted]));
  const folder = temporaryFolder(t);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", folder], { stdio: "ignore" });
    mounted = folder;
  } catch {
    t.skip("mounting a disk takes privileges");
  }
  return mounted;
}

test("writes and reads never follow a link below the root, in the last component or before it (MET-2)", async (t) => {
  const outside = temporaryFolder(t);
  writeFileSync(join(outside, "x"), "a stranger's");
  const cases: [name: string, plant: (root: string) => void][] = [
    ["a folder that is a link", (root) => symlinkSync(outside, join(root, "d"))],
    ["a folder that is a link upwards", (root) => symlinkSync("..", join(root, "d"))],
    [
      "a file that is a link",
      (root) => {
        mkdirSync(join(root, "d"));
        symlinkSync(join(outside, "x"), join(root, "d", "x"));
      },
    ],
    [
      "a file that is a dangling link",
      (root) => {
        mkdirSync(join(root, "d"));
        symlinkSync(join(outside, "new"), join(root, "d", "x"));
      },
    ],
  ];
  const disk = openDisk(t);
  for (const [name, plant] of cases) {
    const root = temporaryFolder(t);
    plant(root);
    const calls = new ContentCalls(
      disk,
      makeFixture(root, "v1", BLOCK, [{ path: "d/x", length: 9 }]),
    );
    assert.equal(failureOf(await calls.store(0)).code, "ELOOP", name);
    assert.equal(failureOf(await calls.write(0, 0, 9)).code, "ELOOP", name);
    const read = await calls.read([{ piece: 0, begin: 0, length: 9 }]);
    assert.equal(failureOf(read).code, "ELOOP", name);
    await calls.close();
  }
  assert.deepEqual(readdirSync(outside), ["x"]);
  assert.equal(readFileSync(join(outside, "x"), "utf8"), "a stranger's");
});

test("the torrent's links are created as listed, and files below them are refused (MET-2)", async (t) => {
  const root = temporaryFolder(t);
  const fixture = makeFixture(root, "v1", BLOCK, [
    { path: "t/real/f", length: 5 },
    { path: "t/a/link", length: 0, linkTarget: "t/real/f" },
    { path: "t/d", length: 0, linkTarget: "t/real" },
    { path: "t/d/x", length: 5 },
    { path: "t/void", length: 0 },
  ]);
  const calls = new ContentCalls(openDisk(t), fixture);
  assert.deepEqual(await calls.createEmpty(), { kind: "done" });
  assert.deepEqual(await calls.createEmpty(), { kind: "done" }, "existing entries stay");
  assert.equal(readlinkSync(join(root, "t/a/link")), "../real/f");
  assert.equal(readlinkSync(join(root, "t/d")), "real");
  assert.equal(lstatSync(join(root, "t/void")).size, 0);
  assert.equal(failureOf(await calls.store(0)).code, "ELOOP");
  assert.ok(!existsSync(join(root, "t/real/x")));
});

test("STO-12: folders and names that no disk accepts are refused at once, by name; 255 bytes are taken", async (t) => {
  const folder = temporaryFolder(t);
  const disk = openDisk(t);
  const store = async (root: string, path: string) => {
    const calls = new ContentCalls(disk, makeFixture(root, "v1", BLOCK, [{ path, length: 5 }]));
    const outcome = await calls.store(0);
    await calls.close();
    return outcome;
  };
  const deep = Array.from({ length: 30 }, () => "d".repeat(200)).join("/");
  for (const [root, path, code, message] of [
    // Node's own mkdir loops for ever there.
    ["/proc/1/no/folder", "x", "ENOENT", /^\/proc\/1\/no\/folder is not there$/],
    [join(folder, "a"), "x".repeat(256), "ENAMETOOLONG", /^the name .*\/x{256} is too long/],
    [join(folder, "b"), `${"x".repeat(256)}/y`, "ENAMETOOLONG", /^the name .*x{256} is too long/],
    [join(folder, "c"), `${deep}/x`, "ENAMETOOLONG", /is too long for its file system$/],
    [join(folder, deep), "x", "ENAMETOOLONG", /is too long for its file system$/],
  ] as const) {
    const failure = failureOf(await store(root, path));
    assert.deepEqual([failure.code, message.test(failure.message)], [code, true], failure.message);
  }
  const longest = "\u00e9".repeat(127) + "x";
  const stored = await store(join(folder, "e/f"), `${longest}/${longest}`);
  assert.equal(stored.kind, "intact");
  assert.equal(statSync(join(folder, "e/f", longest, longest)).size, 5);
});

test("a path that leaves the root is refused, even if an earlier check let it pass (MET-1)", async (t) => {
  const root = join(temporaryFolder(t), "inner");
  const disk = openDisk(t);
  for (const path of ["../x", "a/../../x", "..", ".", "a\0b"]) {
    const fixture = makeFixture(root, "v1", BLOCK, [{ path, length: 5 }]);
    const calls = new ContentCalls(disk, fixture);
    const verdict = await calls.store(0);
    assert.ok(
      ["EPERM", "EISDIR"].includes(failureOf(verdict).code),
      `${path}: ${failureOf(verdict).code}`,
    );
    await calls.close();
  }
  assert.deepEqual(
    readdirSync(join(root, "..")).filter((name) => name === "x"),
    [],
  );
});

test("folders and pipes in the place of a file, and files in the place of a folder", async (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, "folder"));
  execFileSync("mkfifo", [join(root, "pipe")]);
  writeFileSync(join(root, "file"), "");
  const disk = openDisk(t);
  const cases: [path: string, code: string][] = [
    ["folder", "EISDIR"],
    ["pipe", "EINVAL"],
    ["file/x", "ENOTDIR"],
  ];
  for (const [path, code] of cases) {
    const calls = new ContentCalls(disk, makeFixture(root, "v1", BLOCK, [{ path, length: 5 }]));
    const failure = failureOf(await calls.store(0));
    assert.equal(failure.code, code, path);
    assert.ok(failure.message.includes(root));
    await calls.close();
  }
});

test("a full disk is a failure in words, and writing works again when there is room (STO-4)", async (t) => {
  const root = mountedFolder(t, "size=256k");
  if (root === undefined) return;
  writeFileSync(join(root, "ballast"), Buffer.alloc(150 * 1024));
  const fixture = makeFixture(root, "v1", BLOCK * 4, [{ path: "f", length: BLOCK * 12 }]);
  const calls = new ContentCalls(openDisk(t), fixture);
  assert.equal((await calls.store(0)).kind, "intact");
  const failure = failureOf(await calls.store(1));
  assert.deepEqual(
    [failure.code, failure.path, failure.message],
    ["ENOSPC", join(root, "f"), `the disk that holds ${join(root, "f")} is full`],
  );
  assert.ok((await new NodeFiles().freeBytes(root)) < BLOCK * 4);
  unlinkSync(join(root, "ballast"));
  assert.equal((await calls.store(1)).kind, "intact");
  assert.equal((await calls.verify(1)).kind, "intact");
});

test("a read-only disk, or one that this user must not write to, is a failure in words (STO-5)", async (t) => {
  const root = isRoot ? mountedFolder(t, "ro") : temporaryFolder(t);
  if (root === undefined) return;
  if (!isRoot) chmodSync(root, 0o500);
  const fixture = makeFixture(root, "v1", BLOCK, [{ path: "sub/f", length: BLOCK }]);
  const failure = failureOf(await new ContentCalls(openDisk(t), fixture).store(0));
  assert.equal(failure.code, isRoot ? "EROFS" : "EACCES");
});

test("a content opened for reading only is never written to", async (t) => {
  const root = temporaryFolder(t);
  const files = [
    { path: "f", length: BLOCK * 2 },
    { path: "empty", length: 0 },
  ];
  const fixture = makeFixture(root, "v1", BLOCK, files, { readOnly: true });
  const calls = new ContentCalls(openDisk(t), fixture);
  assert.equal(failureOf(await calls.store(0)).code, "EROFS");
  assert.equal(failureOf(await calls.write(0, 0, 5)).code, "EROFS");
  for (const outcome of [
    await calls.createEmpty(),
    await calls.setWanted([true, true]),
    await calls.setWanted([false, false]),
    await calls.sync(),
  ]) {
    assert.deepEqual(outcome, { kind: "done" });
  }
  assert.deepEqual(readdirSync(root), []);
});

test("a root that vanishes is a failure until it is back; it is not recreated (STO-5)", async (t) => {
  const root = join(temporaryFolder(t), "disk");
  const fixture = makeFixture(root, "v1", BLOCK, [
    { path: "a/f", length: BLOCK * 2 },
    { path: "b/g", length: BLOCK * 2 },
  ]);
  const calls = new ContentCalls(openDisk(t), fixture);
  assert.equal((await calls.store(0)).kind, "intact", "the first time it is made");
  renameSync(root, `${root}-away`);
  const failure = failureOf(await calls.store(2));
  assert.deepEqual([failure.code, failure.path], ["ENOENT", root]);
  assert.deepEqual(failureOf(await calls.verify(3)).path, root);
  assert.equal(failureOf(await calls.stamp()).code, "ENOENT");
  assert.ok(!existsSync(root));
  renameSync(`${root}-away`, root);
  assert.equal((await calls.store(2)).kind, "intact");
  assert.equal((await calls.verify(0)).kind, "intact");
});

test("a root that cannot be examined is a disk failure, whatever the cause (STO-5)", async (t) => {
  const root = join(temporaryFolder(t), "disk");
  const fixture = makeFixture(root, "v1", BLOCK, [{ path: "f", length: BLOCK }]);
  const calls = new ContentCalls(openDisk(t), fixture);
  assert.equal((await calls.store(0)).kind, "intact");
  renameSync(root, `${root}-away`);
  symlinkSync(root, root);
  const failure = failureOf(await calls.stamp());
  assert.deepEqual([failure.code, failure.path], ["ELOOP", root]);
});

const SECOND_DISK = "/dev/shm";
const hasSecondDisk =
  statSync(SECOND_DISK, { throwIfNoEntry: false })?.isDirectory() === true &&
  statSync(SECOND_DISK).dev !== statSync(tmpdir()).dev;
test(
  "another disk in the root's place is refused while it is empty; with the files on it, it is accepted once they are reopened (STO-5)",
  { skip: hasSecondDisk ? false : "there is no second disk" },
  async (t) => {
    const folder = temporaryFolder(t);
    const second = mkdtempSync(join(SECOND_DISK, "everseed-test-"));
    t.after(() => rmSync(second, { recursive: true }));
    const root = join(folder, "root");
    const first = join(folder, "first");
    mkdirSync(first);
    symlinkSync(first, root);
    const fixture = makeFixture(root, "v1", BLOCK, [{ path: "f", length: BLOCK * 2 }]);
    const calls = new ContentCalls(openDisk(t), fixture);
    assert.equal((await calls.store(0)).kind, "intact");
    assert.ok("length" in (await calls.stamp()));
    rmSync(root);
    symlinkSync(second, root);
    for (let look = 0; look < 3; look += 1) {
      assert.equal(failureOf(await calls.stamp()).code, "ENODEV", "an empty mount point");
    }
    // The disk is back with a new device number.
    cpSync(join(first, "f"), join(second, "f"));
    assert.equal(
      failureOf(await calls.stamp()).code,
      "ENODEV",
      "the open files are on the other disk",
    );
    assert.ok("length" in (await calls.stamp()));
    assert.equal((await calls.reopen([])).kind, "done");
    assert.equal((await calls.verify(0)).kind, "intact");
  },
);

for (const others of [0, 150]) {
  test(`a file removed while it is written to: sync says so, ${others} others or not (STO-2)`, async (t) => {
    const root = temporaryFolder(t);
    const files = [{ path: "a/f", length: BLOCK * 2 }];
    for (let i = 0; i < others; i += 1) files.push({ path: `b/${i}`, length: BLOCK });
    const fixture = makeFixture(root, "v1", BLOCK, files);
    const disk = openDisk(t);
    const calls = new ContentCalls(disk, fixture);
    await calls.storeAll();
    rmSync(join(root, "a"), { recursive: true });
    const failure = failureOf(await calls.sync());
    assert.equal(failure.code, "ENOENT");
    assert.ok(failure.path.startsWith(join(root, "a")));
    // A new file would pass for the old one, whose pieces count as stored.
    for (const piece of [0, 1]) assert.equal(failureOf(await calls.store(piece)).code, "ENOENT");
    assert.equal(failureOf(await calls.sync()).code, "ENOENT");
    assert.ok(!existsSync(join(root, "a")));
    await calls.close();
    const again = new ContentCalls(disk, fixture);
    await again.storeAll();
    assert.deepEqual(await again.sync(), { kind: "done" });
    assert.equal(statSync(join(root, "a/f")).size, BLOCK * 2);
  });
}

test("many files are made durable without the system's sync program too", async (t) => {
  const root = temporaryFolder(t);
  const files = Array.from({ length: 150 }, (_, i) => ({ path: `b/${i}`, length: 10 }));
  const fixture = makeFixture(root, "v1", BLOCK, files);
  const shared = shareLayout(fixture.layout);
  const io = new ContentIo(shared, new DescriptorBudget(10));
  t.after(() => io.files.end());
  io.write(0, fixture.space);
  const { PATH } = process.env;
  process.env["PATH"] = root;
  t.after(() => (process.env["PATH"] = PATH));
  await syncWholeDisk(io);
  assert.equal(io.table.count(DIRTY), 0);
});

test("more files than may be open at once can still be served (STO-7)", async (t) => {
  const root = temporaryFolder(t);
  const files = Array.from({ length: 60 }, (_, i) => ({ path: `f${i}`, length: BLOCK / 2 }));
  const fixture = makeFixture(root, "v1", BLOCK, files);
  const calls = new ContentCalls(openDisk(t, { openFilesMax: 3 }), fixture);
  for (const verdict of await calls.storeAll()) assert.equal(verdict.kind, "intact");
  const held = readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(root);
    } catch {
      // The descriptor that listed the folder is closed by now.
      return false;
    }
  });
  assert.ok(held.length <= 6, `${held.length} are open`);
  assert.deepEqual(await calls.sync(), { kind: "done" });
  const judged = await calls.check();
  assert.ok(Array.isArray(judged) && judged.every((intact) => intact === true));
});

test("when the process runs out of descriptors the disk makes do with fewer (STO-7)", async (t) => {
  const root = temporaryFolder(t);
  const program = `
    import { openSync } from "node:fs";
    import { NodeDisk } from ${JSON.stringify(import.meta.resolve("../node-disk.ts"))};
    import { Geometry } from ${JSON.stringify(import.meta.resolve("../../base/geometry.ts"))};
    const disk = new NodeDisk({ workers: 2 });
    const lengths = Array.from({ length: 100 }, (_, i) => ({ offset: i * 100, length: 100, pad: false }));
    const geometry = new Geometry({ pieceLength: 100, files: lengths, aligned: false });
    const files = lengths.map((_, i) => ({ path: "f" + i, executable: false }));
    const root = ${JSON.stringify(root)};
    const layout = { root, geometry, files, hashes: {}, partFile: root + "/.p", readOnly: false };
    const content = disk.open(layout);
    const slab = disk.createSlabPool(1 << 20).take(100);
    const write = (piece) => new Promise((resolve) =>
      content.write(piece, { begin: 0, length: 100 }, { slab, slabOffset: 0 }, resolve));
    for (let piece = 0; piece < 4; piece += 1) await write(piece);
    // Use up the remaining descriptors.
    for (;;) { try { openSync("/dev/null"); } catch { break; } }
    const outcomes = [];
    for (let piece = 4; piece < 100; piece += 1) outcomes.push((await write(piece)).kind);
    console.log(new Set(outcomes).size === 1 && outcomes[0] === "done" ? "all done" : outcomes.join());
    process.exit(0);
  `;
  const command = `ulimit -n 64; exec "$0" --input-type=module -e "$1"`;
  const child = spawn("sh", ["-c", command, process.execPath, program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += String(chunk)));
  await once(child, "close");
  assert.equal(said.trim(), "all done");
  assert.equal(readdirSync(root).length, 100);
});

test("the worker's code is at its expected place", () => {
  assert.ok(existsSync(DISK_WORKER_URL));
});

test("the disk ports keep no process alive, closed or not", async () => {
  for (const ending of ["await disk.close();", ""]) {
    const program = `
      import { NodeDisk } from ${JSON.stringify(import.meta.resolve("../node-disk.ts"))};
      import { Geometry } from ${JSON.stringify(import.meta.resolve("../../base/geometry.ts"))};
      const disk = new NodeDisk();
      const extents = [{ offset: 0, length: 5, pad: false }];
      const geometry = new Geometry({ pieceLength: 16384, files: extents, aligned: false });
      const files = [{ path: "f", executable: false }];
      const layout = { root: "/nowhere", geometry, files, hashes: {}, partFile: "/nowhere/p", readOnly: true };
      const content = disk.open(layout);
      await new Promise((resolve) => content.stamp(resolve));
      ${ending}
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: "inherit",
    });
    const [code] = (await once(child, "exit")) as [number];
    assert.equal(code, 0);
  }
});

test("files that differ from the list are detected, with their path (MET-24)", async (t) => {
  const root = temporaryFolder(t);
  writeFileSync(join(root, "short"), "123");
  writeFileSync(join(root, "grown"), "123");
  const disk = openDisk(t);
  const cases: [path: string, length: number, code: string][] = [
    ["short", 4, "changed"],
    ["grown", 2, "changed"],
    ["grown", 0, "changed"],
    ["gone", 3, "ENOENT"],
  ];
  for (const [path, length, code] of cases) {
    const { layout } = makeFixture(root, "v1", BLOCK, [{ path, length }]);
    await assert.rejects(disk.measure({ layout, v1: true, v2: false }), {
      name: "MeasureError",
      code,
      path: join(root, path),
    });
  }
});

test("measuring can be cancelled", async (t) => {
  const root = temporaryFolder(t);
  writeFileSync(join(root, "f"), "123");
  const disk = openDisk(t);
  const { layout } = makeFixture(root, "v1", BLOCK, [{ path: "f", length: 3 }]);
  const controller = new AbortController();
  const measured = disk.measure({ layout, v1: true, v2: false, signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(measured, { message: "enough" });
  const { v1 } = await disk.measure({ layout, v1: true, v2: false });
  assert.equal(Buffer.from(v1!).toString("hex"), "40bd001563085fc35165329ea1ff5c5ecbdbbeef");
});
