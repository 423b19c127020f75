import assert from "node:assert/strict";
import { test } from "node:test";
import { writeUint32 } from "../base/bytes.ts";
import { addressBytes } from "../base/endpoint.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { BloomFilter } from "./bloom-filter.ts";
import { PEER_MS, PeerStore } from "./peer-store.ts";

const random = seededRandom(5);
const OWN = new Uint8Array(20);
const INFOHASH = random.bytes(20);

function peer(host: number, port = 6881) {
  return { address: `11.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}`, port };
}

function add(store: PeerStore, infohash: Uint8Array, host: number, now = 0): void {
  store.add({ infohash, endpoint: peer(host), seed: host % 2 === 0 }, OWN, now);
}

/** An infohash that is the farther from us the larger `rank` is. */
function ranked(rank: number): Uint8Array {
  const infohash = new Uint8Array(20);
  writeUint32(infohash, 0, rank);
  return infohash;
}

function hostsOf(store: PeerStore, now: number, noSeeds = false): string[] {
  const options = { family: 4, count: 1000, noSeeds, random } as const;
  return store.sample(INFOHASH, options, now).map(({ address }) => address);
}

test("peers come by family, in random choice, without seeds when asked, until they run out", () => {
  const store = new PeerStore();
  for (let host = 0; host < 10; host += 1) add(store, INFOHASH, host, host);
  store.add({ infohash: INFOHASH, endpoint: { address: "2600::1", port: 1 }, seed: false }, OWN, 0);
  assert.equal(hostsOf(store, 10).length, 10);
  assert.equal(hostsOf(store, 10, true).length, 5);
  const six = { family: 6, count: 9, noSeeds: false, random } as const;
  assert.deepEqual(store.sample(INFOHASH, six, 0), [{ address: "2600::1", port: 1 }]);
  add(store, INFOHASH, 3, 100);
  assert.equal(store.peerCount(INFOHASH), 11, "who announces again is there once");
  assert.deepEqual(hostsOf(store, PEER_MS + 50), [peer(3).address]);
  store.expire(PEER_MS + 50);
  assert.equal(store.peerCount(INFOHASH), 1);
  store.expire(2 * PEER_MS + 100);
  assert.equal(store.infohashCount, 0);
});

test("DHT-4: peers of one infohash, and ports of one address, are bounded; the oldest go", () => {
  const store = new PeerStore();
  for (let host = 0; host < 700; host += 1) add(store, INFOHASH, host);
  assert.equal(store.peerCount(INFOHASH), 500);
  assert.ok(!hostsOf(store, 0).includes(peer(0).address));
  for (let port = 1; port <= 50; port += 1) {
    store.add({ infohash: INFOHASH, endpoint: peer(9999, port), seed: false }, OWN, 0);
  }
  assert.equal(hostsOf(store, 0).filter((host) => host === peer(9999).address).length, 4);
});

test("DHT-4: one address fills no store, and many keep what is near to us", () => {
  const store = new PeerStore();
  for (let rank = 0; rank < 5000; rank += 1) add(store, ranked(rank), 1);
  assert.equal(store.infohashCount, 200);
  for (let rank = 200; rank < 6000; rank += 1) add(store, ranked(rank), rank);
  assert.equal(store.infohashCount, 4000);
  assert.equal(store.peerCount(ranked(3999)), 1);
  assert.equal(store.peerCount(ranked(5999)), 0, "the farthest found no room");
  const near = ranked(0);
  near[19] = 1;
  add(store, near, 777);
  assert.equal(store.peerCount(near), 1);
  assert.equal(store.peerCount(ranked(3999)), 0, "the farthest made room");
});

test("filters hold seeds and the others apart (BEP 33)", () => {
  const store = new PeerStore();
  for (let host = 0; host < 9; host += 1) add(store, INFOHASH, host);
  const { seeds, leechers } = store.filters(INFOHASH, 0)!;
  const expected = new BloomFilter();
  for (let host = 0; host < 9; host += 2) expected.add(addressBytes(peer(host).address)!);
  assert.deepEqual(seeds, expected.bytes);
  assert.equal(Math.round(new BloomFilter(leechers).estimate()), 4);
  assert.equal(store.filters(random.bytes(20), 0), undefined);
});
