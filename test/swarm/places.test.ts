import assert from "node:assert/strict";
import { test } from "node:test";
import { ipOf, type PeerAddress } from "../../src/base/peer-address.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { peerPriority } from "../../src/wire/peer-priority.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { frames } from "../hostile/raw-peer.ts";
import { withSeed } from "./judging.ts";
import { FAST_LINK, infohashOf, listenAs, type ScriptedPeer } from "./scripted-peer.ts";

const PLACES = 2;

/** A leecher with two places, six peers in networks of their own, the lowest priority first, and whom it dials. */
async function world(seed: number) {
  const swarm = new SimSwarm({ seed, size: 1024 * 1024 });
  const node = await swarm.join({ settings: { connectionsPerTorrentMax: PLACES } });
  const { torrent } = node.leech(swarm.made);
  const own = { address: node.host.address, port: 0 };
  const peers: PeerAddress[] = [];
  for (let number = 1; number <= 6; number += 1) {
    const host = swarm.net.createHost(`172.16.${number}.1`, FAST_LINK);
    // A peer that wants nothing gives way to any other.
    const ready = (peer: ScriptedPeer): void => peer.send(frames.signal(MESSAGE.interested));
    peers.push(await listenAs(host, { infohash: infohashOf(swarm), ready }));
  }
  const rank = (peer: PeerAddress): number =>
    peerPriority(own, { address: ipOf(peer)!, port: 6881 });
  peers.sort((a, b) => rank(a) - rank(b));
  const dialled: (string | undefined)[] = [];
  const dial = node.host.dial.bind(node.host);
  node.host.dial = (remote, ...rest) => {
    dialled.push(ipOf(remote));
    return dial(remote, ...rest);
  };
  const run = (...offered: readonly PeerAddress[]) => {
    dialled.length = 0;
    torrent.addPeers(offered);
    swarm.simulation.runFor(40_000);
    return {
      dialled: [...dialled],
      places: new Set(torrent.peers().map(({ remote }) => ipOf(remote))),
    };
  };
  const ips = peers.map(ipOf);
  return { run, peers, ips, node };
}

test(
  "BEP 40: a torrent that is full dials whoever has a higher priority than one that has a place, and nobody else",
  withSeed(132, async (seed) => {
    const { run, peers, ips } = await world(seed);
    const [lowest, second, third, fourth, , highest] = peers;
    assert.deepEqual(run(second!, third!).places, new Set([ips[1], ips[2]]));
    assert.deepEqual(run(lowest!).dialled, []);
    const { dialled, places } = run(fourth!, highest!);
    assert.deepEqual(dialled, [ips[5], ips[3]], "the highest first, and one at a time");
    assert.deepEqual(places, new Set([ips[3], ips[5]]));
  }),
);

test(
  "BEP 40: a peer of a higher priority that does not answer costs nobody a place",
  withSeed(133, async (seed) => {
    const { run, peers, ips, node } = await world(seed);
    const [, second, third] = peers;
    run(second!, third!);
    const own = { address: node.host.address, port: 0 };
    const dead = Array.from({ length: 64 }, (_, number): PeerAddress => ({
      kind: "tcp",
      endpoint: { address: `172.17.${number}.1`, port: 6881 },
    }));
    const best = dead.toSorted(
      (a, b) =>
        peerPriority(own, { address: ipOf(b)!, port: 6881 }) -
        peerPriority(own, { address: ipOf(a)!, port: 6881 }),
    )[0]!;
    const { dialled, places } = run(best);
    assert.deepEqual(new Set(dialled), new Set([ipOf(best)]));
    assert.deepEqual(places, new Set([ips[1], ips[2]]));
  }),
);
