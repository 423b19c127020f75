import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1 } from "../../src/base/bytes.ts";
import { type Item, type MutableItem, NO_SALT, placeOf, signItem } from "../../src/dht/item.ts";
import { getItem, type ItemSearchResult } from "../../src/dht/item-search.ts";
import { ITEM_MS } from "../../src/dht/item-store.ts";
import { KeptVersion } from "../../src/dht/kept-version.ts";
import { decodePointer, encodePointer } from "../../src/dht/mutable-torrent.ts";
import { PublicationWatch } from "../../src/dht/publication-watch.ts";
import { type DhtMachine, DhtWorld, signatures } from "./dht-world.ts";

const KEY = signatures.keyFromSeed(new Uint8Array(32).fill(1));
const MINUTE_MS = 60_000;
const infohash = (letter: string) => fromLatin1(letter.repeat(20));

function grow(seed: number) {
  const world = new DhtWorld({ seed });
  const machines: DhtMachine[] = [];
  for (let index = 0; index < 16; index += 1) {
    machines.push(world.join({ bootstrap: machines[0] ? [machines[0].endpoint] : [] }));
    world.simulation.runFor(300);
  }
  world.simulation.runFor(30_000);
  return { world, machines };
}

function publish(world: DhtWorld, { dht }: DhtMachine, letter: string, sequenceMin: bigint) {
  const news: string[] = [];
  const kept = new KeptVersion({
    dht,
    clock: world.simulation,
    random: world.random,
    signatures,
    key: KEY,
    salt: NO_SALT,
    infohashes: { v1: infohash(letter) },
    sequenceMin,
    onStored: ({ sequence }, nodes) => news.push(`stored ${sequence} at ${nodes > 0}`),
    onNotStored: () => news.push("not stored"),
    onSuperseded: ({ sequence }) => news.push(`superseded by ${sequence}`),
  });
  return { kept, news };
}

function follow(world: DhtWorld, { dht }: DhtMachine, known?: MutableItem) {
  const news: string[] = [];
  const watch = new PublicationWatch({
    dht,
    clock: world.simulation,
    random: world.random,
    signatures,
    place: { publicKey: KEY.publicKey, salt: NO_SALT },
    known,
    onNewer: ({ sequence, value }) =>
      news.push(`${sequence} ${String.fromCharCode(decodePointer(value)!.v1![0]!)}`),
  });
  return { watch, news };
}

function newestOf(world: DhtWorld, { dht }: DhtMachine, item: Item): Item | undefined {
  const search = { place: placeOf(item), signatures };
  return world.wait<ItemSearchResult>((onDone) => getItem(dht, search, onDone)).item;
}

test("BEP 46: followers learn of each version, and a version lives as long as one of them", () => {
  const { world, machines } = grow(41);
  const first = publish(world, machines[2]!, "a", 100n);
  world.simulation.runFor(10_000);
  assert.deepEqual(first.news, ["stored 100 at true"]);
  const { watch, news } = follow(world, machines[8]!);
  world.simulation.runFor(10_000);
  assert.deepEqual(news, ["100 a"]);
  const second = publish(world, machines[3]!, "b", 100n);
  world.simulation.runFor(6 * MINUTE_MS);
  assert.deepEqual([second.news, news], [["stored 101 at true"], ["100 a", "101 b"]]);
  assert.deepEqual(
    first.news.slice(1),
    ["superseded by 101"],
    "the publisher of the first is told",
  );

  first.kept.close();
  second.kept.close();
  machines[2]!.leave();
  machines[3]!.leave();
  world.simulation.runFor(3 * ITEM_MS);
  assert.ok(newestOf(world, machines[11]!, watch.newest!), "a follower stores it again and again");
  watch.close();
  world.simulation.runFor(2 * ITEM_MS);
  assert.equal(newestOf(world, machines[11]!, watch.newest!), undefined);
});

test("BEP 46: the same torrent again keeps its number; a new one passes the number that was forgotten", () => {
  const { world, machines } = grow(42);
  const first = publish(world, machines[2]!, "a", 100n);
  world.simulation.runFor(10_000);
  first.kept.close();
  const again = publish(world, machines[3]!, "a", 200n);
  world.simulation.runFor(10_000);
  assert.deepEqual(again.news, ["stored 100 at true"]);
  again.kept.close();
  world.simulation.runFor(2 * ITEM_MS);
  const later = publish(world, machines[4]!, "b", 300n);
  world.simulation.runFor(10_000);
  assert.deepEqual(later.news, ["stored 300 at true"]);
});

test("DHT-4: an older version and a forged one are no news, and the network gets the newest back", () => {
  const { world, machines } = grow(43);
  const known = signItem(KEY, {
    value: encodePointer({ v1: infohash("n") }),
    salt: NO_SALT,
    sequence: 50n,
  });
  // The network has only an older version, which an attacker has kept.
  const older = publish(world, machines[2]!, "o", 49n);
  world.simulation.runFor(10_000);
  older.kept.close();
  const { watch, news } = follow(world, machines[8]!, known);
  world.simulation.runFor(10_000);
  assert.deepEqual(news, []);
  assert.equal(watch.newest, known);
  assert.deepEqual(newestOf(world, machines[11]!, known), known, "it was stored again at once");

  // Every node that the follower may ask says that there is a newer one, with another key's signature.
  const forger = signatures.keyFromSeed(new Uint8Array(32).fill(2));
  const forged = signItem(forger, { value: known.value, salt: NO_SALT, sequence: 60n });
  const liar = follow(world, machines[9]!, { ...forged, publicKey: KEY.publicKey });
  world.simulation.runFor(10 * MINUTE_MS);
  liar.watch.close();
  assert.deepEqual(news, []);
  assert.deepEqual(
    newestOf(world, machines[11]!, known),
    known,
    "no node has taken the forged one",
  );
});

test("what no node takes is tried again until one does", () => {
  const { world, machines } = grow(44);
  let isOnline = false;
  const lone = world.join({ bootstrap: [machines[0]!.endpoint], isOnline: () => isOnline });
  const { news } = publish(world, lone, "a", 7n);
  world.simulation.runFor(2 * MINUTE_MS);
  assert.ok(news.length > 0 && news.every((each) => each === "not stored"), news.join());
  isOnline = true;
  world.simulation.runFor(10 * MINUTE_MS);
  assert.equal(news.at(-1), "stored 7 at true");
});
