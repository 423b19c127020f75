import assert from "node:assert/strict";
import { test } from "node:test";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, sharedCopies, withSeed } from "./judging.ts";

test(
  "22 of our engines: all complete, every byte right",
  withSeed(1, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB + 12_345 });
    const first = await swarm.joinSeed();
    const leechers = await swarm.joinLeechers(21);
    swarm.introduce([first, ...leechers]);
    const tookMs = swarm.runUntilComplete(leechers, 120_000);
    assert.ok(tookMs !== undefined, "all complete");
    for (const leecher of leechers) assertWhole(swarm, leecher);
    console.log({ tookMs, copies: sharedCopies(swarm, first) });
  }),
);
