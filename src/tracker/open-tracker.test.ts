import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "../ports/log.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { UNCOUNTED } from "../ports/outside-faults.ts";
import { MemoryFiles } from "../sim/memory-files.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { openTracker, type OpenedTracker, type TrackerSettings } from "./open-tracker.ts";
import { SnapshotFile } from "./snapshot-file.ts";
import { TorrentDirectory } from "./torrent-directory.ts";

const clock = {
  nowMs: () => 1_000_000,
  wallMs: () => 5_000_000,
  startTimer: () => ({ cancel: () => undefined }),
};
const SETTINGS: TrackerSettings = {
  intervalSeconds: 1800,
  minIntervalSeconds: 60,
  requestsPerSecondMax: 100,
  fullScrape: false,
  open: false,
  peersPerAddress: 100,
  peersPerAddressInSwarm: 10,
  sharedAddresses: [],
  believeAddressesFrom: [],
};
const HASH = "%aa".repeat(20);

function opened(settings: Partial<TrackerSettings> = {}): OpenedTracker & { asked: string[] } {
  const asked: string[] = [];
  const parts = {
    directory: new TorrentDirectory({ key: 1, torrents: [], fetched: [] }),
    totals: { all: () => [], save: async () => undefined },
    principalTotals: { sums: () => (asked.push("sums"), []), add: async () => undefined },
    everseed: { reachedFrom: () => undefined },
    clock,
    random: seededRandom(1),
    log: SILENT_LOG,
    faults: UNCOUNTED,
  };
  return { ...openTracker({ ...SETTINGS, ...settings }, parts), asked };
}

/** @returns The answer to an announce of one leecher at 192.0.2.LAST. */
function announce({ http }: OpenedTracker, last = 7): string {
  const query = `info_hash=${HASH}&peer_id=${"x".repeat(20)}&port=6881&left=1&compact=1`;
  const address = new Uint8Array([192, 0, 2, last]);
  const { body } = http.answer(`/announce?${query}`, { address, local: undefined });
  return Buffer.from(body).toString("latin1");
}

test("a tracker refuses a torrent that nobody registered, and an open one tracks it", () => {
  assert.match(announce(opened()), /failure reason/);
  const answer = announce(opened({ open: true }));
  assert.match(answer, /8:intervali1800e/);
  assert.match(answer, /10:tracker id11:EVERTRACKER/);
});

test("an open tracker keeps no totals of members and devices", () => {
  assert.deepEqual(opened().asked, ["sums"]);
  assert.deepEqual(opened({ open: true }).asked, []);
});

test("everything at once is answered only where the owner wants it (PUB-3.10)", async () => {
  const asker = { address: new Uint8Array([192, 0, 2, 7]), local: undefined };
  const scrape = async (fullScrape: boolean): Promise<string> => {
    const { body, later } = opened({ open: true, fullScrape }).http.answer("/scrape", asker);
    return Buffer.from((await later) ?? body).toString("latin1");
  };
  assert.match(await scrape(false), /must name its torrents/);
  assert.match(await scrape(true), /^d5:files/);
});

/** A file of swarms at `path`, and what it says. */
function fileOf({ swarms, tracker }: OpenedTracker, files: MemoryFiles) {
  const lines: string[] = [];
  const note = (message: string): void => void lines.push(message);
  const log: Log = { ...SILENT_LOG, debug: note, warn: note };
  const file = new SnapshotFile(swarms, { path: "/data/swarms", files, clock, log });
  return {
    lines,
    save: () => file.save(),
    load: () => file.load((infohash) => tracker.admitRestored(infohash)),
  };
}

test("peers of one run are there for the first announce of the next", async () => {
  const files = new MemoryFiles();
  const before = opened({ open: true });
  announce(before, 7);
  await fileOf(before, files).save();
  const after = opened({ open: true });
  const { lines, load } = fileOf(after, files);
  await load();
  assert.deepEqual(lines, ["the peers of the last run are back"]);
  assert.ok(announce(after, 8).includes("\u00c0\u0000\u0002\u0007"), "192.0.2.7 is named");
});

test("a first start has no swarms and nothing to say; a damaged file is a warning", async () => {
  const files = new MemoryFiles();
  const first = fileOf(opened(), files);
  await first.load();
  assert.deepEqual(first.lines, []);
  await files.write("/data/swarms", new Uint8Array(100));
  const second = fileOf(opened(), files);
  await second.load();
  assert.deepEqual(second.lines, ["the saved swarms cannot be read"]);
});
