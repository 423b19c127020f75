import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BYTES } from "../../src/base/geometry.ts";
import type { ResumeState } from "../../src/engine/session-contract.ts";
import { type SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

const KIB = 1024;
const SIZE = 8 * MIB;

interface Beginning {
  readonly seed: number;
  readonly pieceLength: number;
  readonly seeds: number;
}

/** Seeds, and a leecher that has just started. */
async function beginning({ seed, pieceLength, seeds: seedCount }: Beginning) {
  const swarm = new SimSwarm({ seed, size: SIZE, pieceLength });
  const seeds: SimPeer[] = [];
  for (let i = 0; i < seedCount; i += 1) seeds.push(await swarm.joinSeed());
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
  /** Starts again from a resume, on the same disk. @returns Bytes of blocks received until it was complete. */
  const finishFrom = (resume: ResumeState): number => {
    const again = { node, run: node.leech(swarm.made, { resume }) };
    swarm.simulation.runFor(500);
    again.run.torrent.addPeers(seeds.map((each) => each.node.address));
    assert.notEqual(swarm.runUntilComplete([again], 30_000), undefined);
    assertWhole(swarm, again);
    return again.run.torrent.stats().downloaded - resume.downloaded;
  };
  return { swarm, node, run, saved, stop, finishFrom };
}

function claimedBytes({ partial }: ResumeState): number {
  return partial.reduce((sum, { blocks }) => sum + blocks.count * BLOCK_BYTES, 0);
}

test(
  "a download that is stopped in the middle of blocks lets its peers go, then has unfinished pieces written",
  withSeed(331, async (seed) => {
    const world = await beginning({ seed, pieceLength: 256 * KIB, seeds: 6 });
    const { swarm, node, run, saved, stop, finishFrom } = world;
    assert.ok(swarm.simulation.runUntil(() => run.torrent.have!.count >= 4, 20_000));
    assert.ok(node.receiveSlabs.lentBytes > 256 * KIB, "several pieces are being received");
    await stop();
    assert.equal(node.receiveSlabs.lentBytes, 0);
    const resume = saved.at(-1)!;
    assert.ok(resume.clean);
    assert.ok(resume.partial.length > 0, "blocks of unfinished pieces are on disk");
    finishFrom(resume);
  }),
);

test(
  "STO-13: a download that is stopped before its first piece is whole resumes with the blocks it has",
  withSeed(332, async (seed) => {
    const world = await beginning({ seed, pieceLength: 2 * MIB, seeds: 1 });
    const { swarm, run, saved, stop, finishFrom } = world;
    const { torrent } = run;
    assert.ok(swarm.simulation.runUntil(() => torrent.stats().downloaded >= MIB, 20_000));
    assert.equal(torrent.have!.count, 0);
    await stop();
    const resume = saved.at(-1)!;
    assert.ok(resume.clean);
    assert.ok(claimedBytes(resume) >= MIB, `${claimedBytes(resume)} bytes are claimed`);
    assert.equal(finishFrom(resume), SIZE - claimedBytes(resume));
  }),
);

test(
  "STO-2: blocks of a piece that is too long for memory are claimed at intervals, before it is whole",
  withSeed(333, async (seed) => {
    const world = await beginning({ seed, pieceLength: 8 * MIB, seeds: 1 });
    const { swarm, run, saved } = world;
    swarm.simulation.runFor(6_500);
    assert.equal(run.torrent.have!.count, 0);
    const resume = saved.at(-1)!;
    assert.ok(claimedBytes(resume) >= 4 * MIB, `${claimedBytes(resume)} bytes are claimed`);
    assert.ok(!resume.clean);
  }),
);
