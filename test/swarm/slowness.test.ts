import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../../src/base/peer-address.ts";
import type { SimPeer } from "../../src/sim/sim-swarm.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MIB, withSeed } from "./judging.ts";

const SIZE = 8 * MIB;

/** The cause that holds when most of the download has passed, and before. */
function causesOf(swarm: SimSwarm, { run }: SimPeer, ms: number): Set<string | undefined> {
  const causes = new Set<string | undefined>();
  for (let passedMs = 0; passedMs < ms; passedMs += 500) {
    swarm.simulation.runFor(500);
    causes.add(run.torrent.stats().slowness);
  }
  return causes;
}

test(
  "a download says why it is slow: nobody known, nobody there, nobody with the pieces, then its peers",
  withSeed(31, async (seed) => {
    const swarm = new SimSwarm({ seed, size: SIZE });
    const [leecher, other] = await swarm.joinLeechers(2);
    swarm.simulation.runFor(1_000);
    const { torrent } = leecher!.run;
    assert.equal(torrent.stats().slowness, "nobody-known");
    torrent.addPeers([tcpAddress({ address: "10.99.0.1", port: 6881 })]);
    swarm.simulation.runFor(1_000);
    assert.equal(torrent.stats().slowness, "nobody-reached");
    torrent.addPeers([other!.node.address]);
    swarm.simulation.runFor(3_000);
    assert.equal(torrent.stats().slowness, "nobody-has-it");
    const giver = await swarm.joinSeed();
    swarm.simulation.runFor(1_000);
    torrent.addPeers([giver.node.address]);
    swarm.simulation.runFor(5_000);
    assert.equal(torrent.stats().slowness, "peers");
    assert.ok(swarm.runUntilComplete([leecher!], 120_000) !== undefined);
    assert.equal(torrent.stats().slowness, undefined, "nothing is downloaded any more");
  }),
);

test(
  "a download with a limit says that the limit holds it back, whether it is its own or the session's",
  withSeed(32, async (seed) => {
    for (const own of [true, false]) {
      const swarm = new SimSwarm({ seed, size: SIZE });
      const limit = { downBytesPerSecond: MIB / 4 };
      const giver = await swarm.joinSeed();
      const settings = own ? undefined : limit;
      const leecher = await swarm.joinLeecher({ settings }, own ? limit : {});
      swarm.introduce([giver, leecher]);
      swarm.simulation.runFor(3_000);
      assert.deepEqual([...causesOf(swarm, leecher, 10_000)], ["own-limit"]);
    }
  }),
);

test(
  "a download to a slow disk says so",
  withSeed(33, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 32 * MIB });
    const link = { upBytesPerSecond: 50 * MIB, downBytesPerSecond: 50 * MIB };
    const giver = await swarm.joinSeed({ link });
    const leecher = await swarm.joinLeecher({ link, diskBytesPerSecond: MIB });
    swarm.introduce([giver, leecher]);
    swarm.simulation.runFor(5_000);
    assert.deepEqual([...causesOf(swarm, leecher, 10_000)], ["disk"]);
  }),
);

test(
  "where peers came from: named by a person, and from outside for the one that was called",
  withSeed(34, async (seed) => {
    const swarm = new SimSwarm({ seed, size: SIZE });
    const giver = await swarm.joinSeed();
    const leecher = await swarm.joinLeecher();
    swarm.introduce([giver, leecher]);
    swarm.simulation.runFor(3_000);
    const sourcesOf = ({ run }: SimPeer) => run.torrent.peers().map(({ source }) => source);
    assert.deepEqual(sourcesOf(leecher), ["manual"]);
    assert.deepEqual(sourcesOf(giver), ["incoming"]);
  }),
);
