import assert from "node:assert/strict";
import { test } from "node:test";
import type { Infohashes } from "../base/infohash.ts";
import { TorrentDirectory } from "./torrent-directory.ts";

const v1 = (byte: number): Uint8Array => new Uint8Array(20).fill(byte);
const v2 = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

function directory(torrents: readonly Infohashes[], fetched: readonly Uint8Array[] = []) {
  return new TorrentDirectory({ key: 11, torrents, fetched });
}

test("each infohash of a torrent leads to all of them, v1 first", () => {
  const known = directory([{ v1: v1(1) }, { v2: v2(2) }]);
  known.register({ v1: v1(3), v2: v2(4) });
  assert.deepEqual(known.find(v1(1)), [v1(1)]);
  assert.deepEqual(known.find(v1(2)), [v1(2)], "v2 is truncated");
  for (const byte of [3, 4]) assert.deepEqual(known.find(v1(byte)), [v1(3), v1(4)]);
  assert.equal(known.find(v1(5)), undefined);
});

test("an unregistered torrent is gone under all of its infohashes, and may come back", () => {
  const hybrid = { v1: v1(3), v2: v2(4) };
  const known = directory([{ v1: v1(1) }, hybrid]);
  known.unregister(hybrid);
  known.unregister(hybrid);
  for (const byte of [3, 4]) assert.equal(known.find(v1(byte)), undefined);
  assert.deepEqual(known.find(v1(1)), [v1(1)]);
  known.register(hybrid);
  known.register(hybrid);
  for (const byte of [3, 4]) assert.deepEqual(known.find(v1(byte)), [v1(3), v1(4)]);
});

test("an infohash that leads to a torrent keeps leading there, and the other half of a hybrid stays by itself", () => {
  const known = directory([{ v1: v1(1) }, { v1: v1(1), v2: v2(2) }]);
  assert.deepEqual(known.find(v1(1)), [v1(1)]);
  assert.deepEqual(known.find(v1(2)), [v1(2)]);
  known.register({ v1: v1(3), v2: v2(4) });
  known.unregister({ v1: v1(3) });
  assert.deepEqual(known.find(v1(4)), [v1(4)]);
});

test("`some` names each torrent once: those registered last, as many as asked for", () => {
  const known = directory(Array.from({ length: 9 }, (_, n) => ({ v1: v1(n), v2: v2(100 + n) })));
  known.unregister({ v1: v1(7), v2: v2(107) });
  assert.deepEqual(known.some(3), [
    [v1(8), v1(108)],
    [v1(6), v1(106)],
    [v1(5), v1(105)],
  ]);
  assert.equal(known.some(100).length, 8);
});

test("a torrent being fetched is not registered", () => {
  const known = directory([], [v1(1)]);
  assert.ok(known.isFetched(v1(1)));
  assert.equal(known.find(v1(1)), undefined);
  known.setFetched(v1(1), false);
  known.setFetched(v1(2), true);
  assert.deepEqual(
    [1, 2].map((byte) => known.isFetched(v1(byte))),
    [false, true],
  );
  assert.deepEqual(known.some(9), []);
});
