import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResumeState } from "../../src/engine/session-contract.ts";
import { type SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

/** Six seeds, and a leecher that has just started. */
async function beginning(seed: number) {
  const swarm = new SimSwarm({ seed, size: 8 * MIB, pieceLength: 256 * 1024 });
  const seeds: SimPeer[] = [];
  for (let i = 0; i < 6; i += 1) seeds.push(await swarm.joinSeed());
  const node = await swarm.join();
  const saved: ResumeState[] = [];
  const run = node.leech(swarm.made, { saveResume: (state) => void saved.push(state) });
  swarm.introduce([...seeds, { node, run }]);
  /** Stops it in the middle of blocks. */
  const stop = async (): Promise<void> => {
    let isStopped = false;
    const removed = node.session.remove(run.torrent).then(() => (isStopped = true));
    for (let passed = 0; passed < 10_000 && !isStopped; passed += 10) {
      swarm.simulation.runFor(10);
      await Promise.resolve();
    }
    await Promise.race([removed, Promise.reject(new Error("it does not stop"))]);
  };
  return { swarm, seeds, node, run, saved, stop };
}

test(
  "a download that is stopped in the middle of blocks lets its peers go, then has unfinished pieces written",
  withSeed(331, async (seed) => {
    const { swarm, seeds, node, run, saved, stop } = await beginning(seed);
    assert.ok(swarm.simulation.runUntil(() => run.torrent.have!.count >= 4, 20_000));
    assert.ok(node.receiveSlabs.lentBytes > 256 * 1024, "several pieces are being received");
    await stop();
    assert.equal(node.receiveSlabs.lentBytes, 0);
    const resume = saved.at(-1)!;
    assert.ok(resume.clean);
    assert.ok(resume.partial.length > 0, "blocks of unfinished pieces are on disk");
    const again = { node, run: node.leech(swarm.made, { resume }) };
    swarm.simulation.runFor(500);
    again.run.torrent.addPeers(seeds.map((each) => each.node.address));
    assert.notEqual(swarm.runUntilComplete([again], 30_000), undefined);
    assertWhole(swarm, again);
  }),
);
