import assert from "node:assert/strict";
import { test } from "node:test";
import { searchPeers } from "../../src/dht/peer-search.ts";
import { SwarmEstimates } from "../../src/dht/swarm-estimates.ts";
import { type DhtMachine, DhtWorld } from "./dht-world.ts";

const MINUTE_MS = 60_000;

function scene(seed: number) {
  const world = new DhtWorld({ seed });
  const machines: DhtMachine[] = [];
  for (let index = 0; index < 16; index += 1) {
    machines.push(world.join({ bootstrap: machines[0] ? [machines[0].endpoint] : [] }));
    world.simulation.runFor(300);
  }
  world.simulation.runFor(30_000);
  const announce = (machine: DhtMachine, infohash: Uint8Array, isSeed: boolean): void => {
    world.wait((onDone) =>
      searchPeers(machine.dht, {
        infohash,
        announce: { port: 7000, isPortImplied: false, seed: isSeed },
        onPeers: () => undefined,
        onDone,
      }),
    );
  };
  /** Queries that one machine sends. */
  let sent = 0;
  const asker = world.join({
    bootstrap: [machines[0]!.endpoint],
    isLost: () => {
      sent += 1;
      return false;
    },
  });
  world.simulation.runFor(30_000);
  const estimates = new SwarmEstimates({ dht: asker.dht, clock: world.simulation });
  return { world, machines, announce, estimates, sent: () => sent };
}

test("BEP 33: seeds and downloaders are counted when somebody looks, and at most every half hour", () => {
  const { world, machines, announce, estimates } = scene(61);
  const v1 = world.target();
  const v2 = new Uint8Array(32).fill(1, 20);
  v2.set(world.target());
  for (const [index, machine] of machines.slice(0, 7).entries()) announce(machine, v1, index < 4);
  announce(machines[9]!, v2.subarray(0, 20), true);
  assert.equal(estimates.known({ v1, v2 }), undefined);
  assert.equal(estimates.look({ v1, v2 }), undefined, "nothing is known yet");
  world.simulation.runFor(10_000);
  const { atMs, ...first } = estimates.look({ v1, v2 })!;
  assert.deepEqual(first, { seeds: 4, leechers: 3 });
  assert.ok(world.simulation.wallMs() - atMs <= 10_000);
  announce(machines[8]!, v1, true);
  world.simulation.runFor(20 * MINUTE_MS);
  assert.equal(estimates.look({ v1, v2 })!.seeds, 4, "it is not asked for again so soon");
  world.simulation.runFor(MINUTE_MS);
  assert.equal(estimates.look({ v1, v2 })!.seeds, 4);
  world.simulation.runFor(12 * MINUTE_MS);
  estimates.look({ v1, v2 });
  world.simulation.runFor(10_000);
  assert.deepEqual({ ...estimates.known({ v1, v2 }), atMs: 0 }, { seeds: 5, leechers: 3, atMs: 0 });
});

test("a reader who looks at thousands of torrents makes few queries, and little is kept", () => {
  const { world, estimates, sent } = scene(62);
  const before = sent();
  const torrents = Array.from({ length: 1500 }, () => ({ v1: world.target() }));
  for (let second = 0; second < 60; second += 1) {
    for (const torrent of torrents) estimates.look(torrent);
    world.simulation.runFor(1000);
  }
  const counted = torrents.filter((torrent) => estimates.known(torrent));
  // Eight at once, and then one each two seconds.
  assert.ok(counted.length >= 20 && counted.length <= 38, `${counted.length} were counted`);
  assert.ok(sent() - before < 38 * 30, `${sent() - before} packets in a minute`);
  estimates.close();
});
