import assert from "node:assert/strict";
import { test } from "node:test";
import { wireInfohash } from "../base/infohash.ts";
import type { TorrentRow } from "../store/torrents.ts";
import type { TransferRow } from "../store/transfers.ts";
import { publishedSeeds, transferSeeds } from "./announced-seeds.ts";

const v2 = new Uint8Array(32).fill(7);
const row = { infohash_v1: null, infohash_v2: v2, private: 0 };
const kept = { ...row, finished_at: 1, stopped: 0, failure: null, chore: null };

test("DHT-7: published torrents are announced, private ones are not", async () => {
  const found = async (published: object): Promise<unknown> =>
    publishedSeeds({
      publicInfohashes: () => [],
      findByWire: async () => published as TorrentRow,
    }).find(wireInfohash(v2));
  assert.deepEqual(await found(row), { v1: undefined, v2 });
  assert.equal(await found({ ...row, private: 1 }), undefined);
});

test("DHT-7: transfers that are seeds are announced; private, unfinished, stopped, failed and busy ones are not", async () => {
  const found = async (transfer: object): Promise<unknown> =>
    transferSeeds({
      publicSeeds: () => [],
      findByWire: async () => transfer as TransferRow,
    }).find(wireInfohash(v2));
  assert.deepEqual(await found(kept), { v2 });
  for (const change of [
    { private: 1 },
    { finished_at: null },
    { stopped: 1 },
    { failure: "{}" },
    { chore: "{}" },
  ]) {
    assert.equal(await found({ ...kept, ...change }), undefined, JSON.stringify(change));
  }
});
