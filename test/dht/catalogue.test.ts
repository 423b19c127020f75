import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/base/bytes.ts";
import { CatalogueWorld } from "./catalogue-world.ts";

const MINUTE_MS = 60_000;
/** How long nodes keep a peer. */
const KEPT_MS = 30 * MINUTE_MS;

/** Packets of each minute that is over. */
function byMinute(world: CatalogueWorld, fromMs: number): number[] {
  const minutes: number[] = [];
  for (const [second, packets] of world.sentIn.entries()) {
    const minute = Math.floor((second * 1000 - fromMs) / MINUTE_MS);
    if (minute >= 0) minutes[minute] = (minutes[minute] ?? 0) + (packets ?? 0);
  }
  return Array.from(minutes, (packets) => packets ?? 0).slice(0, -1);
}

test("a catalogue is in the DHT all the time, near its infohashes, with even traffic", (t) => {
  const world = new CatalogueWorld({ seed: 1, nodes: 4000, queriesPerSecond: 100 });
  const { simulation, announcer } = world;
  simulation.runFor(MINUTE_MS);
  const infohashes = world.begin(300);
  const beginMs = simulation.nowMs();
  simulation.runFor(60 * MINUTE_MS);
  const near = infohashes.map((infohash) => world.closestTold(infohash));
  const mean = near.reduce((sum, one) => sum + one, 0) / near.length;
  for (const infohash of infohashes) {
    const times = [...world.timesOf(infohash), simulation.nowMs()];
    assert.ok(times[0]! - beginMs < 4 * MINUTE_MS, "the first round is short");
    for (const [index, atMs] of times.slice(1).entries()) {
      assert.ok(atMs - times[index]! < KEPT_MS, `${toHex(infohash)} was forgotten`);
    }
  }
  assert.ok(mean > 7, `${mean} of the 8 closest nodes`);
  assert.ok(Math.min(...near) >= 4, `${Math.min(...near)} of the 8 closest nodes`);
  const steady = byMinute(world, beginMs + 5 * MINUTE_MS);
  const average = steady.reduce((sum, packets) => sum + packets, 0) / steady.length;
  assert.ok(Math.max(...steady) < 2 * average, `${Math.max(...steady)} packets in a minute`);
  const { queries, ...status } = announcer.status();
  const announces = infohashes.reduce((sum, one) => sum + world.timesOf(one).length, 0);
  const each = queries / announces;
  t.diagnostic(
    `${average.toFixed(0)} packets a minute, ${Math.max(...steady)} at most; ${mean.toFixed(1)} of the 8 closest ` +
      `nodes have each; ${each.toFixed(1)} queries for each`,
  );
  assert.ok(each < 23, `${each} queries for one announce`);
  assert.deepEqual(
    [status.infohashes, status.announced, status.nodesEach, status.roundMs],
    [300, 300, 8, 25 * MINUTE_MS],
  );
  assert.ok(simulation.nowMs() - status.lastRoundMs! < 26 * MINUTE_MS);
});

test("the budget bounds the packets: fewer nodes get each announce, and then rounds take longer", () => {
  const world = new CatalogueWorld({ seed: 2, nodes: 2000, queriesPerSecond: 10 });
  const { simulation, announcer } = world;
  simulation.runFor(MINUTE_MS);
  // Enough for a quarter of them.
  world.begin(6000);
  const beginMs = simulation.nowMs();
  simulation.runFor(10 * MINUTE_MS);
  const minutes = byMinute(world, beginMs);
  // Besides the catalogue the node keeps its table alive.
  for (const packets of minutes)
    assert.ok(packets <= 10 * 60 + 120, `${packets} packets in a minute`);
  assert.ok(minutes.at(-1)! > 10 * 60 * 0.9, "and it is used");
  for (const packets of world.sentIn) assert.ok((packets ?? 0) <= 100, `${packets} in a second`);
  const status = announcer.status();
  assert.equal(status.nodesEach, 4);
  assert.ok(status.roundMs > 60 * MINUTE_MS);
});

test("what is published is announced soon, what is removed no more", () => {
  const world = new CatalogueWorld({ seed: 3, nodes: 1000, queriesPerSecond: 100 });
  const { simulation, announcer } = world;
  simulation.runFor(MINUTE_MS);
  const [gone, ...others] = world.begin(50);
  simulation.runFor(10 * MINUTE_MS);
  const v1 = world.infohash();
  const v2 = new Uint8Array(32).fill(7);
  announcer.add({ v1, v2 });
  announcer.add({ v1, v2 });
  announcer.setWhole({ v1, v2 }, false);
  announcer.delete({ v1: gone! });
  const goneTimes = world.timesOf(gone!).length;
  simulation.runFor(10_000);
  assert.equal(world.timesOf(v1).length, 1);
  assert.equal(world.timesOf(v2.subarray(0, 20)).length, 1, "under both infohashes");
  assert.equal(world.told.get(toHex(v1))!.isSeed, false, "our copy is not whole");
  assert.equal(world.told.get(toHex(others[0]!))!.isSeed, true);
  assert.equal(announcer.status().infohashes, 51);
  simulation.runFor(30 * MINUTE_MS);
  assert.equal(world.timesOf(gone!).length, goneTimes);
  assert.ok(world.timesOf(v1).length >= 2);
  announcer.close();
  const { packets } = { packets: world.network.methods.get("announce_peer") };
  simulation.runFor(30 * MINUTE_MS);
  assert.equal(world.network.methods.get("announce_peer"), packets, "nothing after the end");
});

test("after hours without a network everything is announced soon, within the budget", () => {
  const world = new CatalogueWorld({ seed: 4, nodes: 1000, queriesPerSecond: 20 });
  const { simulation, network } = world;
  simulation.runFor(MINUTE_MS);
  const infohashes = world.begin(100);
  simulation.runFor(30 * MINUTE_MS);
  network.isOnline = false;
  simulation.runFor(120 * MINUTE_MS);
  network.isOnline = true;
  const backMs = simulation.nowMs();
  simulation.runFor(20 * MINUTE_MS);
  for (const infohash of infohashes) {
    const after = world.timesOf(infohash).filter((atMs) => atMs > backMs);
    assert.ok(after[0]! < backMs + 8 * MINUTE_MS, "it joins within five minutes, and then begins");
    assert.ok(after.length <= 2, "what was missed is not made up for");
  }
  for (const packets of byMinute(world, backMs)) {
    assert.ok(packets <= 20 * 60 + 120, `${packets} packets in a minute`);
  }
});
