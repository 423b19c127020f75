import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadClock } from "./read-clock.ts";

/** Asks at every tick. @returns When the peer is found to be stalled; `undefined` when it is not before the end. */
function stalledAtMs(
  flowAt: (now: number) => { sent: number; acked: number | undefined },
  endMs = 600_000,
): number | undefined {
  const clock = new ReadClock(0);
  for (let now = 0; now <= endMs; now += 500) {
    const { sent, acked } = flowAt(now);
    const flow = {
      writtenTotal: 1_000_000,
      sentTotal: sent,
      unackedBytes: () => (acked === undefined ? undefined : 1_000_000 - acked),
    };
    if (clock.isStalled(flow, now)) return now;
  }
  return undefined;
}

test("a peer that acknowledges a little every 45 seconds reads", () => {
  const acked = (now: number): number => 100_000 + Math.floor(now / 45_000) * 128;
  assert.equal(
    stalledAtMs((now) => ({ sent: 400_000, acked: acked(now) })),
    undefined,
  );
});

test("a peer that acknowledges nothing is found after fifty seconds", () => {
  assert.equal(
    stalledAtMs(() => ({ sent: 400_000, acked: 100_000 })),
    50_500,
  );
  assert.equal(
    stalledAtMs(() => ({ sent: 400_000, acked: 0 })),
    50_500,
    "nor ever acknowledged anything",
  );
});

test("a peer that stops is found fifty seconds after the check that saw its last acknowledgement", () => {
  const acked = (now: number): number => 100_000 + Math.floor(Math.min(now, 100_000) / 5_000);
  const foundMs = stalledAtMs((now) => ({ sent: 400_000, acked: acked(now) }));
  assert.ok(foundMs !== undefined && foundMs > 150_000 && foundMs < 161_000, `${foundMs}`);
});

test("as long as the system accepts bytes, and while nothing waits, acknowledgements are not read", () => {
  const clock = new ReadClock(0);
  const unackedBytes = (): number => assert.fail("asked");
  for (let now = 0; now < 300_000; now += 500) {
    const sentTotal = Math.floor(now / 9_000);
    assert.equal(clock.isStalled({ writtenTotal: 1e6, sentTotal, unackedBytes }, now), false);
  }
  for (let now = 300_000; now < 600_000; now += 500) {
    assert.equal(clock.isStalled({ writtenTotal: 9, sentTotal: 9, unackedBytes }, now), false);
  }
});

test("where acknowledgements are unknown, a peer is found after three minutes in which nothing was accepted", () => {
  const sent = (now: number): number => Math.floor(Math.min(now, 400_000) / 170_000);
  const foundMs = stalledAtMs((now) => ({ sent: sent(now), acked: undefined }));
  assert.equal(foundMs, 340_000 + 180_500);
});
