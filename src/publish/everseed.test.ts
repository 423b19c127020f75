import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type {
  AddTorrent,
  EngineSession,
  EngineTorrent,
  TorrentStats,
} from "../engine/session-contract.ts";
import type { Metainfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { openStore } from "../store/open-store.ts";
import { DataFolder } from "./data-folder.ts";
import { Everseed } from "./everseed.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

const V1 = new Uint8Array(20).fill(1);
const V2 = new Uint8Array(32).fill(2);
const NOTHING = { uploaded: 0, uploadBytesPerSecond: 0, peers: 0, downloaded: 0 };

/** An engine that only remembers what it was told. */
class ToldEngine {
  readonly added: AddTorrent[] = [];
  readonly removed: EngineTorrent[] = [];
  stats: Partial<TorrentStats> = NOTHING;

  add(options: AddTorrent): EngineTorrent {
    this.added.push(options);
    return { stats: () => this.stats } as EngineTorrent;
  }

  async remove(torrent: EngineTorrent): Promise<void> {
    this.removed.push(torrent);
  }
}

async function world(t: TestContext, options: { lost?: boolean } = {}) {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  await store.torrents.insert(
    {
      id: "k3f9k3f9",
      infohash_v1: V1,
      infohash_v2: V2,
      kind: "hybrid",
      name: "talks",
      folder: 1,
      size: 9,
      file_count: 1,
      piece_size: 16_384,
      piece_count: 1,
      private: 0,
      comment: null,
      content_path: "content/01/0101",
      metainfo_path: "torrents/01/0101.torrent",
      publisher_id: "u",
      published_at: 1,
      checked_at: 1,
    },
    { words: "" },
  );
  let now = 0;
  let fire: () => void = () => undefined;
  const clock: Clock = {
    nowMs: () => now,
    wallMs: () => now,
    startTimer: (_delayMs, wanted) => {
      fire = wanted;
      return { cancel: () => (fire = () => undefined) };
    },
  };
  let loads = 0;
  const metainfo = { info: { name: "talks" } } as Metainfo;
  const library = {
    load: async () => {
      loads += 1;
      return options.lost ? undefined : metainfo;
    },
  } as unknown as TorrentLibrary;
  const folder = new DataFolder("/data");
  const everseed = new Everseed({
    torrents: store.torrents,
    library,
    folder,
    clock,
    log: SILENT_LOG,
  });
  const engine = new ToldEngine();
  everseed.start(engine as unknown as EngineSession);
  const passMinute = () => {
    now += 60_000;
    fire();
  };
  return { everseed, engine, passMinute, loads: () => loads, metainfo };
}

test("an infohash nobody published wakes nothing", async (t) => {
  const { everseed, engine } = await world(t);
  assert.equal(await everseed.wake(new Uint8Array(20).fill(9)), undefined);
  assert.equal(engine.added.length, 0);
});

test("a torrent whose .torrent file is lost wakes nothing", async (t) => {
  const { everseed, engine } = await world(t, { lost: true });
  assert.equal(await everseed.wake(V1), undefined);
  assert.equal(engine.added.length, 0);
});

test("PUB-5.2: many knocks under both infohashes wake one torrent, to seed from where its content lies", async (t) => {
  const { everseed, engine, loads, metainfo } = await world(t);
  const woken = await Promise.all([
    everseed.wake(V1),
    everseed.wake(V2.subarray(0, 20)),
    everseed.wake(V1),
  ]);
  assert.equal(new Set(woken).size, 1);
  assert.equal(loads(), 1);
  assert.deepEqual(engine.added, [
    { from: { metainfo }, root: "/data/content/01/0101", mode: "seed" },
  ]);
  assert.equal(await everseed.wake(V1), woken[0]);
});

test("a torrent sleeps when nobody was there for five minutes, and wakes again; what it sent is remembered", async (t) => {
  const { everseed, engine, passMinute } = await world(t);
  await everseed.wake(V1);
  engine.stats = { ...NOTHING, peers: 1, uploaded: 700, uploadBytesPerSecond: 70 };
  for (let minute = 0; minute < 20; minute += 1) passMinute();
  assert.equal(engine.removed.length, 0);
  assert.deepEqual(everseed.figures("k3f9k3f9"), { uploadBytesPerSecond: 70, uploaded: 700 });
  engine.stats = { ...NOTHING, uploaded: 800 };
  for (let minute = 0; minute < 4; minute += 1) passMinute();
  assert.equal(engine.removed.length, 0);
  passMinute();
  assert.equal(engine.removed.length, 1);
  assert.deepEqual(everseed.figures("k3f9k3f9"), { uploadBytesPerSecond: 0, uploaded: 800 });
  assert.deepEqual(everseed.totals(), { uploaded: 800, downloaded: 0, peers: 0 });
  engine.stats = { ...NOTHING, peers: 2, uploaded: 50 };
  await everseed.wake(V1);
  assert.equal(engine.added.length, 2);
  assert.equal(everseed.figures("k3f9k3f9").uploaded, 850);
  assert.deepEqual(everseed.totals(), { uploaded: 850, downloaded: 0, peers: 2 });
});

test("after the end nothing wakes", async (t) => {
  const { everseed, engine } = await world(t);
  everseed.stop();
  assert.equal(await everseed.wake(V1), undefined);
  assert.equal(engine.added.length, 0);
});
