import assert from "node:assert/strict";
import { test } from "node:test";
import type { TorrentDetail, TorrentList } from "../../src/api/torrents.ts";
import { hubWorld } from "./hub-world.ts";

test("BEP 33, DHT-7: the DHT is asked about a torrent that somebody looks at, and never about a private one", async (t) => {
  const { call, page, publish, dhtSwarms } = await hubWorld(t);
  const open = await publish({ a: new Uint8Array([1]) });
  const secret = await publish({ b: new Uint8Array([2]) }, { private: true });
  const detail = async (id: string): Promise<TorrentDetail> =>
    (await (await call(`/api/v1/torrents/${id}`)).json()) as TorrentDetail;
  const list = async (): Promise<TorrentList> =>
    (await (await call("/api/v1/torrents")).json()) as TorrentList;
  await page("/");
  assert.deepEqual(
    (await list()).torrents.map(({ swarm }) => swarm.dht),
    [null, null],
  );
  assert.deepEqual(dhtSwarms.asked, [], "a list of torrents asks about none of them");
  const { infohashV1, swarm } = await detail(open);
  assert.equal(swarm.dht, null, "nobody knows yet");
  assert.deepEqual(dhtSwarms.asked, [infohashV1]);
  dhtSwarms.now = { seeds: 12, leechers: 3, atMs: Date.UTC(2026, 10, 30) };
  const counted = { seeds: 12, leechers: 3, countedAt: "2026-11-30T00:00:00Z" };
  assert.deepEqual((await detail(open)).swarm.dht, counted);
  const { model } = await page(`/t/${open}/talks`);
  assert.ok(model.kind === "torrent");
  assert.deepEqual(model.torrent.swarm.dht, counted);
  assert.equal((await detail(secret)).swarm.dht, null);
  await page(`/t/${secret}/talks`);
  const live = await call(`/api/v1/torrents/${secret}/live`);
  await live.body?.cancel();
  const known = (await list()).torrents.map(({ id, swarm: { dht } }) => [id, dht]);
  assert.deepEqual(known, [
    [secret, null],
    [open, counted],
  ]);
  assert.deepEqual([...new Set(dhtSwarms.asked)], [infohashV1]);
});
