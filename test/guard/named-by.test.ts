import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoint, formatEndpoint } from "../../src/base/endpoint.ts";
import { addressKey, type PeerAddress, tcpAddress } from "../../src/base/peer-address.ts";
import { dhtSource } from "../../src/dht/dht-source.ts";
import type { ExtensionPeer } from "../../src/engine/extension.ts";
import type { SwarmView } from "../../src/engine/session-contract.ts";
import { NetGuard } from "../../src/guard/net-guard.ts";
import { OwnNetworks } from "../../src/guard/own-networks.ts";
import { peerExchange } from "../../src/pex/peer-exchange.ts";
import { RemoteTracker } from "../../src/tracker-client/remote-tracker.ts";
import { encodePex } from "../../src/wire/ut-pex.ts";
import { DhtWorld } from "../dht/dht-world.ts";

// An address in our own network is dialled when the tracker, DHT node or peer that named it is there too.

const NEIGHBOUR = "192.168.1.9";
const FAR = "9.9.9.9";
const NAMED: readonly Endpoint[] = [
  { address: "127.0.0.1", port: 6379 },
  { address: "192.168.1.20", port: 6881 },
  { address: "9.8.7.6", port: 6881 },
];
const INFOHASH = new Uint8Array(20).fill(7);

/** What this machine, at 192.168.1.7, may dial of what each of them names. */
const ALLOWED: readonly (readonly [from: string, allowed: readonly string[]])[] = [
  [NEIGHBOUR, ["192.168.1.20:6881", "9.8.7.6:6881"]],
  [FAR, ["9.8.7.6:6881"]],
  ["127.0.0.1", ["127.0.0.1:6379", "192.168.1.20:6881", "9.8.7.6:6881"]],
];

function guard(): NetGuard {
  const own = [{ address: "192.168.1.7", cidr: "192.168.1.7/24" }];
  const unused = () => Promise.reject(new Error("nothing is sent here"));
  return new NetGuard({
    networks: new OwnNetworks(
      () => own,
      () => 0,
    ),
    datagrams: { bind: unused, resolve: unused },
    makeFetch: () => ({ get: unused }),
    openRangeLine: () => assert.fail("nothing is fetched here"),
  });
}

function swarm(offered: PeerAddress[]): SwarmView {
  return {
    infohashes: { v1: INFOHASH },
    private: () => false,
    peerId: new Uint8Array(20),
    port: () => 6881,
    outerPort: () => 6881,
    stats: () => ({ uploaded: 0, downloaded: 0, left: 1 }),
    wantsPeers: () => true,
    offerPeers: (peers) => offered.push(...peers),
  };
}

for (const [from, allowed] of ALLOWED) {
  test(`house rule 8: a tracker at ${from} may name ${allowed.join(", ")}`, async () => {
    const judge = guard();
    const offered: PeerAddress[] = [];
    const tracker = new RemoteTracker({
      url: "http://tracker.example/announce",
      tier: 0,
      announcer: { announce: async () => ({ kind: "reply", peers: NAMED, from }) },
      names: { resolve: async () => [from] },
      key: 1,
      swarm: swarm(offered),
      judgePeers: (peers, by) => judge.judgePeers(peers, by),
    });
    await tracker.announce(new AbortController().signal, false);
    assert.deepEqual(offered.map(addressKey), allowed);
  });

  test(`house rule 8: a peer at ${from} may name ${allowed.join(", ")} (PEX)`, () => {
    const judge = guard();
    const offered = new Set<string>();
    const exchange = peerExchange({ judgePeers: (peers, by) => judge.judgePeers(peers, by) });
    const extension = exchange.create({
      infohashes: { v1: INFOHASH },
      isInfoKnown: true,
      offerPeers: (addresses) => addresses.forEach((each) => offered.add(addressKey(each))),
      retractPeers: () => undefined,
    });
    const namer: ExtensionPeer = {
      address: tcpAddress({ address: from, port: 6881 }),
      reachableAt: undefined,
      incoming: true,
      isSeed: false,
      uploadOnly: false,
      isEncrypted: false,
      accepts: () => true,
      send: () => true,
      close: (reason) => assert.fail(reason),
    };
    extension.join(namer);
    const added = NAMED.map((endpoint) => ({ endpoint, flags: 0 }));
    extension.handleMessage(namer, encodePex({ added, dropped: [] }));
    assert.deepEqual([...offered], allowed);
  });
}

test("house rule 8: the DHT node that named a peer is the one that is judged with it", () => {
  const world = new DhtWorld({ seed: 77 });
  const first = world.join({ bootstrap: [] });
  const nodes = [first];
  for (let i = 0; i < 8; i += 1) {
    nodes.push(world.join({ bootstrap: [first.endpoint] }));
    world.simulation.runFor(300);
  }
  world.simulation.runFor(30_000);
  const namers = new Set<string>();
  const shared = { clock: world.simulation, random: world.random, isInfoKnown: true };
  const attach = ({ dht }: (typeof nodes)[number]): void => {
    const judgePeers = (peers: readonly Endpoint[], from: string): readonly Endpoint[] => {
      namers.add(from);
      // None of these nodes is taken for near, so nobody near is dialled on their word.
      return guard().judgePeers([...peers, ...NAMED.slice(0, 2)], from);
    };
    dhtSource({ ...shared, dht, judgePeers }).attach({
      ...swarm([]),
      offerPeers: (peers) => {
        for (const peer of peers) {
          assert.ok(!NAMED.slice(0, 2).map(formatEndpoint).includes(addressKey(peer)));
        }
      },
    });
  };
  for (const node of nodes.slice(3, 6)) {
    attach(node);
    world.simulation.runFor(20_000);
  }
  const addresses = new Set(nodes.map(({ endpoint }) => endpoint.address));
  assert.ok(namers.size > 0);
  for (const namer of namers) assert.ok(addresses.has(namer), namer);
});
