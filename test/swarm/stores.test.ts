import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import type { ResumeState } from "../../src/engine/session-contract.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

// Engines whose content is in a store of bytes: it has no files to watch or to rename, and no workers near its bytes.

const KEEPS_BYTES = { keepsBytes: true };

/** Advances simulated time, and lets pending promises continue in between. */
async function pass(swarm: SimSwarm, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += 50) {
    await turn();
    swarm.simulation.runFor(50);
  }
  await turn();
}

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(
    `a ${kind} torrent is downloaded to a store of bytes, and seeded from there`,
    withSeed(90, async (seed) => {
      const swarm = new SimSwarm({ seed, size: 4 * MIB + 1, kind });
      const first = await swarm.joinSeed();
      const keeper = await swarm.joinLeecher(KEEPS_BYTES);
      swarm.introduce([first, keeper]);
      assert.ok(swarm.runUntilComplete([keeper], 60_000) !== undefined);
      assertWhole(swarm, keeper);
      void first.node.session.close();
      await pass(swarm, 1_000);
      const last = await swarm.joinLeecher();
      swarm.introduce([keeper, last]);
      assert.ok(swarm.runUntilComplete([last], 60_000) !== undefined);
      assertWhole(swarm, last);
      assert.equal(keeper.node.store!.hasher.underWay, 0);
    }),
  );
}

test(
  "a store of bytes is seeded from the start, and damaged data in it is fetched again (WIR-14)",
  withSeed(91, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const keeper = await swarm.joinSeed(KEEPS_BYTES);
    const other = await swarm.joinSeed();
    const leecher = await swarm.joinLeecher();
    keeper.node.store!.damage(keeper.run.root, MIB + 5);
    swarm.introduce([keeper, leecher]);
    swarm.simulation.runFor(30_000);
    assert.equal(leecher.run.torrent.state.kind, "downloading", "a piece is nowhere");
    assert.ok(keeper.run.events.some(({ event }) => event.kind === "piece-lost"));
    assert.equal(keeper.run.torrent.state.kind, "downloading");
    swarm.introduce([other, keeper]);
    assert.ok(swarm.runUntilComplete([keeper, leecher], 60_000) !== undefined);
    assertWhole(swarm, keeper);
    assertWhole(swarm, leecher);
    assert.ok(leecher.run.events.every(({ event }) => event.kind !== "peer-banned"));
  }),
);

test(
  "a resume is believed for a store that nobody else writes to; without one everything is judged",
  withSeed(92, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const first = await swarm.joinSeed();
    const node = await swarm.join(KEEPS_BYTES);
    const saved: ResumeState[] = [];
    const saveResume = async (resume: ResumeState): Promise<void> => void saved.push(resume);
    const before = { node, run: node.leech(swarm.made, { saveResume }) };
    swarm.introduce([first, before]);
    swarm.simulation.runFor(1_200);
    const removed = node.session.remove(before.run.torrent);
    await pass(swarm, 5_000);
    await removed;
    const resume = saved.at(-1)!;
    const had = resume.have.count;
    assert.ok(resume.clean && had > 0 && had < resume.have.length, `${had} pieces`);
    assert.deepEqual(resume.stamps, []);

    const judged = countJudged(node.store!);
    const again = { node, run: node.leech(swarm.made, { resume }) };
    await pass(swarm, 200);
    assert.equal(again.run.torrent.have?.count, had);
    assert.equal(judged(), 0);
    swarm.introduce([first, again]);
    assert.ok(swarm.runUntilComplete([again], 60_000) !== undefined);
    assertWhole(swarm, again);
    const fetched = again.run.torrent.stats().downloaded - resume.downloaded;
    assert.ok(fetched <= (resume.have.length - had) * 64 * 1024, `${fetched} bytes`);

    const removedAgain = node.session.remove(again.run.torrent);
    await pass(swarm, 1_000);
    await removedAgain;
    const unknown = { node, run: node.leech(swarm.made) };
    assert.ok(swarm.runUntilComplete([unknown], 5_000) !== undefined);
    assert.equal(unknown.run.torrent.stats().downloaded, 0);
  }),
);

test(
  "a store that refuses makes the torrent wait; when it accepts bytes again, the download resumes",
  withSeed(93, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const first = await swarm.joinSeed();
    const keeper = await swarm.joinLeecher(KEEPS_BYTES);
    swarm.introduce([first, keeper]);
    swarm.simulation.runFor(1_500);
    const { torrent } = keeper.run;
    const had = torrent.have!.count;
    assert.ok(had > 0 && had < torrent.have!.length, `${had} pieces`);
    keeper.node.store!.refuses = "ENOSPC";
    swarm.simulation.runFor(20_000);
    assert.equal(torrent.state.kind === "waiting" && torrent.state.cause, "disk-full");
    keeper.node.store!.refuses = undefined;
    assert.ok(swarm.runUntilComplete([keeper], 60_000) !== undefined);
    assertWhole(swarm, keeper);
  }),
);

test(
  "a store that cannot be read when a torrent is opened is tried again",
  withSeed(94, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const node = await swarm.join(KEEPS_BYTES);
    node.store!.put(`/${swarm.made.name}`, swarm.made.bytes);
    node.store!.refuses = "EIO";
    const run = node.leech(swarm.made);
    swarm.simulation.runFor(3_000);
    assert.equal(run.torrent.state.kind === "waiting" && run.torrent.state.cause, "disk-error");
    assert.equal(run.torrent.have, undefined, "nobody says what is there");
    node.store!.refuses = undefined;
    assert.ok(swarm.runUntilComplete([{ node, run }], 20_000) !== undefined);
    assert.equal(run.torrent.stats().downloaded, 0);
  }),
);

test(
  "the wanted files may change where files have no places",
  withSeed(95, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const first = await swarm.joinSeed();
    const node = await swarm.join(KEEPS_BYTES);
    const keeper = { node, run: node.leech(swarm.made, { select: () => [false] }) };
    swarm.introduce([first, keeper]);
    swarm.simulation.runFor(5_000);
    assert.equal(keeper.run.torrent.have?.count, 0);
    assert.equal(keeper.run.torrent.state.kind, "seeding", "nothing is wanted");
    keeper.run.torrent.setWanted([true]);
    keeper.run.torrent.addPeers([first.node.address]);
    assert.ok(
      swarm.simulation.runUntil(() => keeper.run.torrent.have?.full === true, 60_000),
      "all of it is wanted",
    );
    swarm.simulation.runFor(100);
    assert.equal(keeper.run.torrent.state.kind, "seeding");
    assertWhole(swarm, keeper);
    const completions = (): number =>
      keeper.run.events.filter(({ event }) => event.kind === "complete").length;
    const before = completions();
    keeper.run.torrent.setWanted([true]);
    assert.equal(completions(), before + 1, "nothing has to be moved, so it is complete at once");
  }),
);

/** Counts the pieces that are hashed from now on. */
function countJudged({ hasher }: { hasher: { begin: (plan: never) => unknown } }): () => number {
  let count = 0;
  const begin = hasher.begin.bind(hasher);
  hasher.begin = (plan) => {
    count += 1;
    return begin(plan);
  };
  return () => count;
}
