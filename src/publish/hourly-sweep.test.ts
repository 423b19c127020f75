import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import type { Clock } from "../ports/clock.ts";
import { HourlySweep } from "./hourly-sweep.ts";

/** A clock that the test fires. */
class HandClock implements Clock {
  readonly timers = new Set<() => void>();

  nowMs(): number {
    return 0;
  }

  wallMs(): number {
    return 0;
  }

  startTimer(delayMs: number, fire: () => void): { cancel: () => void } {
    assert.equal(delayMs, 3_600_000);
    this.timers.add(fire);
    return { cancel: () => this.timers.delete(fire) };
  }

  fire(): void {
    const [next] = this.timers;
    assert.ok(next, "a timer runs");
    this.timers.delete(next);
    next();
  }
}

test("the next sweep is planned when the one before it has ended", async () => {
  const clock = new HandClock();
  let sweeps = 0;
  const sweep = new HourlySweep(clock, async () => {
    sweeps += 1;
  });
  sweep.start();
  clock.fire();
  assert.equal(clock.timers.size, 0);
  await turn();
  clock.fire();
  assert.equal(sweeps, 2);
  await sweep.stop();
  assert.equal(clock.timers.size, 0);
});

test("stopped while it sweeps: it waits for the end, and no timer is left", async () => {
  const clock = new HandClock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const sweep = new HourlySweep(clock, () => promise);
  sweep.start();
  clock.fire();
  let stopped = false;
  const stopping = sweep.stop().then(() => (stopped = true));
  await turn();
  assert.equal(stopped, false);
  resolve();
  await stopping;
  await turn();
  assert.equal(clock.timers.size, 0);
});

test("stopped before it was started: it never runs", async () => {
  const clock = new HandClock();
  const sweep = new HourlySweep(clock, () => assert.fail("it never runs"));
  await sweep.stop();
  sweep.start();
  assert.equal(clock.timers.size, 0);
});
