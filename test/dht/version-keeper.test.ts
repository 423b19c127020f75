import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, fromLatin1 } from "../../src/base/bytes.ts";
import { type MutableItem, NO_SALT, placeOf, signItem } from "../../src/dht/item.ts";
import { getItem, type ItemSearchResult, putItem } from "../../src/dht/item-search.ts";
import { ITEM_MS } from "../../src/dht/item-store.ts";
import { encodePointer } from "../../src/dht/mutable-torrent.ts";
import { VersionKeeper } from "../../src/dht/version-keeper.ts";
import { type DhtMachine, DhtWorld, signatures } from "./dht-world.ts";

const KEY = signatures.keyFromSeed(new Uint8Array(32).fill(7));
const HOUR_MS = 60 * 60_000;

function version(sequence: bigint, salt: Uint8Array = NO_SALT): MutableItem {
  const v1 = fromLatin1(String.fromCharCode(97 + Number(sequence % 26n)).repeat(20));
  return signItem(KEY, { value: encodePointer({ v1 }), salt, sequence });
}

function grow(seed: number, count = 16) {
  const world = new DhtWorld({ seed });
  const machines: DhtMachine[] = [];
  for (let index = 0; index < count; index += 1) {
    machines.push(world.join({ bootstrap: machines[0] ? [machines[0].endpoint] : [] }));
    world.simulation.runFor(300);
  }
  world.simulation.runFor(30_000);
  return { world, machines };
}

function keeperAt(world: DhtWorld, { dht }: DhtMachine): VersionKeeper {
  return new VersionKeeper({ dht, clock: world.simulation, random: world.random, signatures });
}

function found(world: DhtWorld, { dht }: DhtMachine, item: MutableItem): bigint | undefined {
  const search = { place: placeOf(item), signatures };
  const result = world.wait<ItemSearchResult>((onDone) => getItem(dht, search, onDone));
  return result.item?.kind === "mutable" ? result.item.sequence : undefined;
}

test("BEP 46: a kept version stays in the DHT, a newer one takes its place, and the end is an end", () => {
  const { world, machines } = grow(51);
  const keeper = keeperAt(world, machines[3]!);
  const first = version(100n);
  keeper.keep(first);
  keeper.keep(first);
  world.simulation.runFor(20_000);
  const status = keeper.statusOf(first)!;
  assert.ok(status.nodes >= 8, `${status.nodes} nodes`);
  assert.equal(status.newer, undefined);
  assert.ok(world.simulation.wallMs() - status.storedMs! <= 20_000);
  // Nodes that nobody tells again forget it after two hours.
  for (let hour = 1; hour <= 7; hour += 1) {
    world.simulation.runFor(HOUR_MS);
    assert.equal(found(world, machines[9]!, first), 100n, `after ${hour} h`);
  }
  keeper.keep(version(200n));
  world.simulation.runFor(20_000);
  assert.equal(found(world, machines[9]!, first), 200n);
  keeper.drop(first);
  assert.equal(keeper.statusOf(first), undefined);
  world.simulation.runFor(ITEM_MS + HOUR_MS);
  assert.equal(found(world, machines[9]!, first), undefined);
});

test("BEP 46: a hub that was away stores its versions again, and keeps a newer one that others published", () => {
  const { world, machines } = grow(52);
  const item = version(5n);
  const before = keeperAt(world, machines[3]!);
  before.keep(item);
  world.simulation.runFor(20_000);
  before.close();
  world.simulation.runFor(2 * ITEM_MS);
  assert.equal(found(world, machines[9]!, item), undefined);
  const after = keeperAt(world, machines[3]!);
  after.keep(item);
  world.simulation.runFor(20_000);
  assert.equal(found(world, machines[9]!, item), 5n);

  const newer = version(6n);
  world.wait((onDone) =>
    putItem(machines[12]!.dht, { place: placeOf(newer), signatures, make: () => newer }, onDone),
  );
  world.simulation.runFor(2 * ITEM_MS);
  assert.equal(found(world, machines[9]!, item), 6n);
  assert.equal(after.statusOf(item)!.newer, 6n);
});

test("many versions are stored at a bounded rate, and each of them within two hours", () => {
  const { world, machines } = grow(53, 12);
  const keeper = keeperAt(world, machines[3]!);
  // Nodes take 64 items from one address, so that this small network has no room for many more.
  const items = Array.from({ length: 80 }, (_, index) => version(1n, encodeUtf8(`${index}`)));
  for (const item of items) keeper.keep(item);
  const storedBy = (limitMs: number) =>
    items.filter((item) => (keeper.statusOf(item)!.storedMs ?? Infinity) <= limitMs).length;
  const beginMs = world.simulation.wallMs();
  world.simulation.runFor(10_000);
  // 40 queries a second, of 30 for each; eight may begin at once.
  const early = storedBy(Number.MAX_SAFE_INTEGER);
  assert.ok(early <= 8 + (10 * 40) / 30, `${early} in ten seconds`);
  assert.ok(early >= 8, `${early} in ten seconds`);
  world.simulation.runFor(60_000);
  assert.equal(storedBy(beginMs + 70_000), items.length);
  // From then on chance spreads them: they do not all come in the same minutes.
  const last = new Map(items.map((item) => [item, keeper.statusOf(item)!.storedMs]));
  const perMinute: number[] = [];
  for (let minute = 0; minute < 62; minute += 1) {
    world.simulation.runFor(60_000);
    const again = items.filter((item) => keeper.statusOf(item)!.storedMs !== last.get(item));
    for (const item of again) last.set(item, keeper.statusOf(item)!.storedMs);
    perMinute.push(again.length);
  }
  assert.ok(perMinute.reduce((sum, count) => sum + count, 0) >= items.length);
  assert.ok(Math.max(...perMinute) < items.length / 5, `${Math.max(...perMinute)} in a minute`);
});
