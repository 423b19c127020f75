import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { FetchView } from "../../src/api/fetches.ts";
import { fetchPath, FETCH_TORRENT_PATH, FETCHES_PATH } from "../../src/api/paths.ts";
import { Bitfield } from "../../src/base/bitfield.ts";
import { toHex } from "../../src/base/bytes.ts";
import { sha1 } from "../../src/base/hash.ts";
import { buildMetainfo, type BuildOptions, planTorrent } from "../../src/metainfo/create.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { hubWorld, problemOf, type World } from "./hub-world.ts";

const BYTES = randomBytes(20_000);
const TRACKER = "http://tracker.example/announce";

function torrentOf(options: BuildOptions & { name?: string } = {}): Uint8Array<ArrayBuffer> {
  const { name = "theirs" } = options;
  const files = [{ path: ["a.bin"], length: BYTES.length }];
  const plan = planTorrent({ name, files, kind: "v1", pieceLength: 16_384 });
  const v1 = Buffer.concat([sha1(BYTES.subarray(0, 16_384)), sha1(BYTES.subarray(16_384))]);
  const { torrent } = buildMetainfo(plan, { v1 }, { trackers: [[TRACKER]], ...options });
  return new Uint8Array(torrent);
}

const TORRENT = torrentOf();
const METAINFO = parseMetainfo(TORRENT);
const INFOHASH = toHex(METAINFO.info.infohashes.v1!);
const MAGNET = `magnet:?xt=urn:btih:${INFOHASH}&dn=theirs&tr=${encodeURIComponent(TRACKER)}`;

async function send(world: World, body: Uint8Array<ArrayBuffer> | string): Promise<Response> {
  const headers = await world.program();
  if (typeof body === "string")
    return world.call(FETCHES_PATH, { headers, json: { magnet: body } });
  const type = { "content-type": "application/x-bittorrent" };
  return world.call(FETCH_TORRENT_PATH, { headers: { ...headers, ...type }, body });
}

async function begin(world: World, body: Uint8Array<ArrayBuffer> | string): Promise<FetchView> {
  const response = await send(world, body);
  assert.equal(response.status, 201);
  return (await response.json()) as FetchView;
}

async function look(world: World, id: string): Promise<FetchView> {
  const response = await world.call(fetchPath(id), { headers: await world.program() });
  assert.equal(response.status, 200);
  return (await response.json()) as FetchView;
}

async function until(world: World, id: string, state: FetchView["state"]): Promise<FetchView> {
  for (let turns = 0; turns < 1000; turns += 1) {
    const fetch = await look(world, id);
    if (fetch.state === state) return fetch;
    await turn();
  }
  throw new Error(`never ${state}`);
}

/** The swarm sends everything. */
function deliver({ engine, disk }: World): void {
  const { only } = engine;
  disk.poke(`${only.options.root}/theirs/a.bin`, 0, BYTES);
  only.complete();
}

for (const [what, source] of [
  ["a .torrent file", TORRENT],
  ["a magnet link", MAGNET],
] as const) {
  test(`${what} is fetched from its swarm and published under its infohash, with its trackers`, async (t) => {
    const world = await hubWorld(t);
    const fetch = await begin(world, source);
    assert.equal(fetch.state, source === MAGNET ? "finding" : "fetching");
    assert.equal(fetch.infohash, INFOHASH);
    assert.equal(fetch.name, "theirs");
    assert.deepEqual(world.engine.only.trackers, [[TRACKER]]);
    // Into a folder of the hub, under the names that the everseed expects.
    const { existing, keepsHiddenName } = world.engine.only.options;
    assert.deepEqual([existing, keepsHiddenName], ["own", true]);
    if (source === MAGNET) world.engine.only.learn(METAINFO.info);
    world.engine.only.doneBytes = 16_384;
    const half = await look(world, fetch.id);
    assert.deepEqual([half.state, half.size, half.bytesDone], ["fetching", 20_000, 16_384]);
    const again = await begin(world, source);
    assert.equal(again.id, fetch.id, "the same again finds it");
    deliver(world);
    const { torrent } = await until(world, fetch.id, "published");
    assert.equal(torrent!.id, fetch.id);
    assert.equal(torrent!.infohashV1, INFOHASH);
    const file = await world.call(`/t/${fetch.id}.torrent`);
    const { info, trackers } = parseMetainfo(new Uint8Array(await file.arrayBuffer()));
    assert.equal(toHex(info.infohashes.v1!), INFOHASH);
    assert.ok(trackers.flat().includes(TRACKER) && trackers.flat().length > 1);
    const download = await world.call(`/t/${fetch.id}/files/0/a.bin`);
    assert.ok(Buffer.from(await download.arrayBuffer()).equals(BYTES));
    assert.equal(world.engine.torrents.length, 0, "the engine has let go of it");
    assert.deepEqual(
      world.disk.paths.filter((path) => path.includes("/fetches/")),
      [],
    );
    const here = await begin(world, MAGNET);
    assert.deepEqual([here.state, here.id], ["published", fetch.id], "it is here already");
  });
}

test("a torrent without a tracker is fetched from its web seeds, and without both there is nobody to ask", async (t) => {
  const world = await hubWorld(t);
  const webSeeds = ["http://mirror.example/files/"];
  const { id } = await begin(world, torrentOf({ trackers: [], webSeeds }));
  assert.equal((await look(world, id)).problem, null);
  const alone = await begin(world, torrentOf({ trackers: [], name: "others" }));
  assert.match((await look(world, alone.id)).problem ?? "", /no tracker and no web seed/);
  world.engine.hasDht = true;
  assert.match((await look(world, alone.id)).problem ?? "", /this hub asks the DHT, where nobody/);
});

test("a .torrent file keeps its other fields: description, date, creator, web seeds", async (t) => {
  const world = await hubWorld(t);
  const words = { comment: "Seen from the quay.", creationDate: 1_700_000_000 };
  const theirs = torrentOf({ ...words, webSeeds: ["http://mirror.example/files/"] });
  const fetch = await begin(world, theirs);
  const early = await world.call(`/api/v1/torrents/${fetch.id}`);
  assert.equal(early.status, 404);
  assert.match(await early.text(), /is fetching this torrent from its swarm/);
  deliver(world);
  await until(world, fetch.id, "published");
  const file = await world.call(`/t/${fetch.id}.torrent`);
  const served = parseMetainfo(new Uint8Array(await file.arrayBuffer()));
  const { createdBy } = parseMetainfo(theirs);
  assert.partialDeepStrictEqual(served, { ...words, createdBy });
  assert.deepEqual(served.webSeeds.slice(1), ["http://mirror.example/files/"]);
  const api = await world.call(`/api/v1/torrents/${fetch.id}`);
  assert.partialDeepStrictEqual(await api.json(), { comment: words.comment });
});

test("a torrent that is invalid, private or too large is refused with the reason", async (t) => {
  const world = await hubWorld(t);
  for (const [body, words] of [
    [new Uint8Array([1, 2, 3]), /no torrent/],
    ["magnet:?dn=nothing", /This is not a usable magnet link: it needs/],
    [torrentOf({ private: true }), /private/],
  ] as const) {
    const response = await send(world, body);
    assert.equal(response.status, 400);
    assert.match(await response.text(), words);
  }
  world.disk.free = 1000;
  const full = await send(world, TORRENT);
  assert.deepEqual(await problemOf(full), { status: 507, code: "disk_full" });
  assert.equal(world.engine.torrents.length, 0);
});

test("HUB-28: the same .torrent file sent five times at once is one fetch", async (t) => {
  const world = await hubWorld(t);
  const fetches = await Promise.all(Array.from({ length: 5 }, () => begin(world, TORRENT)));
  assert.equal(new Set(fetches.map(({ id }) => id)).size, 1);
  assert.equal(world.engine.torrents.length, 1);
});

test("HUB-28: .torrent files sent at once are counted, and get the space they need", async (t) => {
  const world = await hubWorld(t);
  const torrents = Array.from({ length: 60 }, (_, at) => torrentOf({ name: `theirs ${at}` }));
  world.disk.free = 64 * 1024 * 1024 + 2.5 * BYTES.length;
  const few = await Promise.all(torrents.slice(0, 5).map((each) => send(world, each)));
  // Their order is not defined.
  const refused = few.findIndex(({ status }) => status === 507);
  assert.deepEqual(
    few.map(({ status }) => status).toSorted((a, b) => a - b),
    [201, 201, 507, 507, 507],
  );
  assert.match(await few[refused]!.text(), /has \d[^;]* free beside what is on its way/);
  world.engine.torrents[0]!.doneBytes = BYTES.length;
  assert.equal((await send(world, torrents[refused]!)).status, 201, "what has come needs no more");

  world.disk.free = 1e12;
  const all = await Promise.all(torrents.map((each) => send(world, each)));
  assert.equal(all.filter(({ status }) => status === 201).length, 50);
  assert.equal(world.engine.torrents.length, 50);
});

/** An upload of this many bytes, through the API. */
async function declare(world: World, size: number, name = "mine"): Promise<Response> {
  const json = { name, folder: false, files: [{ path: name, size }] };
  return world.call("/api/v1/drafts", { json, headers: await world.program() });
}

/** The first piece of the fetch is durable. */
function saveFirstPiece({ engine }: World): void {
  const have = new Bitfield(METAINFO.info.geometry.pieceCount);
  have.add(0);
  engine.only.options.saveResume?.({
    have,
    stamps: [{ size: BYTES.length, mtimeMs: 1, inode: 1 }],
    savedAtMs: 1,
    clean: true,
    partial: [],
    uploaded: 0,
    downloaded: 0,
  });
}

const RESERVE = 64 * 1024 * 1024;

test("STO-4, HUB-30: an upload does not get space that was promised to fetches, until they complete or are cancelled", async (t) => {
  const world = await hubWorld(t);
  world.disk.free = RESERVE + BYTES.length + 5_000;
  const fetch = await begin(world, TORRENT);
  const refused = await declare(world, 6_000);
  assert.match(await refused.clone().text(), /has 4.9 KiB free beside what is on its way/);
  assert.deepEqual(await problemOf(refused), { status: 507, code: "disk_full" });
  world.engine.only.doneBytes = 16_384;
  assert.equal((await declare(world, 6_000)).status, 201, "what came is not promised any more");
  assert.equal((await declare(world, BYTES.length - 2_000, "more")).status, 507);
  await world.call(fetchPath(fetch.id), { method: "DELETE", headers: await world.program() });
  assert.equal((await declare(world, BYTES.length - 2_000, "more")).status, 201);
});

test("HUB-30: concurrent uploads and fetches see each other; a refused one keeps nothing", async (t) => {
  const world = await hubWorld(t);
  world.disk.free = RESERVE + 1.5 * BYTES.length;
  const both = await Promise.all([send(world, TORRENT), declare(world, BYTES.length)]);
  assert.equal(both.filter(({ status }) => status === 201).length, 1);
  assert.equal(both.filter(({ status }) => status === 507).length, 1);
  assert.equal((await declare(world, BYTES.length / 4, "more")).status, 201);
});

test("HUB-30: when details of two magnet links arrive at once the first gets the space, the second reports the lack", async (t) => {
  const world = await hubWorld(t);
  world.disk.free = RESERVE + 1.5 * BYTES.length;
  const infos = ["one", "two"].map((name) => parseMetainfo(torrentOf({ name })).info);
  const ids: string[] = [];
  for (const { infohashes } of infos) {
    ids.push((await begin(world, `magnet:?xt=urn:btih:${toHex(infohashes.v1!)}`)).id);
  }
  for (const [at, torrent] of [...world.engine.torrents].entries()) torrent.learn(infos[at]!);
  const failed = await until(world, ids[1]!, "failed");
  assert.match(failed.problem!, /free beside what is on its way/);
  assert.equal((await look(world, ids[0]!)).state, "fetching");
  assert.equal((await declare(world, BYTES.length)).status, 507, "the first has its space");
});

test("HUB-30: details of a magnet link that arrive while it is being cancelled reserve no space", async (t) => {
  const world = await hubWorld(t);
  world.disk.free = RESERVE + 1.5 * BYTES.length;
  const fetch = await begin(world, MAGNET);
  world.engine.only.learn(METAINFO.info);
  await world.parts.fetches.cancel(fetch.id);
  assert.equal((await declare(world, BYTES.length)).status, 201);
});

test("HUB-30: after a restart a fetch still has its space, and existing data is not counted again", async (t) => {
  const world = await hubWorld(t);
  world.disk.free = RESERVE + BYTES.length;
  await begin(world, TORRENT);
  saveFirstPiece(world);
  await world.parts.fetches.stop();
  world.disk.free = RESERVE + BYTES.length - 16_384;
  const next = world.restartFetches();
  await next.start();
  assert.equal((await declare(world, 1_000)).status, 507);
  world.disk.free += 1_000;
  assert.equal((await declare(world, 1_000)).status, 201);
  await next.stop();
});

test("HUB-30: a fetch that failed half way reserves the rest only when it is retried", async (t) => {
  const world = await hubWorld(t);
  const fetch = await begin(world, TORRENT);
  saveFirstPiece(world);
  const torrent = world.engine.only;
  torrent.state = { kind: "broken", cause: "contradiction", message: "its pieces disagree" };
  torrent.options.onEvent?.({ kind: "state", state: torrent.state });
  await until(world, fetch.id, "failed");
  world.disk.free = RESERVE + BYTES.length - 16_384 - 1;
  await assert.rejects(world.parts.fetches.retry(fetch.id), { code: "disk-full" });
  world.disk.free += 1;
  await world.parts.fetches.retry(fetch.id);
  assert.equal((await look(world, fetch.id)).state, "fetching");
});

test("a magnet link to a private torrent fails with the cause, and its data is removed when it is cancelled", async (t) => {
  const world = await hubWorld(t);
  const { info } = parseMetainfo(torrentOf({ private: true }));
  const fetch = await begin(world, `magnet:?xt=urn:btih:${toHex(info.infohashes.v1!)}`);
  world.engine.only.learn(info);
  const failed = await until(world, fetch.id, "failed");
  assert.match(failed.problem!, /private/);
  assert.equal(world.engine.torrents.length, 0);
  const cancel = await world.call(fetchPath(fetch.id), {
    method: "DELETE",
    headers: await world.program(),
  });
  assert.equal(cancel.status, 204);
  const gone = await world.call(fetchPath(fetch.id), { headers: await world.program() });
  assert.equal(gone.status, 404);
});

test("a cancelled fetch leaves nothing, and may begin again", async (t) => {
  const world = await hubWorld(t);
  const fetch = await begin(world, TORRENT);
  world.disk.poke(`${world.engine.only.options.root}/theirs/a.bin`, 0, BYTES.subarray(0, 9));
  const cancel = await world.call(fetchPath(fetch.id), {
    method: "DELETE",
    headers: await world.program(),
  });
  assert.equal(cancel.status, 204);
  assert.equal(world.engine.torrents.length, 0);
  assert.deepEqual(
    world.disk.paths.filter((path) => path.includes("/fetches/")),
    [],
  );
  assert.notEqual((await begin(world, TORRENT)).id, fetch.id);
});

test("TRK-20: the tracker is told about each fetch: begun, failed, retried, cancelled, begun again, published", async (t) => {
  const world = await hubWorld(t);
  const heard = () => [...world.fetched];
  const fail = async (id: string): Promise<void> => {
    const torrent = world.engine.only;
    torrent.state = { kind: "broken", cause: "contradiction", message: "its pieces disagree" };
    torrent.options.onEvent?.({ kind: "state", state: torrent.state });
    await until(world, id, "failed");
  };
  const { id } = await begin(world, TORRENT);
  assert.deepEqual(heard(), [INFOHASH]);
  await fail(id);
  assert.deepEqual(heard(), []);
  await world.parts.fetches.retry(id);
  assert.deepEqual(heard(), [INFOHASH]);
  await fail(id);
  const again = await begin(world, MAGNET);
  assert.deepEqual(heard(), [INFOHASH]);
  await world.parts.fetches.cancel(again.id);
  assert.deepEqual(heard(), []);
  const last = await begin(world, TORRENT);
  await world.parts.fetches.stop();
  assert.deepEqual(heard(), [INFOHASH], "a hub that stops goes on with it another day");
  const next = world.restartFetches();
  await next.start();
  await turn();
  deliver(world);
  for (let turns = 0; turns < 1000 && (await next.find(last.id)); turns += 1) await turn();
  await next.stop();
  assert.deepEqual(heard(), []);
});

test("a fetch resumes after a restart, from the data on disk", async (t) => {
  const world = await hubWorld(t);
  const one = await begin(world, TORRENT);
  await world.parts.fetches.stop();
  assert.equal(world.engine.torrents.length, 0);
  const next = world.restartFetches();
  await next.start();
  await turn();
  assert.ok("metainfo" in world.engine.only.options.from);
  deliver(world);
  for (let turns = 0; turns < 1000 && (await next.find(one.id)); turns += 1) await turn();
  const page = await world.call(`/t/${one.id}.torrent`);
  assert.equal(page.status, 200);
  await next.stop();
});

test("without peers a fetch is reported as stalled after a while, until a piece arrives", async (t) => {
  const world = await hubWorld(t);
  const fetch = await begin(world, TORRENT);
  assert.equal((await look(world, fetch.id)).state, "fetching");
  world.clock.wall += 61_000;
  assert.equal((await look(world, fetch.id)).state, "stalled");
  world.engine.only.options.onEvent?.({ kind: "piece", piece: 0 });
  assert.equal((await look(world, fetch.id)).state, "fetching");
});

test("HUB-11: strangers can neither start nor see a fetch", async (t) => {
  const world = await hubWorld(t);
  const fetch = await begin(world, TORRENT);
  for (const response of [
    await world.call(FETCHES_PATH, { json: { magnet: MAGNET } }),
    await world.call(FETCHES_PATH),
    await world.call(fetchPath(fetch.id)),
    await world.call(fetchPath(fetch.id), { method: "DELETE" }),
  ]) {
    assert.equal(response.status, 401);
  }
});
