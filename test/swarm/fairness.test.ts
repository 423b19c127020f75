import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { addressKey, ipOf, type PeerAddress, tcpAddress } from "../../src/base/peer-address.ts";
import type { SimNode, SimRun } from "../../src/sim/sim-node.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { makeSimTorrent, type SimTorrent } from "../../src/sim/sim-torrent.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { MIB, withSeed } from "./judging.ts";

const KIB = 1024;
const PIECE = 256 * KIB;
/** The largest share may be this many times the smallest. */
const SPREAD_MAX = 1.5;
const BROAD = { upBytesPerSecond: 64 * MIB, downBytesPerSecond: 64 * MIB };
const SEEDS_LINE = { upBytesPerSecond: 8 * MIB };

/** Each with its own content of 8 MiB. */
const SIX: readonly SimTorrent[] = Array.from({ length: 6 }, (_, index) =>
  makeSimTorrent({
    random: seededRandom(700 + index),
    name: `torrent-${index}`,
    size: 8 * MIB,
    pieceLength: PIECE,
    kind: "v1",
  }),
);

const RATES: readonly (readonly [bytesPerSecond: number, seconds: number])[] = [
  [64 * KIB, 40],
  [256 * KIB, 20],
  [MIB, 20],
  [4 * MIB, 8],
];

function assertEven(t: TestContext, shares: readonly number[], unit = MIB): void {
  const told = shares.map((share) => (share / unit).toFixed(2)).join(" ");
  t.diagnostic(told);
  assert.ok(Math.max(...shares) <= SPREAD_MAX * Math.min(...shares), told);
}

/** Fairness does not leave the line idle, and does not break the limit. */
function assertUsed(shares: readonly number[], bytes: number): void {
  const sum = shares.reduce((total, share) => total + share, 0);
  assert.ok(sum > 0.9 * bytes && sum < 1.1 * bytes, `${sum} of ${bytes} bytes`);
}

function total(shares: readonly number[]): number {
  return shares.reduce((sum, share) => sum + share, 0);
}

/** Peers that each torrent serves now. */
function slotsOf(served: readonly SimRun[]): number[] {
  return served.map(({ torrent }) => torrent.peers().filter((peer) => !peer.amChoking).length);
}

/** A machine that downloads all six, each from a separate seed. */
async function fetchSix(
  swarm: SimSwarm,
  client: SimNode,
): Promise<readonly { readonly run: SimRun; readonly seed: PeerAddress }[]> {
  const fetches: { run: SimRun; seed: PeerAddress }[] = [];
  for (const made of SIX) {
    const seed = await swarm.join({ link: SEEDS_LINE });
    seed.seed(made);
    fetches.push({ run: client.leech(made), seed: seed.address });
  }
  swarm.simulation.runFor(100);
  for (const { run, seed } of fetches) run.torrent.addPeers([seed]);
  return fetches;
}

/** A machine that seeds all six, each to the given number of leechers. */
async function serveSix(
  swarm: SimSwarm,
  server: SimNode,
  leechers: readonly number[],
): Promise<readonly SimRun[]> {
  const served = SIX.map((made) => server.seed(made));
  const fetches: SimRun[] = [];
  for (const [index, made] of SIX.entries()) {
    for (let i = 0; i < leechers[index]!; i += 1) {
      fetches.push((await swarm.join({ link: BROAD })).leech(made));
    }
  }
  swarm.simulation.runFor(100);
  for (const { torrent } of fetches) torrent.addPeers([server.address]);
  return served;
}

for (const [rate, seconds] of RATES) {
  test(
    `six downloads under ${rate / KIB} KiB/s get the same`,
    withSeed(70, async (seed, t) => {
      const swarm = new SimSwarm({ seed, size: KIB });
      const settings = { downBytesPerSecond: rate };
      const fetches = await fetchSix(swarm, await swarm.join({ link: BROAD, settings }));
      swarm.simulation.runFor(seconds * 1000);
      const shares = fetches.map(({ run }) => run.torrent.stats().downloaded);
      assertEven(t, shares);
      assertUsed(shares, rate * seconds);
    }),
  );

  test(
    `six torrents that are served under ${rate / KIB} KiB/s get the same, however many leechers one of them has`,
    withSeed(71, async (seed, t) => {
      const swarm = new SimSwarm({ seed, size: KIB });
      const server = await swarm.join({ link: BROAD, settings: { upBytesPerSecond: rate } });
      const served = await serveSix(swarm, server, [6, 1, 1, 1, 1, 1]);
      swarm.simulation.runFor(seconds * 1000);
      const shares = served.map(({ torrent }) => torrent.stats().uploaded);
      assertEven(t, shares);
      assertUsed(shares, rate * seconds);
    }),
  );
}

for (const [leechers, rate, seconds] of [
  [3, 64 * KIB, 36],
  [8, 64 * KIB, 96],
] as const) {
  test(
    `${leechers} leechers of one torrent under ${rate / KIB} KiB/s all get blocks, though each asks on and on`,
    withSeed(88, async (seed, t) => {
      const swarm = new SimSwarm({ seed, size: 16 * MIB, pieceLength: PIECE });
      const server = await swarm.joinSeed({ link: BROAD, settings: { upBytesPerSecond: rate } });
      const runs = (await swarm.joinLeechers(leechers, { link: BROAD })).map(({ run }) => run);
      swarm.simulation.runFor(100);
      for (const { torrent } of runs) torrent.addPeers([server.node.address]);
      swarm.simulation.runFor(seconds * 1000);
      const shares = runs.map(({ torrent }) => torrent.stats().downloaded);
      assertEven(t, shares);
      assertUsed(shares, rate * seconds);
    }),
  );
}

test(
  "six downloads with memory for four pieces and a slow disk get the same",
  withSeed(72, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const client = await swarm.join({
      link: BROAD,
      receiveBytes: 4 * PIECE,
      diskBytesPerSecond: MIB,
    });
    const fetches = await fetchSix(swarm, client);
    swarm.simulation.runFor(30_000);
    const shares = fetches.map(({ run }) => run.torrent.stats().doneBytes);
    assertEven(t, shares);
    const sum = shares.reduce((total, share) => total + share, 0);
    assert.ok(sum > 0.8 * 30 * MIB, `the disk is kept busy: ${sum} bytes in 30 s`);
  }),
);

test(
  "memory that a torrent without peers holds goes to one that waits for it",
  withSeed(73, async (seed) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const client = await swarm.join({ link: BROAD, receiveBytes: 4 * PIECE });
    const [lost, found] = [
      await swarm.join({ link: { upBytesPerSecond: 128 * KIB } }),
      await swarm.join({ link: SEEDS_LINE }),
    ];
    lost.seed(SIX[0]!);
    found.seed(SIX[1]!);
    const idle = client.leech(SIX[0]!);
    const waiting = client.leech(SIX[1]!);
    swarm.simulation.runFor(100);
    // Five peers begin a piece each: all the memory there is.
    const others: SimNode[] = [];
    for (let i = 0; i < 4; i += 1) {
      const node = await swarm.join({ link: { upBytesPerSecond: 128 * KIB } });
      node.seed(SIX[0]!);
      others.push(node);
    }
    swarm.simulation.runFor(100);
    idle.torrent.addPeers([lost, ...others].map(({ address }) => address));
    const isFull = (): boolean => client.receiveSlabs.lentBytes === 4 * PIECE;
    assert.ok(swarm.simulation.runUntil(isFull, 10_000), "all memory is lent");
    for (const node of [lost, ...others]) node.host.goOffline();
    swarm.simulation.runFor(1_000);
    waiting.torrent.addPeers([found.address]);
    swarm.simulation.runFor(20_000);
    assert.equal(waiting.torrent.state.kind, "seeding");
    assert.ok(idle.torrent.stats().doneBytes < 8 * MIB);
  }),
);

test(
  "twelve torrents that know only dead addresses dial equally often",
  withSeed(74, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const client = await swarm.join({ link: BROAD, settings: { halfOpenMax: 8 } });
    const dials = Array.from({ length: 12 }, () => 0);
    const dial = client.host.dial.bind(client.host);
    client.host.dial = (remote, handler, options) => {
      dials[Number(ipOf(remote)!.split(".")[1])]! += 1;
      return dial(remote, handler, options);
    };
    const runs = dials.map((_, index) =>
      client.leech(
        makeSimTorrent({
          random: swarm.random,
          name: `dead-${index}`,
          size: KIB,
          pieceLength: 16 * KIB,
          kind: "v1",
        }),
      ),
    );
    swarm.simulation.runFor(100);
    for (const [index, { torrent }] of runs.entries()) {
      torrent.addPeers(
        Array.from({ length: 40 }, (_, host) =>
          tcpAddress({ address: `172.${index}.${host}.1`, port: 6881 }),
        ),
      );
    }
    // The first torrent with addresses had all eight attempts; they end after ten seconds.
    swarm.simulation.runFor(10_000);
    dials.fill(0);
    swarm.simulation.runFor(60_000);
    assertEven(t, dials, 1);
    const sum = dials.reduce((total, count) => total + count, 0);
    assert.ok(sum >= 45, `${sum} attempts, eight at a time, each of ten seconds`);
  }),
);

test(
  "three torrents that dial get as many of twelve connections, however many addresses one of them knows",
  withSeed(75, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const settings = { connectionsMax: 12, halfOpenMax: 2 };
    const client = await swarm.join({ link: BROAD, settings });
    const runs: { run: SimRun; seeds: PeerAddress[] }[] = [];
    for (const [index, made] of SIX.slice(0, 3).entries()) {
      const seeds: PeerAddress[] = [];
      for (let i = 0; i < (index === 0 ? 16 : 6); i += 1) {
        const node = await swarm.join({ link: { upBytesPerSecond: 16 * KIB } });
        node.seed(made);
        seeds.push(node.address);
      }
      runs.push({ run: client.leech(made), seeds });
    }
    swarm.simulation.runFor(100);
    for (const { run, seeds } of runs) run.torrent.addPeers(seeds);
    swarm.simulation.runFor(5_000);
    assertEven(
      t,
      runs.map(({ run }) => run.torrent.stats().peers),
      1,
    );
  }),
);

test(
  "torrents that come late get as many of twelve connections: the slowest are taken back, and then none is",
  withSeed(81, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const client = await swarm.join({ link: BROAD, settings: { connectionsMax: 12 } });
    const runs: { run: SimRun; seeds: PeerAddress[] }[] = [];
    for (const made of SIX.slice(0, 3)) {
      const seeds: PeerAddress[] = [];
      for (let i = 0; i < 12; i += 1) {
        // The first seven are slow, so that a choice by position would pick no fast one.
        const upBytesPerSecond = i >= 7 && i < 11 ? 8 * KIB : KIB;
        const node = await swarm.join({ settings: { upBytesPerSecond } });
        node.seed(made);
        seeds.push(node.address);
      }
      runs.push({ run: client.leech(made), seeds });
    }
    const counts = (): number[] => runs.map(({ run }) => run.torrent.stats().peers);
    const [first, ...late] = runs;
    swarm.simulation.runFor(100);
    first!.run.torrent.addPeers(first!.seeds);
    swarm.simulation.runFor(40_000);
    assert.deepEqual(counts(), [12, 0, 0]);
    for (const { run, seeds } of late) run.torrent.addPeers(seeds);
    swarm.simulation.runFor(30_000);
    assertEven(t, counts(), 1);
    assert.equal(total(counts()), 12);
    const kept = new Set(first!.run.torrent.peers().map(({ remote }) => addressKey(remote)));
    for (const seed of first!.seeds.slice(7, 11))
      assert.ok(kept.has(addressKey(seed)), "fast, kept");
    const before = runs.map(({ run }) => run.torrent.peers().map(({ remote }) => remote));
    swarm.simulation.runFor(60_000);
    const after = runs.map(({ run }) => run.torrent.peers().map(({ remote }) => remote));
    assert.deepEqual(after, before, "nobody is exchanged any more");
  }),
);

test(
  "a torrent with sixty leechers that fill all connections makes room for ten of another that dial us",
  withSeed(82, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const settings = { connectionsMax: 50, upBytesPerSecond: 64 * KIB };
    const server = await swarm.join({ link: BROAD, settings });
    const served = SIX.slice(0, 2).map((made) => server.seed(made));
    const join = async (index: number, count: number): Promise<void> => {
      const runs: SimRun[] = [];
      for (let i = 0; i < count; i += 1) {
        runs.push((await swarm.join({ link: BROAD })).leech(SIX[index]!));
      }
      swarm.simulation.runFor(100);
      for (const { torrent } of runs) torrent.addPeers([server.address]);
    };
    const counts = (): number[] => served.map(({ torrent }) => torrent.stats().peers);
    await join(0, 60);
    swarm.simulation.runFor(60_000);
    assert.equal(counts()[0], 49, "all, but the last");
    await join(1, 10);
    // A peer that was refused calls again after a minute at most.
    swarm.simulation.runFor(240_000);
    t.diagnostic(counts().join(" "));
    assert.equal(counts()[1], 10);
    assert.ok(counts()[0]! >= 38, "no more than were needed");
  }),
);

test(
  "upload slots are the session's: six torrents with many and with few leechers have equally many",
  withSeed(76, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const link = { upBytesPerSecond: 512 * KIB, downBytesPerSecond: 64 * MIB };
    const settings = { uploadSlots: 6, upBytesPerSecond: 512 * KIB };
    const server = await swarm.join({ link, settings });
    const served = await serveSix(swarm, server, [8, 3, 3, 3, 3, 3]);
    swarm.simulation.runFor(12_000);
    assertEven(t, slotsOf(served), 1);
    assert.equal(total(slotsOf(served)), 12, "two for each torrent: one to reward and one to try");
  }),
);

test(
  "torrents with many and with few leechers share a narrow line without a limit evenly",
  withSeed(80, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const server = await swarm.join({ link: { ...BROAD, upBytesPerSecond: 512 * KIB } });
    const served = await serveSix(swarm, server, [8, 3, 3, 3, 3, 3]);
    swarm.simulation.runFor(60_000);
    const shares = served.map(({ torrent }) => torrent.stats().uploaded);
    t.diagnostic(`slots: ${slotsOf(served).join(" ")}`);
    assertEven(t, shares);
    assertUsed(shares, 512 * KIB * 60);
  }),
);

test(
  "a remainder of slots moves from torrent to torrent, round by round",
  withSeed(77, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const settings = { uploadSlots: 16, upBytesPerSecond: 256 * KIB };
    const server = await swarm.join({ link: BROAD, settings });
    const served = await serveSix(swarm, server, [8, 4, 4, 4, 4, 4]);
    const sums = served.map(() => 0);
    swarm.simulation.runFor(2_000);
    for (let round = 0; round < 3; round += 1) {
      swarm.simulation.runFor(10_000);
      const slots = slotsOf(served);
      assert.equal(total(slots), 16);
      assertEven(t, slots, 1);
      for (const [index, count] of slots.entries()) sums[index]! += count;
    }
    assert.deepEqual(sums, [8, 8, 8, 8, 8, 8]);
  }),
);

test(
  "a torrent without interested peers holds no slot, and its first peer is served in the next round at the latest",
  withSeed(78, async (seed) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const settings = { uploadSlots: 8, upBytesPerSecond: 256 * KIB };
    const server = await swarm.join({ link: BROAD, settings });
    const served = await serveSix(swarm, server, [9, 9, 0, 0, 0, 0]);
    swarm.simulation.runFor(12_000);
    assert.deepEqual(slotsOf(served), [4, 4, 0, 0, 0, 0]);
    const late = (await swarm.join({ link: BROAD })).leech(SIX[2]!);
    swarm.simulation.runFor(100);
    late.torrent.addPeers([server.address]);
    swarm.simulation.runFor(10_000);
    assert.equal(slotsOf(served)[2], 1);
    assert.equal(total(slotsOf(served)), 8);
    void server.session.remove(served[0]!.torrent);
    swarm.simulation.runFor(1_500);
    assert.deepEqual(slotsOf(served), [0, 7, 1, 0, 0, 0], "what a torrent leaves is used at once");
  }),
);

test(
  "twenty torrents share eight slots: each is served in one of three rounds",
  withSeed(79, async (seed, t) => {
    const swarm = new SimSwarm({ seed, size: KIB });
    const settings = { uploadSlots: 2, upBytesPerSecond: 256 * KIB };
    const server = await swarm.join({ link: BROAD, settings });
    const served: SimRun[] = [];
    const fetches: SimRun[] = [];
    for (let index = 0; index < 20; index += 1) {
      const made = makeSimTorrent({
        random: swarm.random,
        name: `one-of-many-${index}`,
        size: 2 * MIB,
        // Choked peers may fetch ten pieces (BEP 6), so these are short.
        pieceLength: 16 * KIB,
        kind: "v1",
      });
      served.push(server.seed(made));
      for (let i = 0; i < 1 + (index % 3); i += 1) {
        fetches.push((await swarm.join({ link: BROAD })).leech(made));
      }
    }
    swarm.simulation.runFor(100);
    for (const { torrent } of fetches) torrent.addPeers([server.address]);
    swarm.simulation.runFor(12_000);
    const rounds = served.map(() => 0);
    for (let round = 0; round < 15; round += 1) {
      const slots = slotsOf(served);
      assert.equal(total(slots), 8);
      for (const [index, count] of slots.entries()) rounds[index]! += count;
      swarm.simulation.runFor(10_000);
    }
    assertEven(t, rounds, 1);
    assertEven(
      t,
      served.map(({ torrent }) => torrent.stats().uploaded),
    );
  }),
);
