import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPeerAddress } from "../../src/base/peer-address.ts";
import { type SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MIB, withSeed } from "./judging.ts";

const LEECHERS = 20;
const PLACES = 5;
/** Slow enough for everybody to be busy all the time. */
const OPTIONS = {
  link: { upBytesPerSecond: 40_000 },
  settings: { connectionsPerTorrentMax: PLACES },
};

function ipOf({ node }: SimPeer): string {
  return node.host.address;
}

function neighboursOf({ run }: SimPeer): string[] {
  return run.torrent.peers().map(({ remote }) => formatPeerAddress(remote).split(":")[0]!);
}

/** How many peers can be reached from the first over connections. */
function reached(peers: readonly SimPeer[]): number {
  const byIp = new Map(peers.map((peer) => [ipOf(peer), peer]));
  const found = new Set([ipOf(peers[0]!)]);
  for (const ip of found) for (const next of neighboursOf(byIp.get(ip)!)) found.add(next);
  return found.size;
}

test(
  "BEP 40: when all peers are full, the swarm hangs together, and a newcomer gets in",
  withSeed(131, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 32 * MIB });
    const first = await swarm.joinSeed(OPTIONS);
    const peers = [first, ...(await swarm.joinLeechers(LEECHERS, OPTIONS))];
    swarm.introduce(peers);
    swarm.simulation.runFor(60_000);
    const places = peers.map((peer) => neighboursOf(peer).length);
    assert.ok(places.filter((count) => count === PLACES).length >= LEECHERS - 2, places.join(" "));
    assert.equal(reached(peers), peers.length);
    const newcomer = await swarm.joinLeecher(OPTIONS);
    swarm.simulation.runFor(100);
    newcomer.run.torrent.addPeers(peers.map(({ node }) => node.address));
    // Places change hands by chance as well, but not so soon: without the rule it has three by then.
    swarm.simulation.runFor(2500);
    assert.ok(
      neighboursOf(newcomer).length >= 4,
      `${neighboursOf(newcomer).length} places at once`,
    );
    swarm.simulation.runFor(57_500);
    assert.ok(neighboursOf(newcomer).length >= 3, `${neighboursOf(newcomer).length} places`);
    assert.equal(reached([...peers, newcomer]), peers.length + 1);
  }),
);
