import type { ReadOptions } from "../../src/engine/session-contract.ts";
import type { SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";

/** Simulated time between two rounds of promises, which do not advance while the simulation runs. */
const STEP_MS = 10;

/** Advances simulated time and lets promises continue, until `isDone` returns true. */
export async function runUntil(
  swarm: SimSwarm,
  isDone: () => boolean,
  limitMs: number,
): Promise<boolean> {
  const endMs = swarm.simulation.nowMs() + limitMs;
  await settled();
  while (!isDone() && swarm.simulation.nowMs() < endMs) {
    swarm.simulation.runFor(STEP_MS);
    await settled();
  }
  return isDone();
}

/** Lets everything happen that promises lead to at this instant. */
export async function settled(): Promise<void> {
  await new Promise((done) => setImmediate(done));
}

/** Reads a range of the swarm's one file and records what arrived when. */
export class SimReader {
  readonly begin: number;
  readonly parts: { readonly atMs: number; readonly offset: number; readonly length: number }[] =
    [];
  /** The parts, in the order in which they arrived. */
  readonly bytes: Uint8Array;
  readonly abort = new AbortController();
  offset: number;
  isDone = false;
  error: unknown;

  constructor(
    swarm: SimSwarm,
    { run }: SimPeer,
    range: { readonly begin: number; readonly end: number },
    options: ReadOptions = {},
  ) {
    this.begin = range.begin;
    this.offset = range.begin;
    this.bytes = new Uint8Array(range.end - range.begin);
    const parts = run.torrent.read(0, range, { ...options, signal: this.abort.signal });
    void this.#read(swarm, parts).catch((error: unknown) => {
      this.error = error;
    });
  }

  async #read(swarm: SimSwarm, parts: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const part of parts) {
      this.bytes.set(part, this.offset - this.begin);
      this.parts.push({ atMs: swarm.simulation.nowMs(), offset: this.offset, length: part.length });
      this.offset += part.length;
    }
    this.isDone = true;
  }

  /** The share of bytes that arrived later than they were needed. */
  lateShare(deadlineMs: number, bytesPerSecond: number): number {
    let late = 0;
    for (const { atMs, offset, length } of this.parts) {
      if (atMs > deadlineMs + ((offset - this.begin) * 1000) / bytesPerSecond) late += length;
    }
    return late / Math.max(1, this.offset - this.begin);
  }
}
