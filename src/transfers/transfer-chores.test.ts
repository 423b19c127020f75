import assert from "node:assert/strict";
import { test } from "node:test";
import { buildMetainfo, planTorrent } from "../metainfo/create.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import { MemoryFiles } from "../sim/memory-files.ts";
import { placedInfo } from "./placed-info.ts";
import {
  type ContentFiles,
  findInTheWay,
  findInTheWayOfNames,
  moveBack,
  moveContent,
  removeContent,
  renameBack,
  renameContent,
} from "./transfer-chores.ts";

const FILES = ["a.txt", "deep/b.txt", "deep/er/c.txt"];
const FROM = "/disk1/here";
const TO = "/disk2/there";

function torrent(paths: readonly string[] = FILES): TorrentInfo {
  const files = paths.map((path) => ({ path: path.split("/"), length: 3 }));
  const plan = planTorrent({ name: "talks", kind: "v1", pieceLength: 16_384, files });
  const built = buildMetainfo(plan, { v1: new Uint8Array(20 * plan.geometry.pieceCount) });
  return parseMetainfo(built.torrent).info;
}

/** Two disks: nothing is renamed from one to the other. */
function onTwoDisks(disk: MemoryFiles): ContentFiles {
  const diskOf = (path: string): string => path.split("/")[1]!;
  return {
    move: async (from, to) => {
      if (diskOf(from) === diskOf(to)) return disk.move(from, to);
      throw Object.assign(new Error("another disk"), { code: "EXDEV" });
    },
    copy: (from, to) => disk.copy(from, to),
    remove: (path) => disk.remove(path),
    list: (path) => disk.list(path),
    stat: (path) => disk.stat(path),
    makeFolder: () => disk.makeFolder(),
  };
}

async function filled(root = FROM): Promise<MemoryFiles> {
  const disk = new MemoryFiles();
  for (const [index, path] of FILES.entries()) {
    await disk.write(`${root}/talks/${path}`, new Uint8Array(3).fill(index + 1));
  }
  return disk;
}

function contentAt(disk: MemoryFiles, root: string): (number | undefined)[] {
  return FILES.map((path) => {
    const place = `${root}/talks/${path}`;
    return disk.has(place) ? disk.bytes(place)[0] : undefined;
  });
}

for (const [name, to] of [
  ["within a disk", "/disk1/there"],
  ["to another disk", TO],
] as const) {
  test(`STO-1 moving ${name}: a kill after each step loses nothing, and the next call ends it`, async () => {
    const info = torrent();
    for (let steps = 0; ; steps += 1) {
      const disk = await filled();
      disk.stopAfter = FILES.length + steps;
      const files = onTwoDisks(disk);
      const isDone = await moveContent(files, info, { from: FROM, to }).then(
        () => true,
        (error: unknown) => {
          assert.match(String(error), /dead/);
          return false;
        },
      );
      disk.stopAfter = Number.POSITIVE_INFINITY;
      await moveContent(files, info, { from: FROM, to });
      assert.deepEqual(contentAt(disk, to), [1, 2, 3], `killed after ${steps} steps`);
      assert.equal(disk.paths.length, 3, "nothing is left at the old place");
      if (isDone) {
        assert.ok(steps >= FILES.length);
        return;
      }
    }
  });
}

test("a file in the way is refused before anything is moved", async () => {
  const disk = await filled();
  await disk.write(`${TO}/talks/deep/b.txt`, new Uint8Array([9]));
  const before = disk.paths;
  const moving = moveContent(onTwoDisks(disk), torrent(), { from: FROM, to: TO });
  await assert.rejects(moving, { code: "exists" });
  assert.deepEqual(disk.paths, before);
  assert.deepEqual(disk.bytes(`${TO}/talks/deep/b.txt`), new Uint8Array([9]));
});

test("content is deleted with its unfinished files and empty folders; what is not the torrent's stays", async () => {
  const disk = await filled();
  await disk.write(`${FROM}/talks/a.txt.part`, new Uint8Array(1));
  await disk.write(`${FROM}/talks/deep/notes.md`, new Uint8Array(1));
  await removeContent(onTwoDisks(disk), torrent(), FROM);
  assert.deepEqual(disk.paths, [`${FROM}/talks/deep/notes.md`]);
});

test("a move that failed after any step goes back whole, without leftovers and without anybody else's file", async () => {
  const info = torrent();
  for (const to of ["/disk1/there", TO]) {
    for (let steps = 0; ; steps += 1) {
      const disk = await filled();
      await disk.write(`${to}/talks/foreign`, new Uint8Array(1));
      disk.stopAfter = FILES.length + 1 + steps;
      const isDone = await moveContent(onTwoDisks(disk), info, { from: FROM, to }).then(
        () => true,
        () => false,
      );
      disk.stopAfter = Number.POSITIVE_INFINITY;
      if (isDone) break;
      await moveBack(onTwoDisks(disk), info, { from: FROM, to });
      assert.deepEqual(contentAt(disk, FROM), [1, 2, 3], `failed after ${steps} steps`);
      assert.deepEqual(
        disk.paths.filter((path) => path.startsWith(to)),
        [`${to}/talks/foreign`],
      );
    }
  }
});

test("what is in the way of a move is found under each name that a file may have", async () => {
  const info = torrent();
  const disk = await filled();
  const files = onTwoDisks(disk);
  assert.equal(await findInTheWay(files, info, TO), undefined);
  assert.equal(await findInTheWay(files, info, FROM), `${FROM}/talks/a.txt`);
  await disk.write(`${TO}/talks/deep/b.txt.part`, new Uint8Array(1));
  assert.equal(await findInTheWay(files, info, TO), `${TO}/talks/deep/b.txt.part`);
});

/** The folder and a file in it get other names. */
function renaming() {
  const before = torrent();
  const names = { talks: "lectures", "talks/deep/b.txt": "second.txt" };
  return { before, after: placedInfo(before, names), root: FROM };
}

const RENAMED = [
  `${FROM}/lectures/a.txt`,
  `${FROM}/lectures/deep/er/c.txt`,
  `${FROM}/lectures/deep/second.txt`,
];

test("STO-1 renaming: a kill after each step loses nothing, and the next call ends it", async () => {
  for (let steps = 0; ; steps += 1) {
    const disk = await filled();
    disk.stopAfter = FILES.length + steps;
    const isDone = await renameContent(onTwoDisks(disk), renaming()).then(
      () => true,
      () => false,
    );
    disk.stopAfter = Number.POSITIVE_INFINITY;
    await renameContent(onTwoDisks(disk), renaming());
    assert.deepEqual(disk.paths.toSorted(compare), RENAMED, `killed after ${steps} steps`);
    assert.deepEqual(
      RENAMED.map((path) => disk.bytes(path)[0]),
      [1, 3, 2],
    );
    if (isDone) {
      assert.ok(steps >= FILES.length);
      return;
    }
  }
});

test("a renaming that failed after any step gives every file its old name again; unfinished files too", async () => {
  for (let steps = 0; ; steps += 1) {
    const disk = await filled();
    await disk.write(`${FROM}/talks/deep/b.txt.part`, new Uint8Array([7]));
    const before = disk.paths.toSorted(compare);
    disk.stopAfter = FILES.length + 1 + steps;
    const isDone = await renameContent(onTwoDisks(disk), renaming()).then(
      () => true,
      () => false,
    );
    disk.stopAfter = Number.POSITIVE_INFINITY;
    if (isDone) {
      assert.ok(disk.has(`${FROM}/lectures/deep/second.txt.part`));
      return;
    }
    await renameBack(onTwoDisks(disk), renaming());
    assert.deepEqual(disk.paths.toSorted(compare), before, `failed after ${steps} steps`);
  }
});

test("a file is not renamed to where another one lies while it is unfinished", async () => {
  const before = torrent(["a.txt", "b.txt"]);
  const after = placedInfo(before, { "talks/a.txt": "b.txt.part" });
  const files = onTwoDisks(new MemoryFiles());
  const found = await findInTheWayOfNames(files, { before, after, root: FROM });
  assert.equal(found, `${FROM}/talks/b.txt.part`);
  const free = placedInfo(before, { "talks/a.txt": "c.txt.part" });
  const none = await findInTheWayOfNames(files, { before, after: free, root: FROM });
  assert.equal(none, undefined);
});

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
