import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { assertSameBytes } from "../../../test/fixtures/same-bytes.ts";
import { ContentIo } from "./content-io.ts";
import { BLOCK, makeFixture, temporaryFolder } from "./disk-fixture.ts";
import { DiskRefusal } from "./disk-refusal.ts";
import { DescriptorBudget } from "./open-files.ts";
import { hasDescriptorPaths } from "./open-folders.ts";
import { shareLayout } from "./shared-layout.ts";
import { raceSwaps } from "./swap-race.ts";

test(
  "SYN-6: a folder that is repeatedly swapped for a link never leads a write or read outside",
  { skip: hasDescriptorPaths() ? false : "this system opens no file from a descriptor" },
  async (t) => {
    const root = temporaryFolder(t);
    const outside = temporaryFolder(t);
    mkdirSync(join(root, "d"));
    mkdirSync(join(outside, "e"));
    const files = Array.from({ length: 8 }, (_, i) => ({ path: `d/e/${i}`, length: BLOCK }));
    // The link's target has the same names with other content.
    for (let i = 0; i < 4; i += 1) writeFileSync(join(outside, "e", String(i)), "a stranger's");
    const fixture = makeFixture(root, "v1", BLOCK, files);
    const into = new Uint8Array(BLOCK);
    await raceSwaps(t, { folder: join(root, "d"), outside }, () => {
      // A new object has no state and no open folders.
      const io = new ContentIo(shareLayout(fixture.layout), new DescriptorBudget(3));
      const outcomes = files.map((_, piece) => {
        const block = fixture.space.subarray(piece * BLOCK, (piece + 1) * BLOCK);
        try {
          io.write(piece * BLOCK, block);
          io.read(piece * BLOCK, into);
          assertSameBytes(into, block, "what is read is what was written");
          return "done";
        } catch (error) {
          if (!(error instanceof DiskRefusal)) throw error;
          return error.failure.code;
        }
      });
      io.files.end();
      return outcomes;
    });
    assert.deepEqual(readdirSync(outside, { recursive: true }).map(String).toSorted(), [
      "e",
      ...[0, 1, 2, 3].map((i) => `e/${i}`),
    ]);
    for (let i = 0; i < 4; i += 1) {
      assert.equal(readFileSync(join(outside, "e", String(i)), "utf8"), "a stranger's");
    }
  },
);

test("a folder that was moved away is not used any more, although it is open", (t) => {
  const root = temporaryFolder(t);
  const elsewhere = temporaryFolder(t);
  const files = [
    { path: "a/b/f", length: BLOCK },
    { path: "a/b/g", length: BLOCK },
  ];
  const fixture = makeFixture(root, "v1", BLOCK, files);
  const io = new ContentIo(shareLayout(fixture.layout), new DescriptorBudget(10));
  t.after(() => io.files.end());
  io.write(0, fixture.space.subarray(0, BLOCK));
  renameSync(join(root, "a"), join(elsewhere, "a"));
  io.write(BLOCK, fixture.space.subarray(BLOCK));
  assert.deepEqual(readdirSync(join(elsewhere, "a/b")), ["f"]);
  assert.deepEqual(readdirSync(join(root, "a/b")), ["g"]);
});

test("a folder that may be traversed but not listed is traversed", (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, "d"));
  const fixture = makeFixture(root, "v1", BLOCK, [{ path: "d/f", length: BLOCK }]);
  writeFileSync(join(root, "d/f"), fixture.space);
  chmodSync(join(root, "d"), 0o311);
  const io = new ContentIo(shareLayout(fixture.layout), new DescriptorBudget(10));
  t.after(() => io.files.end());
  const into = new Uint8Array(BLOCK);
  io.read(0, into);
  assertSameBytes(into, fixture.space);
});

test("folders stay within their share of the descriptors at any depth (STO-7)", (t) => {
  const root = temporaryFolder(t);
  const files = Array.from({ length: 30 }, (_, i) => ({
    path: `${"d/".repeat(i)}f`,
    length: BLOCK,
  }));
  const fixture = makeFixture(root, "v1", BLOCK, files);
  const budget = new DescriptorBudget(3);
  const io = new ContentIo(shareLayout(fixture.layout), budget);
  const other = new ContentIo(shareLayout(fixture.layout), budget);
  t.after(() => {
    io.files.end();
    other.files.end();
  });
  const into = new Uint8Array(BLOCK);
  for (const [piece] of files.entries()) {
    io.write(piece * BLOCK, fixture.space.subarray(piece * BLOCK, (piece + 1) * BLOCK));
    other.read(piece * BLOCK, into);
    assertSameBytes(into, fixture.space.subarray(piece * BLOCK, (piece + 1) * BLOCK));
  }
  assert.ok(io.files.count + other.files.count <= 3);
  const held = readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(root);
    } catch {
      // The descriptor that listed the folder is closed by now.
      return false;
    }
  });
  assert.ok(held.length <= 3, `${held.length} are open`);
});

test("a root that is a link is followed: people keep their downloads where they like", (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "disk"));
  symlinkSync("disk", join(folder, "downloads"));
  const root = join(folder, "downloads");
  const fixture = makeFixture(root, "v1", BLOCK, [{ path: "f", length: BLOCK }]);
  const io = new ContentIo(shareLayout(fixture.layout), new DescriptorBudget(10));
  t.after(() => io.files.end());
  io.write(0, fixture.space);
  assert.deepEqual(readdirSync(join(folder, "disk")), ["f"]);
  rmSync(root);
});
