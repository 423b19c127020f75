// Prints a fingerprint of everything that happens in some simulated swarms, by hand:
// tools/run node tools/swarm-traces.ts. A change of the engine that is meant to change no behaviour leaves
// every line as it was.
import { parseMagnet } from "../src/metainfo/magnet.ts";
import { type JoinOptions, type SimPeer, SimSwarm } from "../src/sim/sim-swarm.ts";
import type { TorrentKind } from "../src/metainfo/metainfo.ts";
import { toHex } from "../src/base/bytes.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const BLOCK = 16 * KIB;
const LIMIT_MS = 120_000;

type Scenario = (seed: number) => Promise<SimSwarm>;

/** One seed and a crowd of leechers that start at the same time. */
async function crowd(
  seed: number,
  options: { kind?: TorrentKind; pieceLength?: number; join?: JoinOptions; count?: number } = {},
): Promise<SimSwarm> {
  const { kind, pieceLength, join, count = 12 } = options;
  const swarm = new SimSwarm({ seed, size: 4 * MIB, kind, pieceLength });
  const first = await swarm.joinSeed();
  const leechers = await swarm.joinLeechers(count, join);
  swarm.introduce([first, ...leechers]);
  swarm.runUntilComplete(leechers, LIMIT_MS);
  swarm.simulation.runFor(10_000);
  return swarm;
}

async function withLiars(seed: number): Promise<SimSwarm> {
  const swarm = new SimSwarm({ seed, size: 4 * MIB });
  const seeds: SimPeer[] = [];
  for (let i = 0; i < 4; i += 1) seeds.push(await swarm.joinSeed());
  for (const { node } of seeds.slice(1)) node.disk.lies = (_piece, begin) => begin === BLOCK;
  const leechers = await swarm.joinLeechers(8);
  swarm.introduce([...seeds, ...leechers]);
  swarm.runUntilComplete(leechers, LIMIT_MS);
  return swarm;
}

/** Every leecher has only the magnet link; the first is given the seed's address. */
async function byMagnet(seed: number, kind: TorrentKind): Promise<SimSwarm> {
  const swarm = new SimSwarm({ seed, size: 4 * MIB, kind });
  const first = await swarm.joinSeed();
  const { v1, v2 } = swarm.made.metainfo.info.infohashes;
  const topics = [v1 && `xt=urn:btih:${toHex(v1)}`, v2 && `xt=urn:btmh:1220${toHex(v2)}`];
  const magnet = parseMagnet(`magnet:?${topics.filter((topic) => topic !== undefined).join("&")}`);
  const leechers: SimPeer[] = [];
  for (let i = 0; i < 5; i += 1) {
    const node = await swarm.join();
    leechers.push({ node, run: node.leech(swarm.made, { from: { magnet } }) });
  }
  swarm.introduce([first, ...leechers]);
  swarm.runUntilComplete(leechers, LIMIT_MS);
  return swarm;
}

/** Peers stop and others join during the download. */
async function comeAndGo(seed: number): Promise<SimSwarm> {
  const swarm = new SimSwarm({ seed, size: 4 * MIB });
  const first = await swarm.joinSeed();
  const leechers = await swarm.joinLeechers(10);
  swarm.introduce([first, ...leechers]);
  for (const [index, leecher] of leechers.entries()) {
    swarm.simulation.runFor(700);
    if (index % 3 === 0) await stop(swarm, leecher);
    if (index % 3 !== 1) continue;
    const late = await swarm.joinLeecher();
    swarm.simulation.runFor(100);
    late.run.torrent.addPeers(leechers.map(({ node }) => node.address));
    late.run.torrent.addPeers([first.node.address]);
  }
  swarm.simulation.runFor(LIMIT_MS);
  return swarm;
}

async function stop(swarm: SimSwarm, { node, run }: SimPeer): Promise<void> {
  let stopped = false;
  const done = node.session.remove(run.torrent).then(() => (stopped = true));
  for (let i = 0; i < 100 && !stopped; i += 1) {
    swarm.simulation.runFor(20);
    // Lets all pending promises continue: the number of steps they need must not cost simulated time.
    await new Promise((done) => setImmediate(done));
  }
  await done;
}

/** A disk that becomes full, and a seed whose disk is damaged. */
async function badDisks(seed: number): Promise<SimSwarm> {
  const swarm = new SimSwarm({ seed, size: 4 * MIB });
  const seeds = [await swarm.joinSeed(), await swarm.joinSeed()];
  const leechers = await swarm.joinLeechers(6);
  leechers[0]!.node.disk.setRoom("/content", MIB);
  swarm.introduce([...seeds, ...leechers]);
  for (const mib of [1, 2, 3]) seeds[1]!.node.disk.damage("/content/content", mib * MIB + 5);
  swarm.simulation.runFor(15_000);
  leechers[0]!.node.disk.setRoom("/content", 64 * MIB);
  swarm.simulation.runFor(LIMIT_MS);
  return swarm;
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  "crowd, v1": (seed) => crowd(seed),
  "crowd, hybrid": (seed) => crowd(seed, { kind: "hybrid" }),
  "crowd, pieces of one block": (seed) => crowd(seed, { pieceLength: BLOCK }),
  "crowd, little memory and slow disks": (seed) =>
    crowd(seed, { join: { receiveBytes: 192 * KIB, diskBytesPerSecond: 512 * KIB }, count: 5 }),
  "crowd, pieces too long for memory": (seed) =>
    crowd(seed, { pieceLength: MIB, join: { receiveBytes: 2 * MIB }, count: 5 }),
  "crowd, limits down": (seed) =>
    crowd(seed, { join: { settings: { downBytesPerSecond: 256 * KIB } }, count: 5 }),
  "crowd, limits up": (seed) =>
    crowd(seed, { join: { settings: { upBytesPerSecond: 128 * KIB } }, count: 5 }),
  "crowd, few connections": (seed) =>
    crowd(seed, { join: { settings: { connectionsPerTorrentMax: 4, uploadSlots: 2 } } }),
  liars: withLiars,
  "magnet, v1": (seed) => byMagnet(seed, "v1"),
  "magnet, v2": (seed) => byMagnet(seed, "v2"),
  "magnet, hybrid": (seed) => byMagnet(seed, "hybrid"),
  "come and go": comeAndGo,
  "bad disks": badDisks,
};

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  for (const seed of [1, 2]) {
    const { trace, simulation } = await scenario(seed);
    console.log(`${name} ${seed}: ${simulation.nowMs()} ms ${trace.fingerprint}`);
  }
}
