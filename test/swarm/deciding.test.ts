import assert from "node:assert/strict";
import { test } from "node:test";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

// Swarms in which one rule of BitTorrent decides: without it they fail, and not only take longer.

const KIB = 1024;

test(
  "end game: the last blocks do not wait for the slowest peer",
  withSeed(62, async (seed, t) => {
    const size = 8 * MIB;
    const swarm = new SimSwarm({ seed, size });
    const fast = await swarm.joinSeed({ link: { upBytesPerSecond: 2 * MIB } });
    const slow = await swarm.joinSeed({ link: { upBytesPerSecond: 2 * KIB } });
    const leecher = await swarm.joinLeecher({ link: { downBytesPerSecond: 8 * MIB } });
    swarm.introduce([fast, slow, leecher]);
    const tookMs = swarm.runUntilComplete([leecher], 120_000);
    t.diagnostic(`${Math.round(tookMs ?? NaN)} ms`);
    // At best four seconds. One block of the slow peer takes eight.
    assert.ok(tookMs !== undefined && tookMs < 7_000, `${tookMs} ms`);
    assertWhole(swarm, leecher);
  }),
);
