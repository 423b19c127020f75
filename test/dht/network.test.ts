import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, fromLatin1 } from "../../src/base/bytes.ts";
import type { Endpoint } from "../../src/base/endpoint.ts";
import {
  getItem,
  type ItemPutResult,
  type ItemSearchResult,
  keepItem,
  putItem,
} from "../../src/dht/item-search.ts";
import { ITEM_MS } from "../../src/dht/item-store.ts";
import {
  type Item,
  type ItemPlace,
  makeImmutable,
  NO_SALT,
  placeOf,
  signItem,
} from "../../src/dht/item.ts";
import { decodePointer, encodePointer } from "../../src/dht/mutable-torrent.ts";
import {
  type PeerSearchResult,
  scrapeSwarm,
  searchPeers,
  type SwarmEstimate,
} from "../../src/dht/peer-search.ts";
import { Dht } from "../../src/dht/dht.ts";
import { decodeKrpc } from "../../src/dht/krpc.ts";
import { isSecureId } from "../../src/dht/secure-id.ts";
import { type DhtMachine, DhtWorld, signatures } from "./dht-world.ts";

const KEY = signatures.keyFromSeed(new Uint8Array(32).fill(3));

/** A network of nodes that have found each other. */
function grow(count: number, options: { readonly seed: number; readonly lossPerMille?: number }) {
  const world = new DhtWorld(options);
  const machines: DhtMachine[] = [];
  for (let i = 0; i < count; i += 1) {
    const first = machines[0];
    machines.push(world.join({ bootstrap: first ? [first.endpoint] : [] }));
    world.simulation.runFor(300);
  }
  world.simulation.runFor(60_000);
  return { world, machines };
}

function find(world: DhtWorld, machine: DhtMachine, infohash: Uint8Array) {
  const peers: Endpoint[] = [];
  const result = world.wait<PeerSearchResult>((onDone) =>
    searchPeers(machine.dht, { infohash, onPeers: (named) => peers.push(...named), onDone }),
  );
  return { ...result, peers };
}

function announce(
  world: DhtWorld,
  machine: DhtMachine,
  infohash: Uint8Array,
  seed = false,
): PeerSearchResult {
  return world.wait<PeerSearchResult>((onDone) =>
    searchPeers(machine.dht, {
      infohash,
      announce: { port: 7000, isPortImplied: false, seed },
      onPeers: () => undefined,
      onDone,
    }),
  );
}

function get(world: DhtWorld, machine: DhtMachine, place: ItemPlace): ItemSearchResult {
  return world.wait<ItemSearchResult>((onDone) =>
    getItem(machine.dht, { place, signatures }, onDone),
  );
}

function put(world: DhtWorld, machine: DhtMachine, item: Item, cas?: bigint): ItemPutResult {
  return world.wait<ItemPutResult>((onDone) =>
    putItem(machine.dht, { place: placeOf(item), signatures, make: () => item, cas }, onDone),
  );
}

function versionOf(sequence: bigint, value: Uint8Array) {
  return signItem(KEY, { value, salt: NO_SALT, sequence });
}

test("peers that announce are found by others, and how many they are (BEP 5, 33)", () => {
  const { world, machines } = grow(40, { seed: 1, lossPerMille: 20 });
  const infohash = world.target();
  for (const [index, machine] of machines.slice(0, 6).entries()) {
    assert.ok(announce(world, machine, infohash, index < 2).announcedTo >= 4);
  }
  const { peers } = find(world, machines[30]!, infohash);
  assert.deepEqual(
    peers.map(({ address }) => address).toSorted(),
    machines
      .slice(0, 6)
      .map(({ endpoint }) => endpoint.address)
      .toSorted(),
  );
  assert.ok(peers.every(({ port }) => port === 7000));
  const swarm = world.wait<SwarmEstimate>((onDone) =>
    scrapeSwarm(machines[31]!.dht, infohash, onDone),
  );
  assert.deepEqual([swarm.seeds, swarm.leechers], [2, 4]);
  assert.ok(swarm.nodes >= 6);
  assert.deepEqual(find(world, machines[30]!, world.target()).peers, []);
});

test("DHT-9: nodes learn their address from others and take an id that fits it (BEP 42)", () => {
  const { machines } = grow(30, { seed: 2 });
  for (const { dht, endpoint } of machines.slice(5)) {
    const [status] = dht.status().families;
    assert.equal(status!.outer, endpoint.address);
    assert.ok(isSecureId(status!.id, endpoint.address));
  }
});

test("items are stored and found: immutable, and mutable with sequence numbers and cas (BEP 44)", () => {
  const { world, machines } = grow(30, { seed: 3 });
  const [one, two, three] = machines;
  const letter = makeImmutable(encodeUtf8("5:hello"));
  assert.ok(put(world, one!, letter).stored >= 6);
  assert.deepEqual(get(world, two!, placeOf(letter)).item, letter);
  const first = versionOf(1n, encodeUtf8("3:one"));
  const second = versionOf(2n, encodeUtf8("3:two"));
  assert.ok(put(world, one!, first).stored >= 6);
  assert.ok(put(world, two!, second, 1n).stored >= 6);
  const late = put(world, three!, versionOf(3n, encodeUtf8("4:late")), 1n);
  assert.equal(late.stored, 0);
  assert.ok(late.refusals.has(301), "somebody else was faster");
  const stale = put(world, three!, first);
  assert.ok(stale.refusals.has(302));
  const found = get(world, three!, placeOf(first));
  assert.deepEqual(found.item, second);
  assert.ok(found.copies >= 6);
});

test("a mutable torrent outlives its publisher: whoever follows it puts it again (BEP 46)", () => {
  const { world, machines } = grow(25, { seed: 4 });
  const publisher = machines[3]!;
  const v1 = fromLatin1("a".repeat(20));
  const item = versionOf(7n, encodePointer({ v1 }));
  put(world, publisher, item);
  publisher.leave();
  const follower = machines[9]!;
  for (let passedMs = 0; passedMs < 2.5 * ITEM_MS; passedMs += ITEM_MS / 2) {
    const { item: found } = get(world, follower, placeOf(item));
    assert.ok(found, `it is there after ${passedMs} ms`);
    assert.ok(decodePointer(found.value)?.v1);
    world.wait<ItemPutResult>((onDone) =>
      keepItem(follower.dht, { item: found, place: placeOf(found), signatures }, onDone),
    );
    world.simulation.runFor(ITEM_MS / 2);
  }
  world.simulation.runFor(2 * ITEM_MS);
  assert.equal(get(world, follower, placeOf(item)).item, undefined, "nobody puts it any more");
});

test("DHT-6: a machine that starts offline, without its bootstrap nodes, joins from what it saved", () => {
  const { world, machines } = grow(30, { seed: 5 });
  const traveller = machines[20]!;
  const state = traveller.dht.save();
  const idBefore = traveller.dht.status().families[0]!.id;
  traveller.leave();
  machines[0]!.leave();
  // Its packets go nowhere for ten minutes.
  let isOnline = false;
  const back = world.join({
    state,
    bootstrap: [machines[0]!.endpoint],
    endpoint: traveller.endpoint,
    isOnline: () => isOnline,
  });
  world.simulation.runFor(10 * 60_000);
  assert.equal(back.dht.isJoined, false);
  isOnline = true;
  assert.ok(world.simulation.runUntil(() => back.dht.isJoined, 6 * 60_000));
  world.simulation.runFor(60_000);
  const [status] = back.dht.status().families;
  assert.deepEqual(status!.id, idBefore, "it is the same node");
  assert.ok(status!.good >= 15, `${status!.good} nodes`);
});

test("DHT-6: bootstrap nodes that lie or are dead do no harm beside one that is honest", () => {
  const { world, machines } = grow(20, { seed: 6 });
  const dead = { address: world.newAddress(), port: 1 };
  const liar = { address: world.newAddress(), port: 1 };
  world.datagrams.open(liar, (packet, from) => {
    world.datagrams.forge(packet, liar, from);
    world.datagrams.forge(fromLatin1("de"), liar, from);
  });
  const machine = world.join({ bootstrap: [dead, liar, machines[4]!.endpoint] });
  assert.ok(world.simulation.runUntil(() => machine.dht.isJoined, 60_000));
  world.simulation.runFor(60_000);
  assert.ok(machine.dht.status().families[0]!.good >= 15);
});

test("a search that nobody can answer ends with nothing after half a minute", () => {
  const world = new DhtWorld({ seed: 7 });
  const lonely = world.join({ bootstrap: [{ address: world.newAddress(), port: 1 }] });
  const found = find(world, lonely, world.target());
  assert.deepEqual([found.peers, found.hops], [[], undefined]);
});

test("two families are two networks over one store, and one machine joins both (BEP 32)", () => {
  const world = new DhtWorld({ seed: 8 });
  const four = world.join();
  const six = world.join({ endpoint: { address: "2600:1::1", port: 6881 } });
  const both = world.join({
    bootstrap: [four.endpoint, six.endpoint],
    others: [{ address: "2600:2::1", port: 6881 }],
  });
  world.simulation.runFor(60_000);
  assert.deepEqual(
    both.dht.status().families.map(({ family, isJoined }) => [family, isJoined]),
    [
      [4, true],
      [6, true],
    ],
  );
  const infohash = world.target();
  assert.equal(announce(world, both, infohash).announcedTo, 2);
  assert.deepEqual(find(world, four, infohash).peers, [], "nobody else could tell it");
  const seventh = world.join({ bootstrap: [four.endpoint] });
  const eighth = world.join({
    endpoint: { address: "2600:3::1", port: 6881 },
    bootstrap: [six.endpoint],
  });
  const hosts = (machine: DhtMachine): string[] =>
    find(world, machine, infohash).peers.map(({ address }) => address);
  assert.deepEqual(hosts(seventh), [both.endpoint.address]);
  assert.deepEqual(hosts(eighth), ["2600:2::1"]);
});

test("DHT-6: a configured node is asked although a saved one has answered, while few are known", () => {
  const world = new DhtWorld({ seed: 15 });
  const [saved, configured] = [world.join(), world.join()];
  const machine = world.join({ bootstrap: [saved.endpoint] });
  world.simulation.runFor(60_000);
  machine.dht.addBootstrap([configured.endpoint]);
  world.simulation.runFor(10_000);
  assert.equal(machine.dht.status().families[0]?.good, 2);
});

test("BEP 32: one node of either family leads into both networks", () => {
  const world = new DhtWorld({ seed: 14 });
  const four = world.join();
  const six = world.join({ endpoint: { address: "2600:1::1", port: 6881 } });
  world.join({
    bootstrap: [four.endpoint, six.endpoint],
    others: [{ address: "2600:2::1", port: 6881 }],
  });
  world.simulation.runFor(60_000);
  for (const [index, first] of [four, six].entries()) {
    const newcomer = world.join({
      bootstrap: [first.endpoint],
      others: [{ address: `2600:3::${index + 1}`, port: 6881 }],
    });
    world.simulation.runFor(60_000);
    const { families } = newcomer.dht.status();
    assert.deepEqual(
      families.map(({ isJoined }) => isJoined),
      [true, true],
    );
  }
});

test("DHT-8: nodes that peers name lead into the network, at a limited rate and in nobody's place", () => {
  const { world, machines } = grow(20, { seed: 9 });
  const asked = new Map<string, number>();
  const nowhere = (index: number) => ({ address: `11.200.0.${index}`, port: 6881 });
  for (let index = 1; index < 250; index += 1) {
    world.datagrams.open(nowhere(index), () => {
      asked.set(nowhere(index).address, (asked.get(nowhere(index).address) ?? 0) + 1);
    });
  }
  // It has no bootstrap node that answers, and a peer tells it one.
  const lone = world.join({ bootstrap: [{ address: world.newAddress(), port: 1 }] });
  for (let index = 1; index < 250; index += 1) lone.dht.addHearsay(nowhere(index));
  world.simulation.runFor(60_000);
  assert.ok(asked.size <= 32, `${asked.size} of 249 were asked`);
  lone.dht.addHearsay(machines[4]!.endpoint);
  assert.ok(world.simulation.runUntil(() => lone.dht.isJoined, 6 * 60_000));
  world.simulation.runFor(60_000);
  const before = [...asked.values()].reduce((sum, count) => sum + count, 0);
  // Once it has joined, what is named is asked when there is time.
  for (let index = 1; index < 250; index += 1) lone.dht.addHearsay(nowhere(index));
  world.simulation.runFor(60_000);
  const after = [...asked.values()].reduce((sum, count) => sum + count, 0);
  assert.ok(after - before <= 120, `${after - before} packets in a minute`);
});

test("in a network of two a search asks the other node, and not ourselves", () => {
  const world = new DhtWorld({ seed: 10 });
  const first = world.join();
  const second = world.join({ bootstrap: [first.endpoint] });
  world.simulation.runFor(60_000);
  const startMs = world.simulation.nowMs();
  const { announcedTo, queries } = world.wait<PeerSearchResult>((onDone) =>
    searchPeers(second.dht, {
      infohash: world.target(),
      announce: { port: 7000, isPortImplied: false, seed: true },
      onPeers: () => undefined,
      onDone,
    }),
  );
  assert.deepEqual([announcedTo, queries], [1, 1]);
  const tookMs = world.simulation.nowMs() - startMs;
  assert.ok(tookMs < 1_000, `nobody had to be waited for: ${tookMs} ms`);
});

test("a search begins with the first node that answers, although nodes near us are gone", () => {
  const world = new DhtWorld({ seed: 12 });
  const first = world.join();
  const seed = world.join({ bootstrap: [first.endpoint] });
  const gone = world.join({ bootstrap: [first.endpoint] });
  world.simulation.runFor(60_000);
  const infohash = world.target();
  assert.equal(announce(world, seed, infohash).announcedTo, 2);
  gone.leave();
  const peers: Endpoint[] = [];
  const newcomer = world.join({ bootstrap: [first.endpoint] });
  searchPeers(newcomer.dht, {
    infohash,
    onPeers: (named) => peers.push(...named),
    onDone: () => undefined,
  });
  // The node that is gone is given up after eight seconds.
  world.simulation.runFor(1000);
  assert.deepEqual(
    peers.map(({ address }) => address),
    [seed.endpoint.address],
  );
});

test("of many searches that wait, few ask the first node that answers", () => {
  const world = new DhtWorld({ seed: 13 });
  const first = world.join();
  const gone = world.join({ bootstrap: [first.endpoint] });
  world.simulation.runFor(60_000);
  gone.leave();
  let queries = 0;
  const newcomer = world.join({
    bootstrap: [first.endpoint],
    isLost: (packet) => {
      if (methodOf(packet) === "get_peers") queries += 1;
      return false;
    },
  });
  let done = 0;
  for (let i = 0; i < 40; i += 1) {
    const onDone = (): void => void (done += 1);
    searchPeers(newcomer.dht, { infohash: world.target(), onPeers: () => undefined, onDone });
  }
  world.simulation.runFor(2000);
  assert.ok(queries >= 4 && queries <= 8, `${queries} queries before the network is known`);
  world.simulation.runFor(60_000);
  assert.equal(done, 40);
});

function methodOf(packet: Uint8Array): string | undefined {
  const message = decodeKrpc(packet);
  return message.kind === "query" ? message.method : undefined;
}

test("WIR-29: a node at an address that is kept away is not asked, whoever names it", () => {
  const { world, machines } = grow(24, { seed: 11 });
  const kept = new Set(machines.slice(1, 13).map(({ endpoint }) => endpoint.address));
  const asked = new Set<string>();
  const isKeptAway = (address: string): boolean => kept.has(address);
  const local = { address: world.newAddress(), port: 6881 };
  const dht: Dht = new Dht({
    clock: world.simulation,
    random: world.random,
    signatures,
    families: [4],
    isKeptAway,
    bootstrap: [machines[1]!.endpoint, machines[0]!.endpoint],
    send: (packet, to) => {
      asked.add(to.address);
      socket.send(packet, to);
    },
  });
  // What such nodes send is dropped before it comes to the DHT.
  const socket = world.datagrams.open(local, (packet, from) => {
    if (!isKeptAway(from.address)) dht.receive(packet, from);
  });
  for (const { endpoint } of machines) dht.addHearsay(endpoint);
  world.simulation.runFor(5 * 60_000);
  for (const { endpoint } of machines) dht.addHearsay(endpoint);
  for (let searches = 0; searches < 5; searches += 1) {
    world.wait<PeerSearchResult>((onDone) =>
      searchPeers(dht, { infohash: world.target(), onPeers: () => undefined, onDone }),
    );
  }
  assert.ok(asked.size >= 10, `${asked.size} of 12 others were asked`);
  assert.deepEqual([...asked].filter(isKeptAway), []);
});
