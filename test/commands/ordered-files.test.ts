import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { OrderedFiles } from "../../src/commands/ordered-files.ts";
import { NodeUserFiles } from "../../src/platform/node-user-files.ts";

const SECRET = "the key of the house";

/** `a/b/one` and `a/two`, and outside the root files with the same names and lengths. */
function tree(t: TestContext) {
  const top = mkdtempSync(join(tmpdir(), "everseed-ordered-"));
  t.after(() => rmSync(top, { recursive: true }));
  const root = join(top, "root");
  const outside = join(top, "outside");
  for (const [folder, text] of [
    [root, "one is the first one"],
    [outside, SECRET],
  ] as const) {
    mkdirSync(join(folder, "a/b"), { recursive: true });
    writeFileSync(join(folder, "a/b/one"), text);
    writeFileSync(join(folder, "a/two"), "and two");
  }
  const paths = { one: join(root, "a/b/one"), two: join(root, "a/two") };
  const files = new OrderedFiles(new NodeUserFiles().below(root), [
    { path: paths.one, length: SECRET.length },
    { path: paths.two, length: 7 },
  ]);
  t.after(() => files.close());
  return { root, outside, paths, files };
}

test("files are read as one, in any part", async (t) => {
  const { files } = tree(t);
  const all = "one is the first oneand two";
  assert.equal(files.size, all.length);
  for (const [start, end] of [
    [0, all.length],
    [3, 22],
    [20, 27],
    [25, 99],
    [27, 30],
  ] as const) {
    assert.equal((await files.read(start, end)).toString(), all.slice(start, end));
  }
});

const swaps: [what: string, swap: (world: ReturnType<typeof tree>) => void][] = [
  [
    "a folder becomes a link",
    ({ root, outside }) => {
      renameSync(join(root, "a"), join(root, "was"));
      symlinkSync(join(outside, "a"), join(root, "a"));
    },
  ],
  [
    "a folder in the middle becomes a link",
    ({ root, outside }) => {
      renameSync(join(root, "a/b"), join(root, "was"));
      symlinkSync(join(outside, "a/b"), join(root, "a/b"));
    },
  ],
  [
    "the file becomes a link",
    ({ outside, paths }) => {
      rmSync(paths.one);
      symlinkSync(join(outside, "a/b/one"), paths.one);
    },
  ],
  [
    "the file becomes a pipe",
    ({ paths }) => {
      rmSync(paths.one);
      execFileSync("mkfifo", [paths.one]);
    },
  ],
  [
    "the file becomes a folder",
    ({ paths }) => {
      rmSync(paths.one);
      mkdirSync(paths.one);
    },
  ],
  ["the file is gone", ({ paths }) => rmSync(paths.one)],
  ["the file is longer", ({ paths }) => writeFileSync(paths.one, `${SECRET}, and more`)],
  ["the file is shorter", ({ paths }) => writeFileSync(paths.one, "short")],
];
for (const [what, swap] of swaps) {
  test(`HUB-45: ${what} after it was listed: it changed, and nothing is sent`, async (t) => {
    const world = tree(t);
    swap(world);
    await assert.rejects(world.files.read(0, 27), (error) => {
      assert.ok(error instanceof Error && "code" in error);
      assert.ok(["changed", "disk-error"].includes(String(error.code)), String(error.code));
      return true;
    });
    // The other file is unchanged, where it still exists.
    if (!what.startsWith("a folder becomes")) {
      assert.equal((await world.files.read(20, 27)).toString(), "and two");
    }
  });
}
