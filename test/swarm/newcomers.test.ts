import assert from "node:assert/strict";
import { test } from "node:test";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MIB, withSeed } from "./judging.ts";

test(
  "BEP 6: newcomers that every peer chokes start at once with their allowed-fast pieces",
  withSeed(60, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: 64 * MIB });
    // One line that is full: more slots would only make each upload slower.
    const first = await swarm.joinSeed({ settings: { uploadSlots: 2, upBytesPerSecond: MIB } });
    const leechers = await swarm.joinLeechers(4);
    swarm.introduce([first, ...leechers]);
    swarm.simulation.runFor(15_000);
    const newcomers = await swarm.joinLeechers(6);
    const beganMs = swarm.simulation.nowMs();
    for (const newcomer of newcomers) swarm.introduce([first, newcomer]);
    const haveOne = (): boolean => newcomers.every(({ run }) => run.torrent.have!.count > 0);
    assert.ok(swarm.simulation.runUntil(haveOne, 120_000));
    const tookMs = swarm.simulation.nowMs() - beganMs;
    t.diagnostic(`each has a piece after ${Math.round(tookMs)} ms`);
    // With optimistic unchokes alone it takes 46 s.
    assert.ok(tookMs < 25_000, `${tookMs} ms`);
  }),
);
