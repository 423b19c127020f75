import assert from "node:assert/strict";
import { test } from "node:test";
import { isComplete, SimSwarm, type SimPeer } from "../../src/sim/sim-swarm.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { assertWhole, bannedBy, MIB, withSeed } from "./judging.ts";

const BLOCK = 16 * 1024;

for (const liars of [1, 3, 5]) {
  test(
    `WIR-12: ${liars} of the seeds send false blocks: they are banned, the honest one is not`,
    withSeed(20 + liars, async (seed) => {
      const swarm = new SimSwarm({ seed, size: 4 * MIB });
      const honest = await swarm.joinSeed();
      const liarSeeds: SimPeer[] = [];
      for (let i = 0; i < liars; i += 1) liarSeeds.push(await swarm.joinSeed());
      for (const { node } of liarSeeds) node.disk.lies = () => true;
      const leechers = await swarm.joinLeechers(19 - liars);
      swarm.introduce([honest, ...liarSeeds, ...leechers]);
      assert.ok(swarm.runUntilComplete(leechers, 120_000) !== undefined, "complete all the same");
      const found = new Set<string>();
      for (const leecher of leechers) {
        assertWhole(swarm, leecher);
        const banned = bannedBy(leecher);
        for (const address of banned) found.add(address);
        assert.ok(leecher.run.torrent.stats().downloaded < 2 * 4 * MIB, "less than two copies");
      }
      const lying = new Set(liarSeeds.map(({ node }) => node.host.address));
      for (const address of found) assert.ok(lying.has(address), "nobody honest is banned");
      assert.equal(found.size, liars, "each liar is found out");
    }),
  );
}

test(
  "WIR-13: a swarm survives a peer that spoils one block in eight",
  withSeed(30, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB, pieceLength: 8 * BLOCK });
    const honest = await swarm.joinSeed();
    const liar = await swarm.joinSeed();
    liar.node.disk.lies = (_piece, begin) => begin === 3 * BLOCK;
    const leechers = await swarm.joinLeechers(18);
    swarm.introduce([honest, liar, ...leechers]);
    assert.ok(swarm.runUntilComplete(leechers, 180_000) !== undefined);
    for (const leecher of leechers) {
      assertWhole(swarm, leecher);
      assert.ok(!bannedBy(leecher).has(honest.node.host.address), "the honest seed is not banned");
    }
  }),
);

test(
  "WIR-13: under a rate limit too, a piece that a liar spoiled is fetched again, and once is enough",
  withSeed(36, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB, pieceLength: 16 * BLOCK });
    const honest = await swarm.joinSeed();
    const liars = [await swarm.joinSeed(), await swarm.joinSeed()];
    for (const { node } of liars) node.disk.lies = (_piece, begin) => begin === 3 * BLOCK;
    const slow = { downBytesPerSecond: 200_000 };
    const leechers = await swarm.joinLeechers(18, { settings: slow });
    swarm.introduce([honest, ...liars, ...leechers]);
    assert.ok(swarm.runUntilComplete(leechers, 60_000) !== undefined);
    for (const leecher of leechers) {
      assertWhole(swarm, leecher);
      assert.ok(!bannedBy(leecher).has(honest.node.host.address), "the honest seed is not banned");
      assert.ok(leecher.run.torrent.stats().downloaded < 2 * 2 * MIB, "less than two copies");
    }
  }),
);

test(
  "WIR-28: a liar that returns from new addresses never gets the honest seed banned",
  withSeed(31, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB, pieceLength: 8 * BLOCK });
    const honest = await swarm.joinSeed();
    const leecher = await swarm.joinLeecher();
    swarm.introduce([honest, leecher]);
    const addresses = new Set<string>();
    while (!isComplete(leecher) && addresses.size < 40) {
      const liar = await swarm.joinSeed();
      liar.node.disk.lies = (_piece, begin) => begin === 0;
      addresses.add(liar.node.host.address);
      swarm.simulation.runFor(100);
      leecher.run.torrent.addPeers([liar.node.address]);
      const banned = (): boolean => bannedBy(leecher).has(liar.node.host.address);
      swarm.simulation.runUntil(() => banned() || isComplete(leecher), 5_000);
    }
    assert.ok(addresses.size > 1, "it came back");
    assert.ok(swarm.runUntilComplete([leecher], 120_000) !== undefined, "complete all the same");
    assertWhole(swarm, leecher);
    for (const address of bannedBy(leecher)) assert.ok(addresses.has(address), "only liars");
  }),
);

test(
  "WIR-15: peers that claim everything and never answer do not stop the swarm",
  withSeed(32, async (seed, t) => {
    const took: number[] = [];
    for (const silent of [0, 3]) {
      const swarm = new SimSwarm({ seed, size: 4 * MIB });
      const first = await swarm.joinSeed();
      const leechers = await swarm.joinLeechers(16);
      const mute: SimPeer[] = [];
      for (let i = 0; i < silent; i += 1) mute.push(await swarm.joinSeed());
      for (const { node } of mute) node.disk.stuck = true;
      swarm.introduce([first, ...mute, ...leechers]);
      const tookMs = swarm.runUntilComplete(leechers, 180_000);
      assert.ok(tookMs !== undefined, `all complete with ${silent} silent peers`);
      took.push(tookMs);
    }
    t.diagnostic(`${took.map(Math.round).join(" ms without, ")} ms with silent peers`);
    assert.ok(took[1]! < 3 * took[0]! + 20_000, "within three times, and one time-out");
  }),
);

test(
  "STO-4: a full disk stops only that torrent, which resumes when there is space again",
  withSeed(33, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const other = makeSimTorrent({
      random: swarm.random,
      name: "other",
      size: 4 * MIB,
      pieceLength: 64 * 1024,
      kind: "v1",
    });
    const first = await swarm.joinSeed();
    first.node.seed(other);
    const leecher = await swarm.joinLeecher();
    const neighbour = leecher.node.leech(other);
    leecher.node.disk.setRoom(leecher.run.root, MIB);
    swarm.introduce([first, leecher]);
    neighbour.torrent.addPeers([first.node.address]);

    const { torrent } = leecher.run;
    const isWaiting = (): boolean => torrent.state.kind === "waiting";
    assert.ok(swarm.simulation.runUntil(isWaiting, 60_000), "the full disk is noticed");
    assert.equal(torrent.state.kind === "waiting" && torrent.state.cause, "disk-full");
    const done = swarm.simulation.runUntil(
      () => neighbour.torrent.state.kind === "seeding",
      60_000,
    );
    assert.ok(done, "the other torrent completes meanwhile");
    swarm.simulation.runFor(20_000);
    assert.ok(!isComplete(leecher));
    assert.ok(torrent.stats().doneBytes <= MIB);

    leecher.node.disk.setRoom(leecher.run.root, 16 * MIB);
    assert.ok(swarm.runUntilComplete([leecher], 60_000) !== undefined, "it goes on by itself");
    assertWhole(swarm, leecher);
    assert.equal(bannedBy(leecher).size, 0, "a full disk is no peer's fault");
  }),
);

test(
  "WIR-14: a seed with a damaged disk serves no false piece; the swarm repairs it",
  withSeed(34, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const whole = await swarm.joinSeed();
    const damaged = await swarm.joinSeed();
    damaged.node.disk.damage(`${damaged.run.root}/${swarm.made.name}`, 100_000);
    const leecher = await swarm.joinLeecher();
    swarm.introduce([whole, damaged, leecher]);
    assert.ok(swarm.runUntilComplete([leecher], 60_000) !== undefined);
    assertWhole(swarm, leecher);
    assert.equal(bannedBy(leecher).size, 0, "nobody lied");
  }),
);

test(
  "a slow disk and little memory slow a download down and do not stop it",
  withSeed(35, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 4 * MIB });
    const first = await swarm.joinSeed({ link: { upBytesPerSecond: 16 * MIB } });
    const options = { diskBytesPerSecond: MIB / 2, receiveBytes: MIB };
    const leecher = await swarm.joinLeecher(options);
    swarm.introduce([first, leecher]);
    const tookMs = swarm.runUntilComplete([leecher], 120_000);
    assert.ok(tookMs !== undefined && tookMs >= 8_000, "as slow as its disk");
    assertWhole(swarm, leecher);
    assert.equal(leecher.node.receiveSlabs.lentBytes, 0, "all memory came back");
  }),
);
