import assert from "node:assert/strict";
import { test } from "node:test";
import { NodeClock } from "./node-clock.ts";

test("a timer never fires before its delay has passed on the same clock", async () => {
  const clock = new NodeClock();
  for (let round = 0; round < 10; round += 1) {
    const startMs = clock.nowMs();
    await new Promise<void>((resolve) => clock.startTimer(3.5, resolve));
    assert.ok(clock.nowMs() - startMs >= 3.5);
  }
});

test("a delay past 31 bits does not fire at once (TRK-19), and cancel works on it", async () => {
  const clock = new NodeClock();
  let fired = 0;
  const timer = clock.startTimer(2 ** 40, () => (fired += 1));
  await new Promise<void>((resolve) => clock.startTimer(5, resolve));
  timer.cancel();
  assert.equal(fired, 0);
});

test("a cancelled timer does not fire; cancelling again is harmless", async () => {
  const clock = new NodeClock();
  let fired = 0;
  const timer = clock.startTimer(0, () => (fired += 1));
  timer.cancel();
  timer.cancel();
  await new Promise<void>((resolve) => clock.startTimer(5, resolve));
  assert.equal(fired, 0);
});

test("the wall clock counts from 1970, the other does not", () => {
  const clock = new NodeClock();
  assert.ok(clock.wallMs() > Date.UTC(2024, 0));
  assert.ok(clock.nowMs() < clock.wallMs());
});
