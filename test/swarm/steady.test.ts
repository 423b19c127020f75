import assert from "node:assert/strict";
import { test } from "node:test";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MIB, withSeed } from "./judging.ts";

const KIB = 1024;
const BLOCK = 16 * KIB;

test(
  "rate limits of a session hold, up and down, second by second",
  withSeed(40, async (seed) => {
    const rate = 256 * KIB;
    const limits = [
      { of: "the seed's session, up", seed: { upBytesPerSecond: rate }, leecher: {} },
      { of: "the leecher's session, down", seed: {}, leecher: { downBytesPerSecond: rate } },
    ];
    for (const limit of limits) {
      const swarm = new SimSwarm({ seed, size: 4 * MIB });
      const first = await swarm.joinSeed({ settings: limit.seed });
      const leecher = await swarm.joinLeecher({ settings: limit.leecher });
      swarm.introduce([first, leecher]);
      const beginMs = swarm.simulation.nowMs();
      const { torrent } = leecher.run;
      while (torrent.state.kind !== "seeding" && swarm.simulation.nowMs() < 60_000) {
        swarm.simulation.runFor(1_000);
        const seconds = (swarm.simulation.nowMs() - beginMs) / 1000;
        // A quarter of a second may be saved up, and one block overdrawn.
        const most = rate * (seconds + 0.25) + 2 * BLOCK;
        const { downloaded } = torrent.stats();
        assert.ok(downloaded <= most, `${limit.of}: ${downloaded} bytes in ${seconds} s`);
      }
      const tookMs = swarm.simulation.nowMs() - beginMs;
      assert.ok(tookMs >= 15_000 && tookMs <= 19_000, `${limit.of} is used: ${tookMs} ms`);
    }
  }),
);

test(
  "a limit of a torrent that is changed during the transfer holds from then on",
  withSeed(41, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 8 * MIB });
    const first = await swarm.joinSeed({ link: { upBytesPerSecond: 2 * MIB } });
    const leecher = await swarm.joinLeecher();
    swarm.introduce([first, leecher]);
    swarm.simulation.runFor(1_000);
    first.run.torrent.setLimits({ upBytesPerSecond: 64 * KIB });
    // Blocks in the connection's window are already in transit.
    swarm.simulation.runFor(4_000);
    const before = leecher.run.torrent.stats().downloaded;
    swarm.simulation.runFor(10_000);
    const passed = leecher.run.torrent.stats().downloaded - before;
    assert.ok(passed <= 640 * KIB + 3 * BLOCK && passed >= 560 * KIB, `${passed} bytes in 10 s`);
    first.run.torrent.setLimits({ upBytesPerSecond: 0 });
    assert.ok(swarm.runUntilComplete([leecher], 15_000) !== undefined, "free again");
  }),
);

test("the same seed gives the same run, and another seed another one", async () => {
  const [one, again, other] = [
    await fingerprintOf(50),
    await fingerprintOf(50),
    await fingerprintOf(51),
  ];
  assert.equal(again, one, "seed 50 twice");
  assert.notEqual(other, one, "seed 51");
});

async function fingerprintOf(seed: number): Promise<string> {
  const swarm = new SimSwarm({ seed, size: 2 * MIB });
  const first = await swarm.joinSeed();
  const liar = await swarm.joinSeed();
  liar.node.disk.lies = (piece) => piece % 7 === 0;
  const leechers = await swarm.joinLeechers(18);
  swarm.introduce([first, liar, ...leechers]);
  assert.ok(swarm.runUntilComplete(leechers, 120_000) !== undefined, `seed ${seed} completes`);
  return swarm.trace.fingerprint;
}
