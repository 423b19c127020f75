import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MIB } from "./judging.ts";
import { runUntil, SimReader } from "./reading.ts";

const KIB = 1024;
/** Together the seeds have a line of 20 Mbit/s. */
const SEEDS = 10;
const SEED_BYTES_PER_SECOND = 250_000;
const SIZE = 48 * MIB;
const PIECE = MIB;
/** What a player needs to show a picture. */
const FIRST_BYTES = 256 * KIB;
const PLAYS_WITHIN_MS = 2_000;

test("a seek plays within two seconds on a swarm of 20 Mbit/s, wherever it leads, while the download goes on", async (t) => {
  const swarm = new SimSwarm({ seed: 81, size: SIZE, pieceLength: PIECE });
  const seeds = [];
  for (let i = 0; i < SEEDS; i += 1) {
    const link = { upBytesPerSecond: SEED_BYTES_PER_SECOND, latencyMs: 15 + 5 * i };
    seeds.push(await swarm.joinSeed({ link }));
  }
  const leecher = await swarm.joinLeecher({
    link: { downBytesPerSecond: 2_500_000 },
    receiveBytes: 32 * MIB,
  });
  swarm.introduce([...seeds, leecher]);
  swarm.simulation.runFor(3_000);
  const random = seededRandom(82);
  const took: number[] = [];
  for (let seek = 0; seek < 6; seek += 1) {
    // The first is the start; later ones lead behind what is there.
    const begin = seek === 0 ? 0 : 8 * MIB + random.below(SIZE - 9 * MIB);
    const atMs = swarm.simulation.nowMs();
    const reader = new SimReader(swarm, leecher, { begin, end: SIZE });
    const plays = (): boolean => reader.offset - begin >= FIRST_BYTES;
    await runUntil(swarm, plays, 10_000);
    took.push(swarm.simulation.nowMs() - atMs);
    await runUntil(swarm, () => reader.isDone, 1_000);
    reader.abort.abort(new Error("a seek"));
  }
  t.diagnostic(`${took.join(", ")} ms`);
  const [, ...seeks] = took;
  assert.ok(Math.max(...seeks) <= PLAYS_WITHIN_MS, `${took.join(", ")} ms`);
});
