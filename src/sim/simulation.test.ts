import assert from "node:assert/strict";
import { test } from "node:test";
import { Simulation } from "./simulation.ts";

test("time does not run backwards", () => {
  assert.throws(() => new Simulation().startTimer(-1, () => undefined), /invariant/);
});

test("an endless loop within one instant is stopped", () => {
  const simulation = new Simulation();
  const again = (): void => {
    simulation.startTimer(0, again);
  };
  again();
  assert.throws(() => simulation.runFor(1), /time goes on/);
});

test("events happen in order of time, and those of one instant in the order they were scheduled", () => {
  const simulation = new Simulation();
  const seen: string[] = [];
  for (const [name, delayMs] of [
    ["c", 5],
    ["a", 1],
    ["d", 5],
    ["b", 2],
    ["e", 5],
  ] as const) {
    simulation.startTimer(delayMs, () => seen.push(`${name}${simulation.nowMs()}`));
  }
  simulation.runFor(10);
  assert.deepEqual(seen, ["a1", "b2", "c5", "d5", "e5"]);
  assert.equal(simulation.nowMs(), 10);
});

test("a cancelled timer never fires, and cancelling again is harmless", () => {
  const simulation = new Simulation();
  const timer = simulation.startTimer(1, () => assert.fail("cancelled"));
  timer.cancel();
  simulation.runFor(5);
  timer.cancel();
});

test("runUntil stops at the awaited event, or at its limit", () => {
  const simulation = new Simulation();
  let count = 0;
  const tick = (): void => {
    count += 1;
    simulation.startTimer(10, tick);
  };
  tick();
  assert.ok(simulation.runUntil(() => count === 4, 1000));
  assert.equal(simulation.nowMs(), 30);
  assert.ok(!simulation.runUntil(() => count === 100, 100));
  assert.equal(simulation.nowMs(), 130);
  assert.equal(count, 14);
});
