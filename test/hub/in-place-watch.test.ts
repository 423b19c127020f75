import assert from "node:assert/strict";
import { copyFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { until } from "../fixtures/until.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import type { Metainfo } from "../../src/metainfo/metainfo.ts";
import { NodeFiles } from "../../src/platform/node-files.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { openStore } from "../../src/store/open-store.ts";
import type { TorrentRow } from "../../src/store/torrents.ts";
import { InPlaceWatch } from "../../src/publish/in-place-watch.ts";
import type { TorrentLibrary } from "../../src/publish/torrent-library.ts";

const LENGTH = 9;

/** Torrents of two files each, `ID-a` and `ID-b`, in a folder of this machine. */
async function world(t: TestContext, count: number) {
  const root = temporaryFolder(t, "everseed-watch-");
  const store = await openStore(":memory:");
  t.after(() => store.close());
  const names = (id: string): string[] => [`${id}-a`, `${id}-b`];
  for (let index = 0; index < count; index += 1) {
    const id = `t${index}`;
    for (const name of names(id)) {
      await writeFile(join(root, name), "published");
      // A whole second, which `replace` can reproduce exactly.
      await utimes(join(root, name), 1_000, 1_000);
    }
    await store.torrents.insert(
      {
        id,
        infohash_v1: Uint8Array.from({ length: 20 }, (_, at) => (index >> (at * 8)) & 255),
        infohash_v2: null,
        kind: "v1",
        name: id,
        folder: 0,
        size: 2 * LENGTH,
        file_count: 2,
        piece_size: 16_384,
        piece_count: 1,
        private: 0,
        comment: null,
        content_path: "",
        content_root: root,
        metainfo_path: "",
        publisher_id: "u",
        published_at: 1,
        // After the last write, as file systems date it.
        checked_at: Date.now() + 60_000,
        trackers: "[]",
      },
      { words: "" },
    );
  }
  const timers: (() => void)[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => Date.now(),
    startTimer: (_, fire) => {
      timers.push(fire);
      return { cancel: () => void timers.splice(timers.indexOf(fire) >>> 0, 1) };
    },
  };
  let loads = 0;
  const library = {
    load: async ({ id }: TorrentRow) => {
      loads += 1;
      const files = names(id).map((name) => ({ path: [name], length: LENGTH, pad: false }));
      return { info: { files } } as unknown as Metainfo;
    },
  } as unknown as TorrentLibrary;
  const changes: string[] = [];
  const lost = new Map<string, number[]>();
  const watch = new InPlaceWatch({
    torrents: store.torrents,
    library,
    files: new NodeFiles(),
    clock,
    log: SILENT_LOG,
    onChanged: ({ id }, { files }) => changes.push(`${id} ${files ? [...files].join() : "all"}`),
    report: (id, found) => {
      if (found.kind === "files") lost.set(id, [...found.lost]);
    },
  });
  watch.start();
  t.after(() => watch.stop());
  /** One round through everything. @returns What it found changed. */
  const round = async (): Promise<string[]> => {
    changes.length = 0;
    timers.shift()!();
    await until("the round is over", () => timers.length > 0);
    return [...changes];
  };
  return { root, store, round, lost, loads: () => loads };
}

/** Replaces a file by another of the same length, with the times of the old one. */
async function replace(path: string, how: "copy" | "move" | "write"): Promise<void> {
  const { atime, mtime } = await stat(path);
  const other = `${path}-other`;
  await writeFile(other, "different");
  await utimes(other, atime, mtime);
  if (how === "move") await rename(other, path);
  else if (how === "copy") await copyFile(other, path);
  else await writeFile(path, "different");
  await utimes(path, atime, mtime);
  if (how !== "move") await rm(other);
}

for (const how of ["copy", "move", "write"] as const) {
  test(`a file that was replaced (${how}) under its old date and length is compared in the next round, and no other`, async (t) => {
    const { root, round } = await world(t, 2);
    assert.deepEqual(await round(), [], "what nobody has written to is as it was");
    assert.deepEqual(await round(), []);
    await replace(join(root, "t1-b"), how);
    assert.deepEqual(await round(), ["t1 1"]);
    assert.deepEqual(await round(), [], "once for each change");
  });
}

test("content that changed while no watch ran is compared as a whole, as often as necessary", async (t) => {
  const { root, store, round } = await world(t, 1);
  await store.torrents.setStamp("t0", "another look");
  assert.deepEqual(await round(), ["t0 all"]);
  assert.deepEqual(await round(), []);
  await replace(join(root, "t0-a"), "copy");
  assert.deepEqual(await round(), ["t0 all"], "nobody knows yet what the first change was");
});

test("a stamp is kept only for files that were compared after their last write", async (t) => {
  const { store, round } = await world(t, 1);
  await round();
  const stamp = (await store.torrents.find("t0"))?.content_stamp;
  assert.match(stamp ?? "", /^[0-9a-f]{32}$/);
  await store.torrents.setChecked("t0", 1_000, null);
  assert.deepEqual(await round(), [], "seen already");
  assert.equal((await store.torrents.find("t0"))?.content_stamp, null);
});

test("one round finds changed and lost files among a thousand torrents, from memory", async (t) => {
  const { root, round, lost, loads } = await world(t, 1_000);
  assert.deepEqual(await round(), []);
  assert.equal(loads(), 1_000);
  await replace(join(root, "t3-a"), "copy");
  await replace(join(root, "t998-b"), "copy");
  await rm(join(root, "t500-a"));
  assert.deepEqual(await round(), ["t3 0", "t998 1"]);
  assert.deepEqual(lost.get("t500"), [0]);
  assert.equal(loads(), 1_000, "no .torrent file is read again");
});
