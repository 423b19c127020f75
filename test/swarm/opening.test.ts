import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import type { SimNode, SimRun } from "../../src/sim/sim-node.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, withSeed } from "./judging.ts";

/** Advances simulated time, and lets pending promises continue in between. */
async function pass(swarm: SimSwarm, durationMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < durationMs; passedMs += 50) {
    await turn();
    swarm.simulation.runFor(50);
  }
  await turn();
}

function stateOf({ torrent: { state } }: SimRun): string {
  return state.kind === "waiting" ? `waiting: ${state.cause}` : state.kind;
}

/** Counts bytes that the disk reads to judge them. */
function countReadings(node: SimNode): () => number {
  let bytes = 0;
  const work = node.disk.work.bind(node.disk);
  node.disk.work = (length, job) => {
    bytes += length;
    work(length, job);
  };
  return () => bytes;
}

test(
  "a check that the disk interrupts resumes where it stopped: existing data is not fetched again",
  withSeed(80, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const first = await swarm.joinSeed();
    const node = await swarm.join({ diskBytesPerSecond: MIB });
    node.disk.put(`/${swarm.made.name}/${swarm.made.name}`, swarm.made.bytes);
    const read = countReadings(node);
    const run = node.leech(swarm.made, { existing: "own" });
    run.torrent.addPeers([first.node.address]);
    swarm.simulation.runFor(2_000);
    assert.equal(stateOf(run), "checking");
    node.disk.broken = true;
    swarm.simulation.runFor(3_000);
    assert.equal(stateOf(run), "waiting: disk-error");
    assert.equal(run.torrent.have, undefined, "nobody says what is there");
    node.disk.broken = false;
    assert.ok(swarm.runUntilComplete([{ node, run }], 20_000) !== undefined);
    assert.equal(run.torrent.stats().downloaded, 0);
    assert.ok(read() < 4.5 * MIB, `${read()} bytes read to judge 4 MiB`);
    assertWhole(swarm, { node, run });
  }),
);

test(
  "while the files cannot be opened no peer is accepted or dialled; afterwards the torrent continues",
  withSeed(81, async (seed) => {
    const swarm = new SimSwarm({ seed, size: MIB });
    const first = await swarm.joinSeed();
    const node = await swarm.join();
    node.disk.broken = true;
    const run = node.leech(swarm.made);
    run.torrent.addPeers([first.node.address]);
    first.run.torrent.addPeers([node.address]);
    await pass(swarm, 4_000);
    assert.equal(run.torrent.state.kind, "waiting");
    assert.equal(run.torrent.stats().peers, 0, "no peer without a transfer");
    assert.equal(first.run.torrent.stats().peers, 0);
    node.disk.broken = false;
    await pass(swarm, 5_000);
    assert.equal(run.torrent.state.kind, "seeding");
    assertWhole(swarm, { node, run });
  }),
);

test(
  "a root is opened again after the removed torrent has closed it, not before",
  withSeed(82, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const first = await swarm.joinSeed();
    const node = await swarm.join({ diskBytesPerSecond: 256 * 1024 });
    let open = 0;
    let openMax = 0;
    const openContent = node.disk.open.bind(node.disk);
    node.disk.open = (layout) => {
      const content = openContent(layout);
      const { bytes } = content;
      const close = bytes.close.bind(bytes);
      open += 1;
      openMax = Math.max(openMax, open);
      bytes.close = (onDone) => {
        close(() => {
          open -= 1;
          onDone();
        });
      };
      return content;
    };
    const before = node.leech(swarm.made);
    await pass(swarm, 100);
    before.torrent.addPeers([first.node.address]);
    await pass(swarm, 2_000);
    const removed = node.session.remove(before.torrent);
    const again = node.leech(swarm.made, { existing: "own" });
    again.torrent.addPeers([first.node.address]);
    assert.equal(again.torrent.state.kind, "checking");
    await pass(swarm, 200);
    assert.equal(before.torrent.state.kind, "downloading", "it still closes");
    assert.equal(open, 1);
    await pass(swarm, 40_000);
    await removed;
    assert.equal(again.torrent.state.kind, "seeding");
    assert.equal(openMax, 1, "one owner at a time");
    assertWhole(swarm, { node, run: again });
  }),
);

test(
  "a torrent that is stopped while it waits for its root never opens it",
  withSeed(83, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const first = await swarm.joinSeed();
    const node = await swarm.join({ diskBytesPerSecond: 256 * 1024 });
    const before = node.leech(swarm.made);
    await pass(swarm, 100);
    before.torrent.addPeers([first.node.address]);
    await pass(swarm, 2_000);
    const removals = [node.session.remove(before.torrent)];
    const again = node.leech(swarm.made);
    node.disk.open = () => assert.fail("opened");
    removals.push(node.session.remove(again.torrent));
    await pass(swarm, 30_000);
    await Promise.all(removals);
    assert.equal(again.torrent.state.kind, "stopped");
  }),
);
