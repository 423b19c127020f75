import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { SimNode, SimRun } from "../../src/sim/sim-node.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { makeSimTorrent, type SimTorrent } from "../../src/sim/sim-torrent.ts";
import { MIB, withSeed } from "./judging.ts";

const KIB = 1024;
/** The largest share may be this many times the smallest. */
const SPREAD_MAX = 1.5;
const BROAD = { upBytesPerSecond: 64 * MIB, downBytesPerSecond: 64 * MIB };
const SECONDS = 20;
const GROUP = "films";

/** Six torrents of 8 MiB; the first three are in the group. */
const SIX: readonly SimTorrent[] = Array.from({ length: 6 }, (_, index) =>
  makeSimTorrent({
    random: seededRandom(900 + index),
    name: `torrent-${index}`,
    size: 8 * MIB,
    pieceLength: 64 * KIB,
    kind: "v1",
  }),
);

function groupOf(index: number): string | undefined {
  return index < 3 ? GROUP : undefined;
}

function assertEven(t: TestContext, shares: readonly number[]): void {
  const told = shares.map((share) => Math.round(share / KIB)).join(" ");
  t.diagnostic(`${told} KiB`);
  assert.ok(Math.max(...shares) <= SPREAD_MAX * Math.min(...shares), told);
}

function assertAbout(bytes: number, expected: number): void {
  assert.ok(bytes > 0.88 * expected && bytes < 1.12 * expected, `${bytes} is about ${expected}`);
}

function sum(shares: readonly number[]): number {
  return shares.reduce((total, share) => total + share, 0);
}

/** A machine downloads all six, each from a seed of its own. */
async function fetchSix(swarm: SimSwarm, client: SimNode): Promise<readonly SimRun[]> {
  const runs: SimRun[] = [];
  for (const [index, made] of SIX.entries()) {
    const seed = await swarm.join({ link: { upBytesPerSecond: MIB } });
    seed.seed(made);
    const run = client.leech(made, { group: groupOf(index) });
    swarm.simulation.runFor(10);
    run.torrent.addPeers([seed.address]);
    runs.push(run);
  }
  return runs;
}

/** A machine serves all six; the first one has four leechers, the others one each. */
async function serveSix(swarm: SimSwarm, server: SimNode): Promise<readonly SimRun[]> {
  const served = SIX.map((made, index) => server.seed(made, { group: groupOf(index) }));
  for (const [index, made] of SIX.entries()) {
    for (let count = index === 0 ? 4 : 1; count > 0; count -= 1) {
      const leecher = (await swarm.join({ link: BROAD })).leech(made);
      swarm.simulation.runFor(10);
      leecher.torrent.addPeers([server.address]);
    }
  }
  return served;
}

const CASES = [
  { what: "the group alone is limited", all: 0, group: 192 * KIB, inGroup: 192 * KIB },
  { what: "a low limit of the group", all: 0, group: 48 * KIB, inGroup: 48 * KIB },
  { what: "the group gets less than its torrents' turns", all: 768, group: 192, inGroup: 192 },
  { what: "the group's limit is above its torrents' turns", all: 768, group: 700, inGroup: 384 },
].map((each) => (each.all === 0 ? each : inKib(each)));

function inKib(limits: { what: string; all: number; group: number; inGroup: number }) {
  const { what, all, group, inGroup } = limits;
  return { what, all: all * KIB, group: group * KIB, inGroup: inGroup * KIB };
}

for (const { what, all, group, inGroup } of CASES) {
  for (const direction of ["down", "up"] as const) {
    test(
      `${what}, ${direction}: the torrents of the group get the same, and the others what is left`,
      withSeed(90, async (seed, t) => {
        const swarm = new SimSwarm({ seed, size: KIB });
        const key = direction === "down" ? "downBytesPerSecond" : "upBytesPerSecond";
        const client = await swarm.join({ link: BROAD, settings: { [key]: all } });
        client.session.setGroupLimits(GROUP, {
          downBytesPerSecond: 0,
          upBytesPerSecond: 0,
          [key]: group,
        });
        const runs = await (direction === "down" ? fetchSix : serveSix)(swarm, client);
        const moved = (): number[] =>
          runs.map(
            ({ torrent }) => torrent.stats()[direction === "down" ? "downloaded" : "uploaded"],
          );
        // Once everybody is connected.
        swarm.simulation.runFor(2_000);
        const before = moved();
        swarm.simulation.runFor(SECONDS * 1_000);
        const shares = moved().map((bytes, index) => bytes - before[index]!);
        assertEven(t, shares.slice(0, 3));
        assertAbout(sum(shares.slice(0, 3)), inGroup * SECONDS);
        if (all === 0) return;
        assertEven(t, shares.slice(3));
        assertAbout(sum(shares), all * SECONDS);
      }),
    );
  }
}

test(
  "a torrent that leaves the group, or a group whose limit is lifted, goes on at full speed",
  withSeed(91, async (seed) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const client = await swarm.join({ link: BROAD });
    const limits = { downBytesPerSecond: 16 * KIB, upBytesPerSecond: 0 };
    client.session.setGroupLimits(GROUP, limits);
    const [left, stayed, lifted] = await fetchSix(swarm, client);
    swarm.simulation.runFor(5_000);
    const have = ({ torrent }: SimRun): number => torrent.stats().doneBytes;
    left!.torrent.setLimits({ group: null });
    swarm.simulation.runFor(10_000);
    assert.equal(left!.torrent.state.kind, "seeding");
    assert.ok(have(stayed!) + have(lifted!) < 16 * KIB * 18, "these two are still held back");
    // A late comer is held back with them.
    left!.torrent.setLimits({ group: GROUP });
    client.session.setGroupLimits(GROUP, { ...limits, downBytesPerSecond: 0 });
    swarm.simulation.runFor(10_000);
    assert.equal(stayed!.torrent.state.kind, "seeding");
    assert.equal(lifted!.torrent.state.kind, "seeding");
  }),
);

test(
  "a torrent of a group that is stopped gives the others what it had",
  withSeed(92, async (seed) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const settings = { downBytesPerSecond: 512 * KIB };
    const client = await swarm.join({ link: BROAD, settings });
    const limits = { downBytesPerSecond: 96 * KIB, upBytesPerSecond: 0 };
    client.session.setGroupLimits(GROUP, limits);
    const runs = await fetchSix(swarm, client);
    swarm.simulation.runFor(5_000);
    void client.session.remove(runs[0]!.torrent);
    const before = runs.map(({ torrent }) => torrent.stats().downloaded);
    swarm.simulation.runFor(SECONDS * 1_000);
    const got = runs.map(({ torrent }, index) => torrent.stats().downloaded - before[index]!);
    assertAbout(got[1]! + got[2]!, 96 * KIB * SECONDS);
  }),
);
