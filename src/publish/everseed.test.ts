import { finish } from "../base/work.ts";
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { until } from "../../test/fixtures/until.ts";
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
import { MemoryFiles } from "../sim/memory-files.ts";
import { DataFolder } from "./data-folder.ts";
import { Everseed } from "./everseed.ts";
import type { TorrentLibrary } from "./torrent-library.ts";

const V1 = new Uint8Array(20).fill(1);
const V2 = new Uint8Array(32).fill(2);
const NOTHING = { uploaded: 0, uploadBytesPerSecond: 0, peers: 0, downloaded: 0 };

/** An engine that only records its calls. */
class ToldEngine {
  readonly added: AddTorrent[] = [];
  readonly removed: EngineTorrent[] = [];
  /** Torrents that have a peer, whatever `stats` says. */
  readonly busy = new Set<EngineTorrent>();
  stats: Partial<TorrentStats> = NOTHING;

  add(options: AddTorrent): EngineTorrent {
    this.added.push(options);
    const torrent = {
      stats: () => (this.busy.has(torrent) ? { ...this.stats, peers: 1 } : this.stats),
    } as EngineTorrent;
    return torrent;
  }

  async remove(torrent: EngineTorrent): Promise<void> {
    this.removed.push(torrent);
  }
}

const ROW = {
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
  trackers: "[]",
} as const;

async function world(t: TestContext, options: { lost?: boolean; pieces?: number } = {}) {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  await store.torrents.insert(ROW, { words: "" });
  let now = 0;
  const fires = new Map<number, () => void>();
  const clock: Clock = {
    nowMs: () => now,
    wallMs: () => now,
    startTimer: (delayMs, wanted) => {
      fires.set(delayMs, wanted);
      return { cancel: () => void fires.delete(delayMs) };
    },
  };
  let loads = 0;
  const logged: string[] = [];
  /** What the tracker heard: whether the copy is whole. */
  const told: boolean[] = [];
  const files = [{ path: ["talks", "a.txt"], length: 9, pad: false, linkTarget: undefined }];
  const geometry = { pieceCount: options.pieces ?? 1 };
  const metainfo = { info: { name: "talks", files, geometry } } as unknown as Metainfo;
  const library = {
    load: async () => {
      loads += 1;
      return options.lost ? undefined : metainfo;
    },
  } as unknown as TorrentLibrary;
  const folder = new DataFolder("/data");
  const disk = new MemoryFiles();
  await disk.write("/data/content/01/0101/talks/a.txt", new Uint8Array(9));
  const everseed = new Everseed({
    torrents: store.torrents,
    library,
    folder,
    files: disk,
    content: { open: () => assert.fail("nothing is due") },
    swarms: { setWhole: (_, isWhole) => void told.push(isWhole) },
    clock,
    turns: { run: async (work) => finish(work) },
    log: { ...SILENT_LOG, error: (message) => logged.push(message) },
  });
  const engine = new ToldEngine();
  everseed.start(engine as unknown as EngineSession);
  const passMinute = () => {
    now += 60_000;
    fires.get(60_000)?.();
  };
  const passSecond = () => (now += 1_000);
  /** Lets the rounds take one step; the next one starts at the beginning of the catalogue. */
  const passRound = async () => {
    for (let step = 0; step < 2; step += 1) {
      const fire = fires.get(2_000)!;
      fires.delete(2_000);
      fire();
      await until("it waits", () => fires.has(2_000));
    }
  };
  return {
    everseed,
    engine,
    passMinute,
    passSecond,
    passRound,
    loads: () => loads,
    metainfo,
    disk,
    logged,
    told,
    store,
  };
}

test("an unpublished infohash wakes nothing", async (t) => {
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
  assert.equal(engine.added.length, 1);
  const { from, root, mode } = engine.added[0]!;
  assert.deepEqual(
    { from, root, mode },
    { from: { metainfo }, root: "/data/content/01/0101", mode: "seed" },
  );
  assert.equal(await everseed.wake(V1), woken[0]);
});

test("a torrent sleeps after five minutes without peers, and wakes again; its upload count is kept", async (t) => {
  const { everseed, engine, passMinute } = await world(t);
  await everseed.wake(V1);
  engine.stats = { ...NOTHING, peers: 1, uploaded: 700, uploadBytesPerSecond: 70 };
  for (let minute = 0; minute < 20; minute += 1) passMinute();
  assert.equal(engine.removed.length, 0);
  assert.deepEqual(everseed.figures("k3f9k3f9"), {
    uploadBytesPerSecond: 70,
    uploaded: 700,
    damage: null,
  });
  engine.stats = { ...NOTHING, uploaded: 800 };
  for (let minute = 0; minute < 4; minute += 1) passMinute();
  assert.equal(engine.removed.length, 0);
  passMinute();
  assert.equal(engine.removed.length, 1);
  assert.deepEqual(everseed.figures("k3f9k3f9"), {
    uploadBytesPerSecond: 0,
    uploaded: 800,
    damage: null,
  });
  assert.deepEqual(everseed.totals(), { uploaded: 800, downloaded: 0, peers: 0 });
  engine.stats = { ...NOTHING, peers: 2, uploaded: 50 };
  await everseed.wake(V1);
  assert.equal(engine.added.length, 2);
  assert.equal(everseed.figures("k3f9k3f9").uploaded, 850);
  assert.deepEqual(everseed.totals(), { uploaded: 850, downloaded: 0, peers: 2 });
});

/** Publishes more torrents. @returns Their infohashes. */
async function publishMore({ store }: Awaited<ReturnType<typeof world>>, count: number) {
  const infohashes = Array.from({ length: count }, (_, n) =>
    Uint8Array.from({ length: 20 }, (_byte, at) => (at < 2 ? (n >> (8 * at)) & 255 : 7)),
  );
  for (const [n, infohash] of infohashes.entries()) {
    const id = `m${n.toString().padStart(7, "0")}`;
    const row = { ...ROW, id, kind: "v1", infohash_v1: infohash, infohash_v2: null } as const;
    await store.torrents.insert(row, { words: "" });
  }
  return infohashes;
}

test("HUB-49: a stranger who knocks for every torrent keeps 500 awake, and none of those that have peers sleeps", async (t) => {
  const made = await world(t);
  const { everseed, engine } = made;
  const infohashes = await publishMore(made, 510);
  const woken: EngineTorrent[] = [];
  for (const infohash of infohashes) {
    const torrent = await everseed.wake(infohash);
    if (woken.length < 5) engine.busy.add(torrent!);
    woken.push(torrent!);
  }
  // 505 without a peer, of which the last is being woken, and the four oldest of the others sleep.
  assert.deepEqual(engine.removed, woken.slice(5, 9));
  const again = await everseed.wake(infohashes[5]!);
  assert.ok(again && again !== woken[5], "it wakes again");
});

test("HUB-49: torrents that are awake without a peer hold a bounded number of bytes", async (t) => {
  const made = await world(t, { pieces: 1_000_000 });
  const infohashes = await publishMore(made, 6);
  const woken: (EngineTorrent | undefined)[] = [];
  for (const infohash of infohashes) {
    woken.push(await made.everseed.wake(infohash));
    made.passSecond();
  }
  assert.deepEqual(made.engine.removed, woken.slice(0, 3));
});

test("HUB-49: requests for a lost file have all files looked at, and then a rest of ten times as long", async (t) => {
  const { everseed, disk, passSecond, passMinute } = await world(t);
  const stat = disk.stat.bind(disk);
  let looks = 0;
  disk.stat = async (path) => {
    looks += 1;
    passSecond();
    return stat(path);
  };
  const ask = async (): Promise<number> => {
    everseed.look("k3f9k3f9");
    for (let turns = 0; turns < 20; turns += 1) await turn();
    return looks;
  };
  assert.equal(await ask(), 1);
  for (let asked = 0; asked < 9; asked += 1) {
    passSecond();
    assert.equal(await ask(), 1, "it took a second, and rests for ten");
  }
  passSecond();
  assert.equal(await ask(), 2);
  passMinute();
  assert.equal(await ask(), 3);
});

test("HUB-18: a removed torrent is released, awake or waking, and does not wake again", async (t) => {
  const { everseed, engine, store } = await world(t);
  const removal = { by: "ann", atMs: 1, words: "" };
  const torrent = await everseed.wake(V1);
  engine.added[0]!.onEvent!({ kind: "piece-lost", piece: 0 });
  await store.removedTorrents.remove("k3f9k3f9", removal);
  await everseed.release("k3f9k3f9");
  assert.deepEqual(engine.removed, [torrent]);
  assert.ok(!everseed.isDamaged("k3f9k3f9"));
  assert.equal(await everseed.wake(V1), undefined);
  await store.removedTorrents.restore("k3f9k3f9", {});
  const waking = everseed.wake(V1);
  await store.removedTorrents.remove("k3f9k3f9", removal);
  await everseed.release("k3f9k3f9");
  await waking;
  assert.equal(engine.added.length, engine.removed.length, "none is left in the engine");
});

test("nothing wakes after stop", async (t) => {
  const { everseed, engine } = await world(t);
  everseed.stop();
  assert.equal(await everseed.wake(V1), undefined);
  assert.equal(engine.added.length, 0);
});

test("HUB-19: the rounds notice lost or truncated files, report them without paths, and clear them when they are back", async (t) => {
  const { everseed, passRound, disk, logged, told } = await world(t);
  const path = "/data/content/01/0101/talks/a.txt";
  const fault = () => everseed.figures("k3f9k3f9").damage?.words ?? null;
  await passRound();
  assert.equal(fault(), null);
  for (const harm of [() => disk.remove(path), () => disk.write(path, new Uint8Array(8))]) {
    await harm();
    await passRound();
    await passRound();
    assert.match(fault() ?? "", /^1 of 1 files is lost/);
    assert.deepEqual([...everseed.figures("k3f9k3f9").damage!.lostFiles], [0]);
    assert.doesNotMatch(fault() ?? "", /\/data|a\.txt/);
    await disk.write(path, new Uint8Array(9));
    await passRound();
    assert.equal(fault(), null);
  }
  assert.equal(logged.length, 2, "once for each damage");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, [false, true, false, true], "the tracker counts it accordingly");
});

test("HUB-19: the rounds notice a lost .torrent file", async (t) => {
  const { everseed, passRound } = await world(t, { lost: true });
  await passRound();
  assert.match(everseed.figures("k3f9k3f9").damage?.words ?? "", /\.torrent file is lost/);
});

test("HUB-19, WIR-14: pieces the engine finds damaged are counted until they are repaired", async (t) => {
  const { everseed, engine } = await world(t);
  await everseed.wake(V1);
  const { onEvent } = engine.added[0]!;
  const fault = () => everseed.figures("k3f9k3f9").damage?.words ?? null;
  onEvent!({ kind: "piece", piece: 0 });
  assert.equal(fault(), null);
  onEvent!({ kind: "piece-lost", piece: 0 });
  onEvent!({ kind: "piece-lost", piece: 0 });
  assert.match(fault() ?? "", /^1 of 1 pieces is damaged/);
  onEvent!({ kind: "state", state: { kind: "downloading" } });
  assert.match(fault() ?? "", /^1 of 1 pieces/);
  onEvent!({ kind: "piece", piece: 0 });
  assert.equal(fault(), null);
  const message = "EIO: /data/content/01/0101/talks/a.txt";
  onEvent!({ kind: "state", state: { kind: "waiting", cause: "disk-error", message } });
  assert.equal(fault(), "Its files cannot be read at the moment.");
  assert.ok(everseed.figures("k3f9k3f9").damage?.all, "it is not known which ones");
  onEvent!({ kind: "state", state: { kind: "seeding" } });
  assert.equal(fault(), null);
});

test("HUB-19: replaced content is judged anew, without the findings about the old content", async (t) => {
  const { everseed, engine } = await world(t);
  const torrent = await everseed.wake(V1);
  assert.ok(!everseed.isDamaged("k3f9k3f9"));
  engine.added[0]!.onEvent!({ kind: "piece-lost", piece: 0 });
  assert.ok(everseed.isDamaged("k3f9k3f9"));
  await everseed.replace("k3f9k3f9", async () => assert.deepEqual(engine.removed, [torrent]));
  assert.ok(!everseed.isDamaged("k3f9k3f9"));
  assert.deepEqual(engine.removed, [torrent]);
  await everseed.wake(V1);
  assert.equal(engine.added.length, 2);
});

test("HUB-19: content is replaced when the engine has closed the old one, and is opened when it is there", async (t) => {
  const { everseed, engine } = await world(t);
  await everseed.wake(V1);
  const [closing, moving] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  engine.remove = () => closing.promise;
  let isMoving = false;
  const replaced = everseed.replace("k3f9k3f9", () => {
    isMoving = true;
    return moving.promise;
  });
  const again = everseed.wake(V1);
  await new Promise(setImmediate);
  assert.ok(!isMoving, "the engine is still closing it");
  closing.resolve();
  await new Promise(setImmediate);
  assert.ok(isMoving);
  assert.equal(engine.added.length, 1, "content that is being moved is not opened");
  moving.resolve();
  await Promise.all([replaced, again]);
  assert.equal(engine.added.length, 2);
});

test("HUB-19: content that is not replaced after all stays, and wakes again", async (t) => {
  const { everseed, engine } = await world(t);
  await everseed.wake(V1);
  engine.added[0]!.onEvent!({ kind: "piece-lost", piece: 0 });
  const refusal = new Error("no space");
  await assert.rejects(
    everseed.replace("k3f9k3f9", () => Promise.reject(refusal)),
    refusal,
  );
  assert.ok(everseed.isDamaged("k3f9k3f9"));
  await everseed.wake(V1);
  assert.equal(engine.added.length, 2);
});
