import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { SimPeer, SimSwarm } from "../../src/sim/sim-swarm.ts";

export const MIB = 1024 * 1024;

/** A test whose run is determined by one number; a failure prints it. */
export function withSeed(
  seed: number,
  body: (seed: number, t: TestContext) => Promise<void>,
): (t: TestContext) => Promise<void> {
  return async (t) => {
    try {
      await body(seed, t);
    } catch (error) {
      t.diagnostic(`the seed of this run is ${seed}`);
      throw error;
    }
  };
}

/** The file is on the peer's disk, or in its store, byte by byte. */
export function assertWhole(swarm: SimSwarm, { node, run }: SimPeer): void {
  const { name, bytes } = swarm.made;
  const found = node.store
    ? node.store.spaceOf(run.root)
    : node.disk.find(`${run.root}/${name}`)?.bytes;
  assert.ok(found, "the file is there");
  assert.ok(Buffer.compare(found, bytes) === 0, `${node.host.address} has the right bytes`);
}

/** The peer's upload as a multiple of the content. */
export function sharedCopies(swarm: SimSwarm, { run }: SimPeer): number {
  return run.torrent.stats().uploaded / swarm.made.bytes.length;
}

/** Addresses the peer has banned so far. */
export function bannedBy({ run }: SimPeer): Set<string> {
  const banned = new Set<string>();
  for (const { event } of run.events) if (event.kind === "peer-banned") banned.add(event.address);
  return banned;
}
