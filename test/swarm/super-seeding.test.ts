import assert from "node:assert/strict";
import { test } from "node:test";
import { SimSwarm, type SimPeer, isComplete } from "../../src/sim/sim-swarm.ts";
import { assertWhole, MIB, sharedCopies, withSeed } from "./judging.ts";
import { hostOf, infohashOf, ScriptedPeer } from "./scripted-peer.ts";

const LEECHERS = 8;

/** A slow seed and eight leechers that know each other. */
async function share(seed: number, superSeeding: boolean) {
  const swarm = new SimSwarm({ seed, size: 8 * MIB });
  const node = await swarm.join({ link: { upBytesPerSecond: MIB / 2 } });
  const first: SimPeer = { node, run: node.seed(swarm.made, { superSeeding }) };
  const leechers = await swarm.joinLeechers(LEECHERS);
  swarm.introduce([first, ...leechers]);
  return { swarm, first, leechers };
}

/** @returns What the seed has sent, in copies of the content, when the first leecher has all of it. */
async function copiesSent(seed: number, superSeeding: boolean): Promise<number> {
  const { swarm, first, leechers } = await share(seed, superSeeding);
  assert.ok(swarm.simulation.runUntil(() => leechers.some(isComplete), 120_000));
  const copies = sharedCopies(swarm, first);
  assert.ok(swarm.runUntilComplete(leechers, 120_000) !== undefined, "all complete after it");
  for (const peer of leechers) assertWhole(swarm, peer);
  return copies;
}

test(
  "super-seeding: the first full copies cost the seed 1.2 of the content at most, and more without it",
  withSeed(121, async (seed, t) => {
    const [ordinary, superSeeded] = [await copiesSent(seed, false), await copiesSent(seed, true)];
    t.diagnostic(`copies sent: ${superSeeded.toFixed(2)}, without ${ordinary.toFixed(2)}`);
    assert.ok(superSeeded <= 1.2, `${superSeeded}`);
    assert.ok(ordinary > superSeeded, `${ordinary}`);
  }),
);

test(
  "super-seeding: one leecher alone gets everything",
  withSeed(122, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 2 * MIB });
    const node = await swarm.join();
    const first: SimPeer = { node, run: node.seed(swarm.made, { superSeeding: true }) };
    const leecher = await swarm.joinLeecher();
    swarm.introduce([first, leecher]);
    assert.ok(swarm.runUntilComplete([leecher], 60_000) !== undefined);
  }),
);

test(
  "super-seeding: it is over when another seed is there, and then everybody is told of everything",
  withSeed(123, async (seed) => {
    const { swarm, first, leechers } = await share(seed, true);
    swarm.simulation.runFor(3_000);
    const told = (): number => first.run.torrent.stats().uploaded;
    assert.ok(told() > 0);
    const piecesKnown: number[] = [];
    const watcher = new ScriptedPeer({
      infohash: infohashOf(swarm),
      have: (_peer, piece) => piecesKnown.push(piece),
    }).dial(hostOf(swarm, 1), first.node.address);
    swarm.simulation.runFor(2_000);
    assert.equal(piecesKnown.length, 2, "two pieces, of 128");
    const second = await swarm.joinSeed();
    second.run.torrent.addPeers([first.node.address]);
    swarm.simulation.runFor(3_000);
    assert.equal(new Set(piecesKnown).size, 128);
    assert.equal(watcher.isClosed, false);
    assert.ok(swarm.runUntilComplete(leechers, 60_000) !== undefined);
  }),
);

test(
  "WIR-24: a peer that takes and passes nothing on gets little of a super-seed",
  withSeed(124, async (seed) => {
    const swarm = new SimSwarm({ seed, size: 8 * MIB });
    const node = await swarm.join();
    const first: SimPeer = { node, run: node.seed(swarm.made, { superSeeding: true }) };
    swarm.simulation.runFor(100);
    const shown = [0, 0];
    for (const index of [0, 1]) {
      // They say that they have what they were shown, and nobody ever shows what another has.
      new ScriptedPeer({
        infohash: infohashOf(swarm),
        have: (peer, piece) => {
          shown[index]! += 1;
          peer.send(Uint8Array.of(0, 0, 0, 5, 4, 0, 0, piece >>> 8, piece & 255));
        },
      }).dial(hostOf(swarm, index + 1), first.node.address);
    }
    for (let minute = 0; minute < 5; minute += 1) swarm.simulation.runFor(20_000);
    assert.ok(Math.max(...shown) <= 10, `${shown.join(" and ")} pieces in 100 s`);
    assert.ok(Math.min(...shown) >= 4, "but it goes on");
  }),
);
