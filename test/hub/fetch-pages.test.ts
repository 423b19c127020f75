import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { fetchSchema } from "../../src/api/fetches.ts";
import { fetchPath } from "../../src/api/paths.ts";
import type { FetchPage, PageModel, PublishPage } from "../../src/api/pages.ts";
import { toHex } from "../../src/base/bytes.ts";
import { sha1 } from "../../src/base/hash.ts";
import { buildMetainfo, planTorrent } from "../../src/metainfo/create.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { HOST, hubWorld, type World } from "./hub-world.ts";

const BYTES = randomBytes(20_000);

function infoOf(options: { private?: boolean } = {}) {
  const files = [{ path: ["a.bin"], length: BYTES.length }];
  const plan = planTorrent({ name: "theirs", files, kind: "v1", pieceLength: 16_384 });
  const v1 = Buffer.concat([sha1(BYTES.subarray(0, 16_384)), sha1(BYTES.subarray(16_384))]);
  return parseMetainfo(buildMetainfo(plan, { v1 }, options).torrent).info;
}

const INFO = infoOf();
const INFOHASH = toHex(INFO.infohashes.v1!);

/** A signed-in browser, with what it sends and shows. */
async function browser(t: TestContext) {
  const world = await hubWorld(t);
  const headers = { cookie: await world.signIn(), origin: `http://${HOST}` };
  const post = (path: string, form: Record<string, string> = {}) =>
    world.call(path, { method: "POST", headers, form });
  const see = async (path: string): Promise<PageModel> =>
    (await world.page(path, { headers })).model;
  const begin = async (source: string): Promise<string> => {
    const response = await post("/publish/torrent", { source });
    assert.equal(response.status, 303, await response.text());
    return response.headers.get("location")!;
  };
  const seeFetch = async (path: string): Promise<FetchPage> => {
    const model = await see(path);
    assert.equal(model.kind, "fetch");
    return model;
  };
  const until = async (path: string, state: FetchPage["state"]): Promise<FetchPage> => {
    for (let turns = 0; turns < 1000; turns += 1) {
      const page = await seeFetch(path);
      if (page.state === state) return page;
      await turn();
    }
    throw new Error(`never ${state}`);
  };
  return { world, post, see, seeFetch, until, begin };
}

function deliver({ engine, disk }: World): void {
  disk.poke(`${engine.only.options.root}/theirs/a.bin`, 0, BYTES);
  engine.only.complete();
}

async function strangersView(world: World, path: string): Promise<PageModel> {
  world.clock.wall += 2000;
  return (await world.page(path)).model;
}

test("a magnet link or an infohash in the plain form leads to the page of the fetch, which becomes the torrent's", async (t) => {
  const { world, see, seeFetch, begin } = await browser(t);
  const path = await begin(`  magnet:?xt=urn:btih:${INFOHASH}&dn=theirs \r\n`);
  assert.match(path, /^\/t\/[0-9a-z]+\/theirs$/);
  assert.equal(await begin(INFOHASH.toUpperCase()), path, "the same, by its infohash alone");
  const found = await seeFetch(path);
  assert.deepEqual([found.state, found.size, found.mine?.infohash], ["finding", null, INFOHASH]);
  world.engine.only.learn(INFO);
  world.engine.only.doneBytes = 16_384;
  const half = await seeFetch(path);
  assert.deepEqual([half.state, half.size, half.bytesDone], ["fetching", 20_000, 16_384]);
  const list = (await see("/publish?from=torrent")) as PublishPage;
  assert.deepEqual([list.from, list.fetches.map(({ id }) => id)], ["torrent", [half.id]]);
  deliver(world);
  for (let turns = 0; turns < 1000 && (await see(path)).kind === "fetch"; turns += 1) await turn();
  assert.equal((await see(path)).kind, "torrent");
  assert.equal(await begin(INFOHASH), path, "it is here already");
});

test("a form that is refused comes back with what was typed, the reason and what to do", async (t) => {
  const { world, post } = await browser(t);
  for (const [source, words] of [
    ["", /Nothing was given/],
    ["magnet:?dn=nothing", /not a usable magnet link/],
    ["https://elsewhere.example/a.torrent", /web address/],
    [`magnet:?xt=urn:btih:${INFOHASH}&dn=${"x".repeat(16_400)}`, /16384 characters/],
  ] as const) {
    const response = await post("/publish/torrent", { source });
    assert.equal(response.status, 400);
    const { model } = (await response.json()) as { model: PublishPage };
    assert.deepEqual([model.kind, model.from], ["publish", "torrent"]);
    assert.equal(model.source, source.slice(0, 16_384));
    assert.match(`${model.problem?.message} ${model.problem?.hint}`, words);
    assert.equal(model.problem?.field, "source");
  }
  assert.equal(world.engine.torrents.length, 0);
});

test("HUB-11: strangers see the progress of a fetch, but not its peers, nor why and under which name it failed", async (t) => {
  const { world, until, begin } = await browser(t);
  const info = infoOf({ private: true });
  const path = await begin(`magnet:?xt=urn:btih:${toHex(info.infohashes.v1!)}&dn=secret`);
  const before = (await strangersView(world, path)) as FetchPage;
  assert.deepEqual([before.kind, before.name, before.mine], ["fetch", "secret", null]);
  world.engine.only.learn(info);
  const mine = await until(path, "failed");
  assert.match(mine.mine?.problem ?? "", /private/);
  const after = await strangersView(world, path);
  assert.equal((after as FetchPage).state, "failed");
  assert.doesNotMatch(JSON.stringify(after), /secret|private|theirs/);
});

test("messages of trackers are on the page of a fetch and in the API, but not for strangers", async (t) => {
  const { world, seeFetch, begin } = await browser(t);
  const path = await begin(INFOHASH);
  assert.deepEqual((await seeFetch(path)).mine?.trackerNotices, []);
  const said = { kind: "warning", tracker: "http://tracker.example", message: "it moves" } as const;
  world.engine.only.notices = [said];
  const page = await seeFetch(path);
  assert.deepEqual(page.mine?.trackerNotices, [said]);
  const api = await world.call(fetchPath(page.id), { headers: await world.program() });
  const told = fetchSchema.parse(await api.json());
  assert.deepEqual(told.trackerNotices, [said]);
  assert.doesNotMatch(
    JSON.stringify(await strangersView(world, path)),
    /tracker\.example|it moves/,
  );
});

test("a failed fetch can be retried at its address, from the existing data; a cancelled one is gone", async (t) => {
  const { world, post, see, seeFetch, until, begin } = await browser(t);
  const path = await begin(INFOHASH);
  const { id } = await seeFetch(path);
  world.disk.free = 1000;
  world.engine.only.learn(INFO);
  const failed = await until(path, "failed");
  assert.match(failed.mine?.problem ?? "", /free/);
  world.disk.free = 10 ** 9;
  const again = await post(`/t/${id}/retry`);
  assert.equal(again.status, 303);
  assert.equal((await seeFetch(path)).state, "finding");
  assert.equal((await post(`/t/${id}/retry`)).status, 303, "a second click changes nothing");
  assert.equal(world.engine.torrents.length, 1);
  const cancel = await post(`/t/${id}/cancel`);
  assert.deepEqual([cancel.status, cancel.headers.get("location")], [303, "/publish?from=torrent"]);
  assert.equal(world.engine.torrents.length, 0);
  assert.deepEqual(
    world.disk.paths.filter((name) => name.includes("/fetches/")),
    [],
  );
  const gone = await see(path);
  assert.ok(gone.kind === "message" && gone.status === 404);
});

test("HUB-11: an administrator may cancel somebody else's fetch, a publish token may not", async (t) => {
  const { world, begin, seeFetch } = await browser(t);
  const { id } = await seeFetch(await begin(INFOHASH));
  const { store } = world;
  await store.db.updateTable("fetches").set({ owner_id: "somebody else" }).execute();
  const path = `/t/${id}/cancel`;
  const asToken = await world.call(path, { headers: await world.program("publish"), form: {} });
  assert.equal(asToken.status, 404);
  const asAdmin = await world.call(path, { headers: await world.program("admin"), form: {} });
  assert.equal(asAdmin.status, 303);
});
