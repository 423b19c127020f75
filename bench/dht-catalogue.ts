/**
 * Measures what announcing a catalogue in the DHT costs; run by hand: `tools/run node --expose-gc bench/dht-catalogue.ts
 * [NODES]`. Our own code announces in simulated time in a network that is computed (`test/dht/virtual-network.ts`): a tenth
 * of its nodes are dead, and a tenth have ids that do not fit their addresses. CPU is that of our own code on this thread.
 */
import { CatalogueWorld } from "../test/dht/catalogue-world.ts";

const nodes = Number(process.argv[2] ?? 1_000_000);
const MINUTE_MS = 60_000;
/** Of an IPv4 packet over UDP, beside its content. */
const HEAD_BYTES = 28;

interface Case {
  readonly torrents: number;
  readonly queriesPerSecond: number;
  /** Before the measurement: what is in them besides the steady state. */
  readonly minutesBefore: number;
  readonly minutes: number;
}

const CASES: readonly Case[] = [
  // The first round takes nine minutes, and everything is known then.
  { torrents: 10_000, queriesPerSecond: 500, minutesBefore: 10, minutes: 3 },
  { torrents: 100_000, queriesPerSecond: 500, minutesBefore: 1, minutes: 3 },
  { torrents: 100_000, queriesPerSecond: 1500, minutesBefore: 1, minutes: 2 },
];

for (const { torrents, queriesPerSecond, minutesBefore, minutes } of CASES) {
  const world = new CatalogueWorld({ seed: 1, nodes, queriesPerSecond, countsCpu: true });
  const { simulation, network, announcer } = world;
  // What the test notes of each announce is no memory of ours.
  let taken = 0;
  network.onTaken = () => void (taken += 1);
  simulation.runFor(MINUTE_MS);
  const before = memoryBytes();
  world.begin(torrents);
  simulation.runFor(minutesBefore * MINUTE_MS);
  const begin = { ...figures(world), taken };
  simulation.runFor(minutes * MINUTE_MS);
  const end = { ...figures(world), taken };
  const seconds = minutes * 60;
  const each = (of: (one: typeof begin) => number): number => (of(end) - of(begin)) / seconds;
  const { nodesEach, roundMs } = announcer.status();
  const packets = each((one) => one.sent.packets);
  const outBytes = each((one) => one.sent.bytes) + packets * HEAD_BYTES;
  const inBytes =
    each((one) => one.received.bytes) + each((one) => one.received.packets) * HEAD_BYTES;
  console.log(
    `${torrents} torrents, at most ${queriesPerSecond} queries a second, ${nodes} nodes: ` +
      `${packets.toFixed(0)} queries/s, ${(outBytes / 1000).toFixed(0)} kB/s out, ${(inBytes / 1000).toFixed(0)} kB/s in, ` +
      `${(each((one) => one.cpuMs) / 10).toFixed(1)} % of a core, ` +
      `${((memoryBytes() - before) / 1_048_576).toFixed(1)} MiB, ` +
      `${each((one) => one.taken).toFixed(0)} announces/s to ${nodesEach} nodes each, a round in ${(roundMs / MINUTE_MS).toFixed(0)} min`,
  );
}

/** Since the beginning. */
function figures({ network, ownMs }: CatalogueWorld) {
  return { sent: { ...network.received }, received: { ...network.sent }, cpuMs: ownMs };
}

function memoryBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
