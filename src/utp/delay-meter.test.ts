import assert from "node:assert/strict";
import test from "node:test";
import { DelayHistory } from "./delay-history.ts";
import { DelayMeter } from "./delay-meter.ts";
import { toMicroseconds } from "./sequence.ts";

test("the base is the smallest of the last minutes, across the wrap of the clock", () => {
  const history = new DelayHistory();
  assert.equal(history.add(5, 0), 0);
  assert.equal(history.add(2 ** 32 - 10, 1), 0);
  assert.equal(history.add(20, 2), 30);
  // A longer route is believed when the old minimum is forgotten.
  for (let minute = 1; minute <= 3; minute += 1) history.add(1000, minute * 60_000);
  assert.equal(history.add(1000, 200_000), 0);
});

/** Exchanges packets each 100 ms with a peer whose clock differs; returns what the queue seems to be. */
function exchange(minutes: number, clockOfPeer: (nowMs: number) => number): number[] {
  const meter = new DelayMeter();
  const queues: number[] = [];
  for (let nowMs = 1000; nowMs < 1000 + minutes * 60_000; nowMs += 100) {
    // 20 ms each way, and nobody in the way.
    meter.handleRoundTrip(40, nowMs);
    meter.handleTimestamp(toMicroseconds(clockOfPeer(nowMs - 20)), nowMs);
    const difference = (toMicroseconds(clockOfPeer(nowMs - 20)) - toMicroseconds(nowMs - 40)) >>> 0;
    meter.handleDifference(difference, nowMs);
    queues.push(meter.queueUs);
  }
  return queues;
}

test("WIR-21: a clock that drifts makes no queue", () => {
  for (const drift of [0.9999, 1.0001]) {
    const queues = exchange(20, (nowMs) => 5_000_000 + nowMs * drift);
    assert.ok(Math.max(...queues) < 3000, `${Math.max(...queues)} us at ${drift}`);
  }
});

test("WIR-21: a clock that jumps makes no queue for long", () => {
  for (const jumpMs of [3_600_000, -3_600_000]) {
    const queues = exchange(1, (nowMs) => 5_000_000 + nowMs + (nowMs > 30_000 ? jumpMs : 0));
    assert.deepEqual(
      queues.slice(-100),
      Array.from({ length: 100 }, () => 0),
    );
  }
});
