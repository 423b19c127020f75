import { finish } from "../base/work.ts";
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { until } from "../../test/fixtures/until.ts";
import type { Metainfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { ByteStore, OpenContent, PieceJudge, PieceVerdict } from "../ports/content.ts";
import type { FileFacts } from "../ports/files.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { openStore } from "../store/open-store.ts";
import { ContentScrub } from "./content-scrub.ts";
import { DataFolder } from "./data-folder.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

const DAY_MS = 24 * 3600_000;
const NOW = 1_790_000_000_000;
const PIECES = 3;
const PIECE_BYTES = 80_000;

/** A catalogue on a disk whose pieces are intact, except where `verdicts` says otherwise. */
async function world(t: TestContext, verdicts: Record<string, PieceVerdict> = {}) {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  for (const [index, days] of [1, 50, 40].entries()) {
    await store.torrents.insert(
      {
        id: `t${index}`,
        infohash_v1: new Uint8Array(20).fill(index + 1),
        infohash_v2: null,
        kind: "v1",
        name: "x",
        folder: 0,
        size: 1,
        file_count: 1,
        piece_size: PIECE_BYTES,
        piece_count: PIECES,
        private: 0,
        comment: null,
        content_path: `content/t${index}`,
        metainfo_path: "",
        publisher_id: "u",
        published_at: 1,
        checked_at: NOW - days * DAY_MS,
        trackers: "[]",
      },
      { words: "" },
    );
  }
  const timers: { delayMs: number; fire: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    wallMs: () => NOW,
    startTimer: (delayMs, fire) => {
      const timer = { delayMs, fire };
      timers.push(timer);
      return { cancel: () => void timers.splice(timers.indexOf(timer) >>> 0, 1) };
    },
  };
  // One file for each piece.
  const geometry = {
    pieceCount: PIECES,
    requestSize: () => PIECE_BYTES,
    filePieces: (file: number) => ({ first: file, end: file + 1 }),
  };
  const files = ["a", "b", "c"].map((name) => ({ path: [name], pad: false }));
  const info = { kind: "v1", files, geometry, infohashes: { v1: new Uint8Array(20) } };
  const library = {
    load: async () => ({ info, pieceLayers: new Map() }) as unknown as Metainfo,
  } as unknown as TorrentLibrary;
  const seen: string[] = [];
  const looks = new Map<string, FileFacts>();
  let open = 0;
  let inTurns = 0;
  const scrub = new ContentScrub({
    torrents: store.torrents,
    library,
    folder: new DataFolder("/data"),
    files: { stat: async (path) => looks.get(path) },
    clock,
    turns: {
      run: (work) => {
        inTurns += 1;
        return Promise.resolve(finish(work));
      },
    },
    log: SILENT_LOG,
    content: {
      open: ({ root, readOnly }) => {
        assert.ok(readOnly);
        open += 1;
        const id = root.slice(-2);
        const judge: Pick<PieceJudge, "verify"> = {
          verify: (piece, _options, onDone) =>
            queueMicrotask(() => onDone(verdicts[`${id} ${piece}`] ?? { kind: "intact" })),
        };
        const bytes: Pick<ByteStore, "close"> = {
          close: (onDone) => {
            open -= 1;
            queueMicrotask(onDone);
          },
        };
        return { bytes, judge } as OpenContent;
      },
    },
    report: ({ id }, piece, intact) => seen.push(`${id} ${piece} ${intact ? "intact" : "damaged"}`),
  });
  scrub.start();
  /** Lets `count` pauses elapse. @returns Their lengths. */
  const pass = async (count: number) => {
    const delays: number[] = [];
    while (delays.length < count) {
      await until("it pauses", () => timers.length > 0);
      const { delayMs, fire } = timers.shift()!;
      delays.push(delayMs);
      fire();
    }
    await until("it pauses", () => timers.length > 0);
    return delays;
  };
  const daysSince = async (id: string) =>
    (NOW - ((await store.torrents.find(id))?.checked_at ?? 0)) / DAY_MS;
  return { scrub, pass, seen, daysSince, open: () => open, inTurns: () => inTurns, timers, store };
}

test("HUB-19: damage that leaves the length alone is found before a peer asks; the page says when all was checked", async (t) => {
  const { pass, seen, daysSince, open } = await world(t, {
    "t1 1": { kind: "corrupt", fault: "v1" },
    "t2 2": { kind: "failure", code: "EIO", message: "bad sector", path: "/x" },
  });
  const delays = await pass(1 + 3 + 1 + 3 + 1);
  assert.deepEqual(seen, [
    "t1 0 intact",
    "t1 1 damaged",
    "t1 2 intact",
    "t2 0 intact",
    "t2 1 intact",
    "t2 2 damaged",
  ]);
  // Eight megabytes a second.
  assert.deepEqual(delays, [300_000, 10, 10, 10, 1_000, 10, 10, 10, 1_000]);
  assert.deepEqual([await daysSince("t0"), await daysSince("t1")], [1, 50]);
  assert.equal(open(), 0);
  assert.deepEqual(await pass(1), [6 * 3600_000], "a pause at the end of the catalogue");
});

test("HUB-27: content that is checked is laid out and opened in turns", async (t) => {
  const { pass, inTurns } = await world(t);
  await pass(1 + 3);
  assert.equal(inTurns(), 3, "its hashes, its layout, its files");
});

test("HUB-19: intact torrents rest for a month; damaged ones are checked again", async (t) => {
  const { pass, seen, daysSince } = await world(t, { "t2 0": { kind: "corrupt", fault: "v1" } });
  await pass(1 + 3 + 1 + 3 + 1);
  assert.deepEqual([await daysSince("t1"), await daysSince("t2")], [0, 40]);
  seen.length = 0;
  await pass(1 + 3 + 1);
  assert.deepEqual(seen, ["t2 0 damaged", "t2 1 intact", "t2 2 intact"]);
});

test("missing files are left to the rounds", async (t) => {
  const failure = { kind: "failure", code: "ENOENT", message: "gone", path: "/x" } as const;
  const { pass, seen, daysSince, open } = await world(t, { "t1 0": failure });
  await pass(1);
  assert.deepEqual(seen, []);
  await pass(1 + 3);
  assert.equal(await daysSince("t1"), 50);
  assert.equal(open(), 0);
});

test("a stop in the middle closes the files and reports nothing about the torrent", async (t) => {
  const { scrub, pass, daysSince, open, timers } = await world(t);
  await pass(2);
  assert.equal(open(), 1);
  scrub.stop();
  await until("all files are closed", () => open() === 0);
  assert.equal(timers.length, 0);
  assert.equal(await daysSince("t1"), 50);
});

test("changed files in an owner's folder are compared between two pieces of the running check, they alone, and faster", async (t) => {
  const { scrub, pass, seen, daysSince, store, open } = await world(t);
  await pass(2);
  const row = (await store.torrents.find("t0"))!;
  scrub.hurry(row, { files: new Set([1]), stamp: "first" });
  scrub.hurry(row, { files: new Set([2]), stamp: "second" });
  const delays = await pass(4);
  assert.deepEqual(seen, [
    "t1 0 intact",
    "t1 1 intact",
    "t0 1 intact",
    "t0 2 intact",
    "t1 2 intact",
  ]);
  assert.deepEqual(delays, [10, 1.25, 1.25, 10]);
  assert.equal((await store.torrents.find("t0"))?.content_stamp, "second");
  assert.equal(await daysSince("t0"), 1, "not every byte was compared");
  assert.equal(open(), 0);
});

test("a full check replaces a pending change, and damaged files get no stamp", async (t) => {
  const { scrub, pass, seen, store } = await world(t, { "t0 1": { kind: "corrupt", fault: "v1" } });
  await pass(1);
  const row = (await store.torrents.find("t0"))!;
  scrub.hurry(row, { files: undefined, stamp: "other" });
  await pass(2 + 2);
  assert.deepEqual(seen.slice(0, 5), [
    "t1 0 intact",
    "t0 0 intact",
    "t0 1 damaged",
    "t0 2 intact",
    "t1 1 intact",
  ]);
  assert.equal((await store.torrents.find("t0"))?.content_stamp, null);
});
