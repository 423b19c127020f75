import assert from "node:assert/strict";
import { test } from "node:test";
import { completedAtMs, isComplete, SimSwarm } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, sharedCopies, withSeed } from "./judging.ts";

/** A line with the same upload rate as every other. */
const EQUAL = { upBytesPerSecond: MIB, downBytesPerSecond: 4 * MIB };

test(
  "22 of our engines: all complete, every byte right",
  withSeed(1, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB + 12_345 });
    const first = await swarm.joinSeed();
    const leechers = await swarm.joinLeechers(21);
    swarm.introduce([first, ...leechers]);
    assert.ok(swarm.runUntilComplete(leechers, 60_000) !== undefined, "all complete in a minute");
    for (const leecher of leechers) assertWhole(swarm, leecher);
  }),
);

test(
  "a hybrid torrent of 20 engines that all dial each other at once: each pair keeps one connection",
  withSeed(2, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB + 1, kind: "hybrid" });
    const first = await swarm.joinSeed();
    const leechers = await swarm.joinLeechers(19);
    const all = [first, ...leechers];
    swarm.introduce(all);
    const everybody = all.map(({ node }) => node.address);
    for (const { run } of all) run.torrent.addPeers(everybody);
    swarm.simulation.runFor(1_000);
    for (const { run } of all) assert.ok(run.torrent.stats().peers <= 19, "one for each other");
    assert.ok(swarm.runUntilComplete(leechers, 60_000) !== undefined);
    for (const leecher of leechers) assertWhole(swarm, leecher);
  }),
);

test(
  "a seed among ten leechers with equal lines sends little more than one copy",
  withSeed(3, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: 32 * MIB });
    const first = await swarm.joinSeed({ link: EQUAL });
    const leechers = await swarm.joinLeechers(10, { link: EQUAL });
    swarm.introduce([first, ...leechers]);
    const tookMs = swarm.runUntilComplete(leechers, 120_000);
    const copies = sharedCopies(swarm, first);
    t.diagnostic(`${copies.toFixed(2)} copies in ${Math.round(tookMs ?? NaN)} ms`);
    assert.ok(tookMs !== undefined, "all complete");
    assert.ok(copies < 1.4, `${copies} copies`);
  }),
);

test(
  "PUB-6.1: with 1 MiB/s from the hub ten leechers need little more than the size divided by 1 MiB/s",
  withSeed(4, async (seed, t) => {
    const size = 32 * MIB;
    const swarm = new SimSwarm({ seed, size });
    const hub = await swarm.joinSeed({
      link: { upBytesPerSecond: 100 * MIB },
      settings: { upBytesPerSecond: MIB },
    });
    const link = { upBytesPerSecond: 4 * MIB, downBytesPerSecond: 16 * MIB };
    const leechers = await swarm.joinLeechers(10, { link });
    swarm.introduce([hub, ...leechers]);
    const tookMs = swarm.runUntilComplete(leechers, 120_000);
    const idealMs = (size * 1000) / MIB;
    t.diagnostic(`${Math.round(tookMs ?? NaN)} ms, at best ${idealMs} ms`);
    assert.ok(tookMs !== undefined && tookMs < idealMs * 1.25, `${tookMs} ms`);
  }),
);

test(
  "rarest first spreads copies: early pieces differ, and no piece stays rare",
  withSeed(5, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const first = await swarm.joinSeed({ link: EQUAL });
    const leechers = await swarm.joinLeechers(20, { link: EQUAL });
    swarm.introduce([first, ...leechers]);
    const held = (): number => leechers.reduce((sum, { run }) => sum + run.torrent.have!.count, 0);
    const copiesOf = (piece: number): number =>
      leechers.filter(({ run }) => run.torrent.have!.has(piece)).length;
    const { pieceCount } = swarm.made.metainfo.info.geometry;
    const pieces = Array.from({ length: pieceCount }, (_, piece) => piece);

    assert.ok(swarm.simulation.runUntil(() => held() >= 10, 60_000));
    const early = pieces.filter((piece) => copiesOf(piece) > 0).length;
    // Requested in order there would be one or two. The very first pieces are chosen at random.
    assert.ok(early >= 6, `of the first ten pieces ${early} are different ones`);

    const rarest = (): number => Math.min(...pieces.map(copiesOf));
    const reached: number[] = [];
    for (const copies of [1, 2, 3]) {
      const there = swarm.simulation.runUntil(() => rarest() >= copies, 60_000);
      assert.ok(there, `every piece has ${copies} copies among the leechers`);
      reached.push(leechers.filter(isComplete).length);
    }
    assert.equal(reached[0], 0, "all pieces are spread before anybody has all of them");
  }),
);

test(
  "a peer that uploads nothing still gets everything, from leechers only: optimistic unchokes",
  withSeed(6, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 8 * MIB });
    const first = await swarm.joinSeed({ link: EQUAL });
    // With two slots each, one of them by merit, slots are scarce.
    const slots = { uploadSlots: 2 };
    const leechers = await swarm.joinLeechers(19, { link: EQUAL, settings: slots });
    const rider = await swarm.joinLeecher({ link: EQUAL, settings: { upBytesPerSecond: 1 } });
    swarm.introduce([first, ...leechers]);
    rider.run.torrent.addPeers(leechers.map(({ node }) => node.address));
    assert.ok(swarm.simulation.runUntil(() => leechers.some(isComplete), 120_000));
    assert.ok(rider.run.torrent.stats().doneBytes > 0, "something came while all were leechers");
    assert.ok(swarm.runUntilComplete([...leechers, rider], 300_000) !== undefined);
    assert.ok(rider.run.torrent.stats().uploaded <= 32 * 1024, "it gave nothing");
    assertWhole(swarm, rider);
  }),
);

test(
  "a leecher that loses all connections, and the seed for a while, continues where it stopped",
  withSeed(7, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const first = await swarm.joinSeed({ link: EQUAL });
    const leechers = await swarm.joinLeechers(3, { link: EQUAL });
    swarm.introduce([first, ...leechers]);
    swarm.simulation.runFor(2_000);
    first.node.host.goOffline();
    leechers[0]!.node.host.goOffline();
    swarm.simulation.runFor(5_000);
    assert.equal(first.run.torrent.stats().peers, 0, "the seed is alone");
    assert.ok(!leechers.some(isComplete));
    first.node.host.goOnline();
    leechers[0]!.node.host.goOnline();
    assert.ok(swarm.runUntilComplete(leechers, 180_000) !== undefined);
    for (const leecher of leechers) {
      assertWhole(swarm, leecher);
      assert.ok(completedAtMs(leecher)! > 7_000);
      assert.ok(leecher.run.torrent.stats().downloaded < 6 * MIB, "little is fetched twice");
    }
  }),
);
