import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import { encodeCompact, type Endpoint } from "../../src/base/endpoint.ts";
import { getBytes } from "../../src/bencode/bencode-value.ts";
import { encodeContacts } from "../../src/dht/contact.ts";
import { encodeQuery, encodeReply, type KrpcFields } from "../../src/dht/encode-krpc.ts";
import { getItem, type ItemSearchResult, putItem } from "../../src/dht/item-search.ts";
import { makeImmutable, placeOf, signItem } from "../../src/dht/item.ts";
import { decodeKrpc, type KrpcQuery } from "../../src/dht/krpc.ts";
import { compareDistance, randomIdNear } from "../../src/dht/node-id.ts";
import { type PeerSearchResult, searchPeers } from "../../src/dht/peer-search.ts";
import { chooseSome } from "../../src/dht/peer-store.ts";
import { makeSecureId } from "../../src/dht/secure-id.ts";
import { type DhtMachine, DhtWorld, signatures } from "./dht-world.ts";

const HONEST = 900;
const LIARS = 100;
const SYBILS = 64;
const SEARCHES = 60;

/** A node that keeps to the protocol and answers something of its own. */
function joinEvil(
  world: DhtWorld,
  id: Uint8Array,
  endpoint: Endpoint,
  answer: (query: KrpcQuery) => KrpcFields,
  known = some(world, 30),
): void {
  const socket = world.datagrams.open(endpoint, (packet, from) => {
    const message = decodeKrpc(packet);
    if (message.kind !== "query") return;
    const results = { id, ...answer(message) };
    socket.send(encodeReply({ transaction: message.transaction, results, to: from }), from);
  });
  // It makes itself known, so that honest nodes ask it.
  for (const machine of known) {
    const args = { id, target: id };
    const transaction = world.random.bytes(2);
    socket.send(
      encodeQuery({ transaction, method: "find_node", args, readOnly: false }),
      machine.endpoint,
    );
  }
}

/** Names nodes that are not there, next to what is looked for, and peers that are none. */
function liesOf(world: DhtWorld, { args }: KrpcQuery): KrpcFields {
  const target = getBytes(args, "target") ?? getBytes(args, "info_hash") ?? new Uint8Array(20);
  const contacts = Array.from({ length: 8 }, () => ({
    id: randomIdNear(target, 40, { random: world.random, orMore: true }),
    endpoint: { address: world.newAddress(), port: 1 },
  }));
  const values = getBytes(args, "info_hash")
    ? [encodeCompact({ address: world.newAddress(), port: 666 })]
    : undefined;
  return { nodes: encodeContacts(contacts, 4), token: new Uint8Array(8), values };
}

function some(world: DhtWorld, count: number): DhtMachine[] {
  const machines = [...world.machines];
  return Array.from({ length: count }, () => machines[world.random.below(machines.length)]!);
}

/** Machines that know their address, as after a first run, each with two others to begin with. */
function grow(world: DhtWorld, count: number): void {
  for (let i = 0; i < count; i += 1) {
    const endpoint = { address: world.newAddress(), port: 6881 };
    const known = world.machines.size > 0 ? some(world, 2) : [];
    const bootstrap = known.map((machine) => machine.endpoint);
    world.join({ endpoint, state: world.stateAt(endpoint), bootstrap });
    world.simulation.runFor(20);
  }
}

interface Announced {
  readonly infohash: Uint8Array;
  readonly peer: Endpoint;
}

/** Begins an announce. */
function announce({ dht }: DhtMachine, infohash: Uint8Array) {
  return (onDone: (result: PeerSearchResult) => void) =>
    searchPeers(dht, {
      infohash,
      announce: { port: 7000, isPortImplied: false, seed: true },
      onPeers: () => undefined,
      onDone,
    });
}

interface Searched extends PeerSearchResult {
  readonly isFound: boolean;
  readonly tookMs: number;
}

/** Begins a search by some machine. */
function search(world: DhtWorld, { infohash, peer }: Announced) {
  const found: string[] = [];
  const startMs = world.simulation.nowMs();
  return (onDone: (searched: Searched) => void) =>
    searchPeers(some(world, 1)[0]!.dht, {
      infohash,
      onPeers: (peers) => found.push(...peers.map(({ address }) => address)),
      onDone: (result) => {
        const tookMs = world.simulation.nowMs() - startMs;
        onDone({ ...result, tookMs, isFound: found.includes(peer.address) });
      },
    });
}

test("DHT-3: a thousand nodes find and store through loss, churn and liars", (t) => {
  const world = new DhtWorld({ seed: 42, lossPerMille: 30 });
  grow(world, HONEST);
  for (let i = 0; i < LIARS; i += 1) {
    const endpoint = { address: world.newAddress(), port: 6881 };
    const address = Uint8Array.from(endpoint.address.split("."), Number);
    const id = makeSecureId(address, world.random);
    joinEvil(world, id, endpoint, (query) => liesOf(world, query));
  }
  world.simulation.runFor(30_000);
  t.diagnostic(`${HONEST} honest nodes and ${LIARS} liars, ${world.datagrams.sent} packets so far`);

  const announcers = some(world, SEARCHES);
  const announced = announcers.map(({ endpoint }) => ({
    infohash: world.target(),
    peer: endpoint,
  }));
  const takers = world.waitAll(
    announced.map(({ infohash }, index) => announce(announcers[index]!, infohash)),
  );
  const value = encodeUtf8("5:hello");
  const item = makeImmutable(value);
  const key = signatures.keyFromSeed(new Uint8Array(32).fill(5));
  const signed = signItem(key, { value, salt: encodeUtf8("s"), sequence: 1n });
  for (const stored of [item, signed]) {
    const place = placeOf(stored);
    world.wait((onDone) =>
      putItem(some(world, 1)[0]!.dht, { place, signatures, make: () => stored }, onDone),
    );
  }

  // A fifth of all machines go without a word, and as many come.
  for (const machine of some(world, HONEST / 5)) machine.leave();
  grow(world, HONEST / 5);
  world.simulation.runFor(30_000);

  const searches = world.waitAll(announced.map((one) => search(world, one)));
  const found = searches.filter(({ isFound }) => isFound).length;
  const mean = (of: (one: (typeof searches)[number]) => number): number =>
    searches.reduce((sum, one) => sum + of(one), 0) / searches.length;
  const hopsMax = Math.max(...searches.map(({ hops }) => hops ?? 0));
  const takenBy = takers.reduce((sum, { announcedTo }) => sum + announcedTo, 0) / SEARCHES;
  t.diagnostic(`an announce was taken by ${takenBy.toFixed(1)} nodes on average`);
  t.diagnostic(
    `lookups: ${found} of ${SEARCHES} found; ${mean(({ hops }) => hops ?? 0).toFixed(1)} hops on average, ` +
      `${hopsMax} at most; ${mean(({ queries }) => queries).toFixed(0)} queries, ` +
      `${(mean(({ tookMs }) => tookMs) / 1000).toFixed(1)} s`,
  );
  assert.ok(found >= SEARCHES * 0.95, `${found} of ${SEARCHES}`);
  assert.ok(hopsMax <= 10, `${hopsMax} hops`);
  for (const stored of [item, signed]) {
    const { item: got, copies } = world.wait<ItemSearchResult>((onDone) =>
      getItem(some(world, 1)[0]!.dht, { place: placeOf(stored), signatures }, onDone),
    );
    t.diagnostic(`the ${stored.kind} item has ${copies} copies left`);
    assert.deepEqual(got, stored);
  }

  const { user } = process.cpuUsage();
  t.diagnostic(`${world.datagrams.sent} packets, ${(user / 1e6).toFixed(0)} s of CPU`);
});

test("DHT-3: sixty-four nodes with ids around one target do not hide it", (t) => {
  const world = new DhtWorld({ seed: 43 });
  grow(world, 150);
  world.simulation.runFor(60_000);
  const asked = new Map<string, number>();
  // The attack: nodes with ids next to one target, each in a network of its own, that name each other and forget.
  const target = world.target();
  const ids = Array.from({ length: SYBILS }, () => ({
    id: randomIdNear(target, 60, { random: world.random, orMore: true }),
    endpoint: { address: world.newAddress(), port: 6881 },
  }));
  const nearest = [...world.machines]
    .toSorted((a, b) => compareDistance(target, idOf(a), idOf(b)))
    .slice(0, 40);
  // They come a few at a time, so that nodes near the target have time to ask each of them.
  for (const { id, endpoint } of ids) {
    const answer = (): KrpcFields => {
      asked.set(endpoint.address, (asked.get(endpoint.address) ?? 0) + 1);
      return {
        nodes: encodeContacts(chooseSome([...ids], 8, world.random), 4),
        token: new Uint8Array(8),
      };
    };
    joinEvil(world, id, endpoint, answer, nearest);
    world.simulation.runFor(1000);
  }
  world.simulation.runFor(120_000);
  const heard = ids.filter(({ endpoint }) => (asked.get(endpoint.address) ?? 0) > 0).length;
  assert.ok(heard > SYBILS / 2, `${heard} attackers are in the tables`);
  const [victim] = some(world, 1);
  const { announcedTo } = world.wait(announce(victim!, target));
  const one = { infohash: target, peer: victim!.endpoint };
  const attacked = world.waitAll(Array.from({ length: 20 }, () => search(world, one)));
  const through = attacked.filter(({ isFound }) => isFound).length;
  t.diagnostic(
    `${SYBILS} nodes around one target: ${announcedTo} nodes took the announce, ${through} of 20 lookups found it`,
  );
  assert.ok(through >= 19, `${through} of 20`);
});

function idOf({ dht }: DhtMachine): Uint8Array {
  return dht.status().families[0]!.id;
}
