import assert from "node:assert/strict";
import { linkSync, mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { unfinishedPath } from "../../base/unfinished-names.ts";
import type { DiskOutcome, OpenContent } from "../../ports/content.ts";
import { BLOCK, makeFixture, openDisk, temporaryFolder } from "./disk-fixture.ts";

const SUFFIX = ".part";
const MANY = Array.from({ length: 2000 }, (_, index) => index);

type Places = NonNullable<OpenContent["places"]>;

/** Two contents on one thread: a job of the second is sent to it while it does one of the first. */
async function inWhichOrder(
  t: TestContext,
  first: { readonly files: number; readonly length: number; readonly unfinishedSuffix?: string },
  prepare: (paths: readonly string[]) => void,
  job: (places: Places, onDone: (outcome: DiskOutcome) => void) => void,
): Promise<{ readonly order: readonly string[]; readonly root: string }> {
  const disk = openDisk(t, { workers: 1 });
  const root = join(temporaryFolder(t), "root");
  const files = MANY.slice(0, first.files).map((index) => ({
    path: `${index % 20}/${index}`,
    length: first.length,
  }));
  const { unfinishedSuffix } = first;
  const options = { existing: "claimed", unfinishedSuffix } as const;
  const { layout } = makeFixture(root, "v1", BLOCK, files, options);
  const paths = files.map(({ path }) => join(root, path));
  for (const path of paths) mkdirSync(dirname(path), { recursive: true });
  prepare(paths);
  const other = makeFixture(join(root, "../other"), "v1", BLOCK, [{ path: "f", length: 10 }]);
  mkdirSync(other.layout.root);
  writeFileSync(join(other.layout.root, "f"), "0123456789");
  const [content, beside] = [disk.open(layout), disk.open(other.layout)];
  const order: string[] = [];
  await Promise.all([
    new Promise<void>((resolve) => {
      job(content.places!, (outcome) => {
        assert.deepEqual(outcome, { kind: "done" });
        order.push("the long job");
        resolve();
      });
    }),
    new Promise<void>((resolve) => {
      const verify = (): void => {
        beside.judge.verify(0, { digests: false }, () => {
          order.push("a job of another torrent");
          resolve();
        });
      };
      // In a message of its own: jobs in one are begun before any of them goes on.
      setImmediate(verify);
    }),
  ]);
  return { order, root };
}

const OTHER_FIRST = ["a job of another torrent", "the long job"];
const SMALL = { files: MANY.length, length: 10 };

function writeAll(paths: readonly string[]): void {
  for (const path of paths) writeFileSync(path, "0123456789");
}

test("another torrent does not wait until many files are claimed", async (t) => {
  const claim = await inWhichOrder(t, SMALL, writeAll, (places, onDone) => {
    places.claim(MANY, onDone);
  });
  assert.deepEqual(claim.order, OTHER_FIRST);
});

test("another torrent does not wait until many files are set aside", async (t) => {
  const { order, root } = await inWhichOrder(t, SMALL, writeAll, (places, onDone) => {
    places.setAside(MANY, onDone);
  });
  assert.deepEqual(order, OTHER_FIRST);
  assert.ok(readdirSync(join(root, "7")).every((name) => name.endsWith(" (old)")));
});

test("another torrent does not wait until many files have their final names", async (t) => {
  const { order, root } = await inWhichOrder(
    t,
    { ...SMALL, unfinishedSuffix: SUFFIX },
    (paths) => writeAll(paths.map((path) => unfinishedPath(path, SUFFIX)!)),
    (places, onDone) => places.finish(MANY, onDone),
  );
  assert.deepEqual(order, OTHER_FIRST);
  assert.ok(readdirSync(join(root, "7")).every((name) => !name.endsWith(SUFFIX)));
});

test("another torrent does not wait until it is known which files are wanted", async (t) => {
  const { order } = await inWhichOrder(t, SMALL, writeAll, (places, onDone) => {
    places.setWanted(
      MANY.map(() => false),
      onDone,
    );
  });
  assert.deepEqual(order, OTHER_FIRST);
});

test("another torrent does not wait until a large file with two names is copied", async (t) => {
  const length = 16 * 1024 * 1024;
  const { order, root } = await inWhichOrder(
    t,
    { files: 1, length },
    ([path = ""]) => {
      writeFileSync(path, "the beginning, then a hole");
      truncateSync(path, length);
      linkSync(path, `${path} of somebody else`);
    },
    (places, onDone) => places.claim([0], onDone),
  );
  assert.deepEqual(order, OTHER_FIRST);
  const { nlink, size } = statSync(join(root, "0/0"));
  assert.deepEqual({ nlink, size }, { nlink: 1, size: length });
  assert.deepEqual(readdirSync(join(root, "0")).toSorted(), ["0", "0 of somebody else"]);
});
