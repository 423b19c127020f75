import assert from "node:assert/strict";
import test from "node:test";
import { type AckFacts, Ledbat, WINDOW_BYTES_MAX } from "./ledbat.ts";

const PACKET = 1452;

const facts = (changes: Partial<AckFacts>): AckFacts => ({
  nowMs: 0,
  ackedBytes: PACKET,
  ackedPackets: 1,
  queueUs: 0,
  roundTripQueueUs: 0,
  roundTripBaseUs: 50_000,
  isWindowLimited: true,
  ...changes,
});

/** Acks a whole window, `rounds` times. */
function run(ledbat: Ledbat, rounds: number, changes: Partial<AckFacts>): void {
  for (let round = 0; round < rounds; round += 1) {
    const packets = Math.floor(ledbat.windowBytes / PACKET);
    for (let i = 0; i < packets; i += 1) ledbat.handleAck(facts(changes));
  }
}

test("slow start doubles the window, up to a bound, and ends with a queue", () => {
  const ledbat = new Ledbat(PACKET);
  const first = ledbat.windowBytes;
  run(ledbat, 1, {});
  assert.equal(ledbat.windowBytes, 2 * first);
  ledbat.handleAck(facts({ queueUs: 40_000, roundTripQueueUs: 40_000 }));
  assert.ok(ledbat.isSlowStart, "one late packet proves no queue");
  run(ledbat, 1, { queueUs: 40_000, roundTripQueueUs: 40_000 });
  assert.ok(!ledbat.isSlowStart);
  assert.ok(ledbat.windowBytes < 8 * first);

  const unlimited = new Ledbat(PACKET);
  run(unlimited, 12, {});
  assert.equal(unlimited.windowBytes, WINDOW_BYTES_MAX);
});

test("a window that the application does not fill stays as it is", () => {
  const ledbat = new Ledbat(PACKET);
  const first = ledbat.windowBytes;
  run(ledbat, 3, { isWindowLimited: false });
  assert.equal(ledbat.windowBytes, first);
});

test("above the target the window shrinks, down to one packet", () => {
  const ledbat = new Ledbat(PACKET);
  run(ledbat, 5, {});
  run(ledbat, 60, { queueUs: 150_000, roundTripQueueUs: 150_000 });
  assert.equal(ledbat.windowBytes, PACKET);
});

test("few losses without a queue are the line's, many are a full queue", () => {
  const ledbat = new Ledbat(PACKET);
  run(ledbat, 6, {});
  const before = ledbat.windowBytes;
  ledbat.handleLoss(3, { nowMs: 1000, roundTripMs: 50 });
  assert.equal(ledbat.windowBytes, before);
  ledbat.handleLoss(200, { nowMs: 2000, roundTripMs: 50 });
  assert.equal(ledbat.windowBytes, before / 2);
  ledbat.handleLoss(200, { nowMs: 2010, roundTripMs: 50 });
  assert.equal(ledbat.windowBytes, before / 2, "once in a round trip");
});

test("WIR-21: a peer that denies the queue is believed no more than our own clock allows", () => {
  const ledbat = new Ledbat(PACKET);
  run(ledbat, 6, {});
  const before = ledbat.windowBytes;
  run(ledbat, 3, { queueUs: 0, roundTripQueueUs: 2_000_000 });
  assert.ok(ledbat.windowBytes < before);
});

test("WIR-21: a peer that claims a queue is believed no more than our own clock allows", () => {
  const ledbat = new Ledbat(PACKET);
  const before = ledbat.windowBytes;
  run(ledbat, 2, { queueUs: 3_600_000_000, roundTripQueueUs: 1000 });
  assert.ok(ledbat.windowBytes > before);
});

test("after a timeout the window is one packet", () => {
  const ledbat = new Ledbat(PACKET);
  run(ledbat, 3, {});
  ledbat.handleTimeout();
  assert.equal(ledbat.windowBytes, PACKET);
  assert.ok(ledbat.isSlowStart);
});
