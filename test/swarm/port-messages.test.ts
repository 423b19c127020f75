import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../../src/base/endpoint.ts";
import type { PeerDht } from "../../src/engine/session-contract.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { encodePort } from "../../src/wire/encode-messages.ts";
import { hostOf, infohashOf, ScriptedPeer } from "./scripted-peer.ts";

/** A DHT that records what peers say. */
function recorded(port: number | undefined) {
  const heard: Endpoint[] = [];
  const dht: PeerDht = { port: () => port, handleNode: (node) => heard.push(node) };
  return { heard, dht };
}

/** A machine with a DHT seeds, and a peer written by hand calls it. */
async function call(options: {
  readonly seed: number;
  readonly ourPort?: number | undefined;
  readonly isPrivate?: boolean;
  readonly theyHaveDht?: boolean;
  readonly says?: readonly number[];
}) {
  const swarm = new SimSwarm({
    seed: options.seed,
    size: 64 * 1024,
    private: options.isPrivate ?? false,
  });
  const { heard, dht } = recorded(options.ourPort);
  const { node } = await swarm.joinSeed({ dht });
  const told: number[] = [];
  let offersDht: boolean | undefined;
  const peer = new ScriptedPeer({
    infohash: infohashOf(swarm),
    flags: { dht: options.theyHaveDht ?? true },
    ready: (each) => each.send(...(options.says ?? []).map(encodePort)),
    greeted: (flags) => (offersDht = flags.dht),
    port: (port) => told.push(port),
  });
  swarm.simulation.runFor(1_000);
  const host = hostOf(swarm, 1);
  peer.dial(host, node.address);
  swarm.simulation.runFor(2_000);
  return { heard, told, offersDht, peer, address: host.address };
}

test("peers that both have a DHT tell each other its port (BEP 5)", async () => {
  const { heard, told, offersDht, address } = await call({ seed: 1, ourPort: 7000, says: [9000] });
  assert.equal(offersDht, true);
  assert.deepEqual(told, [7000]);
  assert.deepEqual(heard, [{ address, port: 9000 }]);
});

test("a peer without a DHT is told no port; without a DHT of ours nothing is offered or heard", async () => {
  assert.deepEqual((await call({ seed: 2, ourPort: 7000, theyHaveDht: false })).told, []);
  const off = await call({ seed: 3, ourPort: undefined, says: [9000] });
  assert.deepEqual([off.offersDht, off.told, off.heard], [false, [], []]);
  assert.equal(off.peer.isClosed, false);
});

test("DHT-7: a private torrent offers no DHT, tells no port and hears none", async () => {
  const options = { seed: 4, isPrivate: true, ourPort: 7000, says: [9000] };
  const { offersDht, told, heard } = await call(options);
  assert.deepEqual([offersDht, told, heard], [false, [], []]);
});

test("DHT-8: of the ports that a peer names the first counts, and 0 is none", async () => {
  const many = await call({ seed: 5, ourPort: 7000, says: [9000, 9001, 9002] });
  assert.deepEqual(many.heard, [{ address: many.address, port: 9000 }]);
  assert.deepEqual((await call({ seed: 6, ourPort: 7000, says: [0, 9001] })).heard, []);
});

test("DHT-7: a magnet link offers no DHT, and tells its port when its info says that it is public", async () => {
  const swarm = new SimSwarm({ seed: 7, size: 64 * 1024 });
  const seed = await swarm.joinSeed();
  const { heard, dht } = recorded(7000);
  const node = await swarm.join({ dht });
  const { infohashes } = swarm.made.metainfo.info;
  const magnet = { infohashes, trackers: [], webSeeds: [], peers: [], exactSources: [] };
  const told: number[] = [];
  let offersDht: boolean | undefined;
  const run = node.leech(swarm.made, { from: { magnet } });
  swarm.simulation.runFor(1_000);
  const peer = new ScriptedPeer({
    infohash: infohashOf(swarm),
    flags: { dht: true },
    ready: (each) => each.send(encodePort(9000)),
    greeted: (flags) => (offersDht = flags.dht),
    port: (port) => told.push(port),
  });
  peer.dial(hostOf(swarm, 1), node.address);
  swarm.simulation.runFor(2_000);
  assert.deepEqual([offersDht, told, heard], [false, [], []], "it may be private");
  run.torrent.addPeers([seed.node.address]);
  swarm.simulation.runFor(10_000);
  assert.equal(run.torrent.info?.private, false);
  assert.deepEqual(told, [7000]);
});
