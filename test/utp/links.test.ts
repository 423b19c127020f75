import assert from "node:assert/strict";
import test from "node:test";
import { RenoFlow } from "./reno-flow.ts";
import { UtpWorld } from "./utp-world.ts";

const BYTES_OF_MBIT = 125_000;

for (const { mbit, delayMs } of [
  { mbit: 10, delayMs: 10 },
  { mbit: 10, delayMs: 100 },
  { mbit: 50, delayMs: 100 },
]) {
  test(`a line of ${mbit} Mbit/s and ${delayMs} ms that loses 1 % of the packets gives 0.9 of what it can`, (t) => {
    const bytesPerSecond = mbit * BYTES_OF_MBIT;
    // One way is half of the round trip.
    const link = {
      bytesPerSecond,
      delayMs: delayMs / 2,
      queueBytes: bytesPerSecond * 0.3,
      lossPerMille: 10,
    };
    const world = new UtpWorld({ seed: 3, there: link });
    world.call(Infinity);
    const seconds = 20;
    world.simulation.runFor(seconds * 1000);
    const got = world.accepted[0]!;
    assert.equal(got.wrongAt, undefined);
    const share = got.received / (seconds * bytesPerSecond * 0.99);
    const queueMs = world.there.waitMs(0.95).toFixed(0);
    t.diagnostic(`${share.toFixed(3)} of the line; the queue is ${queueMs} ms long (95 %)`);
    assert.ok(share >= 0.9, `${share}`);
  });
}

const UPLINK = { bytesPerSecond: 2 * BYTES_OF_MBIT, delayMs: 15, queueBytes: 2 * BYTES_OF_MBIT };

test("a full uplink is delayed by 100 ms at most, and is used", (t) => {
  const world = new UtpWorld({ seed: 5, there: UPLINK, back: { ...UPLINK, delayMs: 15 } });
  for (let i = 0; i < 3; i += 1) world.call(Infinity);
  const seconds = 60;
  world.simulation.runFor(seconds * 1000);
  const received = world.accepted.reduce((sum, flow) => sum + flow.received, 0);
  const share = received / (seconds * UPLINK.bytesPerSecond);
  const delays = [0.5, 0.95, 0.999].map((part) => world.there.waitMs(part));
  t.diagnostic(`${share.toFixed(3)} of the line; delay added ${delays.map(Math.round).join(", ")}`);
  assert.ok(share > 0.9, `${share}`);
  assert.ok(delays[2]! <= 100, `${delays[2]} ms`);
});

test("TCP on a full uplink gets it, and uTP takes it back afterwards", (t) => {
  // The router's queue holds 300 ms: TCP fills it.
  const uplink = { ...UPLINK, queueBytes: UPLINK.bytesPerSecond * 0.3 };
  const world = new UtpWorld({ seed: 6, there: uplink, back: UPLINK });
  const { simulation, there } = world;
  world.call(Infinity);
  world.call(Infinity);
  simulation.runFor(20_000);
  const received = (): number => world.accepted.reduce((sum, flow) => sum + flow.received, 0);
  const tcp = new RenoFlow(simulation, there);
  const before = received();
  tcp.start();
  simulation.runFor(60_000);
  const ofTcp = tcp.delivered / (60 * UPLINK.bytesPerSecond);
  const ofUtp = (received() - before) / (60 * UPLINK.bytesPerSecond);
  tcp.stop();
  simulation.runFor(10_000);
  there.forget();
  const resumed = received();
  simulation.runFor(20_000);
  const after = (received() - resumed) / (20 * UPLINK.bytesPerSecond);
  t.diagnostic(`TCP ${ofTcp.toFixed(3)}, uTP ${ofUtp.toFixed(3)}, afterwards ${after.toFixed(3)}`);
  assert.ok(ofTcp >= 0.8, `TCP ${ofTcp}`);
  assert.ok(ofUtp > 0, "it does not starve");
  assert.ok(after > 0.9, `afterwards ${after}`);
  assert.ok(there.waitMs(0.99) <= 100, `${there.waitMs(0.99)} ms afterwards`);
});
