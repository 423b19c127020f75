import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { addressKey } from "../../src/base/peer-address.ts";
import { dhtSource } from "../../src/dht/dht-source.ts";
import { type PeerSearchResult, searchPeers } from "../../src/dht/peer-search.ts";
import { decodeKrpc } from "../../src/dht/krpc.ts";
import type { PeerSourceHandle, SwarmView } from "../../src/engine/session-contract.ts";
import { type DhtMachine, DhtWorld } from "./dht-world.ts";

function grow(seed: number) {
  const world = new DhtWorld({ seed });
  const machines: DhtMachine[] = [];
  for (let i = 0; i < 12; i += 1) {
    machines.push(world.join({ bootstrap: machines[0] ? [machines[0].endpoint] : [] }));
    world.simulation.runFor(300);
  }
  world.simulation.runFor(30_000);
  return { world, machines };
}

/** A torrent of one machine that has the DHT for a source. */
class Torrent {
  readonly offered: string[] = [];
  readonly handle: PeerSourceHandle;
  isPrivate = false;
  left = 0;

  constructor(
    world: DhtWorld,
    { dht }: DhtMachine,
    options: {
      readonly infohash: Uint8Array;
      readonly port: number;
      readonly isInfoKnown: boolean;
      readonly utpPort?: number;
    },
  ) {
    const source = dhtSource({
      dht,
      clock: world.simulation,
      random: world.random,
      isInfoKnown: options.isInfoKnown,
      utpPort: options.utpPort,
      judgePeers: (peers: readonly Endpoint[]) => peers.filter(({ port }) => port !== 666),
    });
    assert.equal(source.kind, "dht");
    const view: SwarmView = {
      infohashes: { v1: options.infohash },
      private: () => this.isPrivate,
      peerId: new Uint8Array(20),
      port: () => 1,
      outerPort: () => options.port,
      stats: () => ({ uploaded: 0, downloaded: 0, left: this.left }),
      wantsPeers: () => true,
      offerPeers: (peers) => this.offered.push(...peers.map(addressKey)),
    };
    this.handle = source.attach(view);
  }
}

function portsOf(world: DhtWorld, { dht }: DhtMachine, infohash: Uint8Array): number[] {
  const ports: number[] = [];
  world.wait<PeerSearchResult>((onDone) =>
    searchPeers(dht, {
      infohash,
      onPeers: (peers) => ports.push(...peers.map(({ port }) => port)),
      onDone,
    }),
  );
  return ports;
}

test("torrents announce themselves and are brought each other, and those of bad places are left out", () => {
  const { world, machines } = grow(31);
  const infohash = world.target();
  const seed = new Torrent(world, machines[3]!, { infohash, port: 7000, isInfoKnown: true });
  new Torrent(world, machines[4]!, { infohash, port: 666, isInfoKnown: true });
  world.simulation.runFor(20_000);
  const leecher = new Torrent(world, machines[8]!, { infohash, port: 7001, isInfoKnown: true });
  leecher.left = 1;
  world.simulation.runFor(20_000);
  assert.deepEqual(leecher.offered, [`${machines[3]!.endpoint.address}:7000`]);
  assert.deepEqual(new Set(portsOf(world, machines[10]!, infohash)), new Set([7000, 666, 7001]));
  void seed.handle.detach();
});

test("BEP 5: nodes take the port that they see, unless a better one is known outside", () => {
  const { world, machines } = grow(36);
  for (const [port, announced] of [
    [7000, 6881],
    [7001, 7001],
  ] as const) {
    const infohash = world.target();
    const options = { infohash, port, utpPort: 7000, isInfoKnown: true };
    new Torrent(world, machines[3]!, options);
    world.simulation.runFor(20_000);
    assert.deepEqual(portsOf(world, machines[10]!, infohash), [announced]);
  }
});

test("a torrent announces again before nodes forget it, and no more once it has stopped", () => {
  const { world, machines } = grow(32);
  const infohash = world.target();
  const seed = new Torrent(world, machines[3]!, { infohash, port: 7000, isInfoKnown: true });
  world.simulation.runFor(100 * 60_000);
  assert.deepEqual(portsOf(world, machines[10]!, infohash), [7000]);
  void seed.handle.detach();
  world.simulation.runFor(50 * 60_000);
  assert.deepEqual(portsOf(world, machines[10]!, infohash), []);
});

test("DHT-7: a magnet link announces when its info is known and public, and never when it is private", () => {
  for (const isPrivate of [true, false]) {
    const { world, machines } = grow(33);
    const infohash = world.target();
    const options = { infohash, port: 7000, isInfoKnown: false };
    const torrent = new Torrent(world, machines[3]!, options);
    torrent.left = 1;
    world.simulation.runFor(60_000);
    assert.deepEqual(portsOf(world, machines[10]!, infohash), [], "nothing is known of it yet");
    torrent.isPrivate = isPrivate;
    torrent.handle.handleMetadata();
    torrent.handle.handleComplete();
    world.simulation.runFor(60_000);
    assert.deepEqual(portsOf(world, machines[10]!, infohash), isPrivate ? [] : [7000]);
  }
});

test("an announce that no node has taken is made again soon, and later each time", () => {
  const { world, machines } = grow(34);
  const infohash = world.target();
  let isDeaf = true;
  let isAnnounced = 0;
  const deaf = world.join({
    bootstrap: [machines[0]!.endpoint],
    // Searches find nodes; what is to be stored with them is lost.
    isLost: (packet) => {
      const message = decodeKrpc(packet);
      if (message.kind !== "query" || message.method !== "announce_peer") return false;
      isAnnounced += 1;
      return isDeaf;
    },
  });
  world.simulation.runFor(30_000);
  new Torrent(world, deaf, { infohash, port: 7000, isInfoKnown: true });
  world.simulation.runFor(10_000);
  const first = isAnnounced;
  assert.ok(first > 0 && portsOf(world, machines[10]!, infohash).length === 0);
  world.simulation.runFor(4 * 60_000);
  const rounds = isAnnounced / first;
  // After 15, 30, 60 and 120 seconds, and not only after 15 minutes.
  assert.ok(rounds >= 4 && rounds <= 6, `${rounds} rounds`);
  isDeaf = false;
  world.simulation.runFor(5 * 60_000);
  assert.deepEqual(portsOf(world, machines[10]!, infohash), [7000]);
});

test("BEP 32: a network that is joined later is announced to as well, and one that comes back late at once", () => {
  const world = new DhtWorld({ seed: 35 });
  let isOnline = true;
  const four = world.join({ isOnline: () => isOnline });
  const six = { address: "2600:1::1", port: 6881 };
  const both = world.join({
    bootstrap: [four.endpoint, six],
    others: [{ address: "2600:2::1", port: 6881 }],
  });
  const infohash = world.target();
  new Torrent(world, both, { infohash, port: 7000, isInfoKnown: true });
  world.simulation.runFor(60_000);
  assert.equal(four.dht.status().infohashesStored, 1);
  const late = world.join({ endpoint: six });
  world.simulation.runFor(60_000);
  assert.equal(both.dht.status().families[1]?.isJoined, true);
  assert.equal(late.dht.status().infohashesStored, 1);

  // Nobody answers for so long that the searches have become rare.
  isOnline = false;
  const lone = world.join({ bootstrap: [four.endpoint] });
  const other = world.target();
  new Torrent(world, lone, { infohash: other, port: 7000, isInfoKnown: true });
  world.simulation.runFor(40 * 60_000);
  isOnline = true;
  assert.ok(world.simulation.runUntil(() => lone.dht.isJoined, 6 * 60_000));
  world.simulation.runFor(20_000);
  assert.deepEqual(portsOf(world, four, other), []);
  assert.equal(four.dht.status().infohashesStored, 2);
});
