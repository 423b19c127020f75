import assert from "node:assert/strict";
import { test } from "node:test";
import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import { Turns } from "./turns.ts";

/** Each reading of the clock takes a millisecond; the test fires the timers. */
class CountingClock implements Clock {
  now = 0;
  readonly timers: (() => void)[] = [];
  nowMs = () => (this.now += 1);
  wallMs = () => this.now;
  startTimer(_delayMs: number, fire: () => void) {
    this.timers.push(fire);
    return { cancel: () => undefined };
  }
}

/** Work of some steps that counts them. */
function* steps(count: number, onStep: () => void): Work<number> {
  for (let step = 0; step < count; step += 1) {
    onStep();
    yield;
  }
  return count;
}

test("forty long tasks at once: other work gets a turn after a few steps, and all tasks end", async () => {
  const clock = new CountingClock();
  const turns = new Turns(clock);
  let inTurn = 0;
  let most = 0;
  const onStep = (): void => void (most = Math.max(most, (inTurn += 1)));
  const ends = Array.from({ length: 40 }, () => turns.run(steps(50, onStep)));
  let turnCount = 0;
  for (let fire = clock.timers.shift(); fire; fire = clock.timers.shift()) {
    inTurn = 0;
    turnCount += 1;
    fire();
  }
  assert.deepEqual(new Set(await Promise.all(ends)), new Set([50]));
  assert.ok(most <= 8, `${most} steps in one turn`);
  assert.ok(turnCount >= (40 * 50) / 8, `${turnCount} turns`);
  assert.equal(turns.waiting, 0);
});

test("a small task is done at once, in the caller's turn", async () => {
  const clock = new CountingClock();
  const turns = new Turns(clock);
  let done = 0;
  const end = turns.run(steps(2, () => (done += 1)));
  assert.equal(done, 2);
  assert.equal(await end, 2);
});

test("tasks take turns: a short one behind a long one ends first", async () => {
  const clock = new CountingClock();
  const turns = new Turns(clock);
  const ended: string[] = [];
  const long = turns.run(steps(500, () => undefined)).then(() => ended.push("long"));
  const short = turns.run(steps(3, () => undefined)).then(() => ended.push("short"));
  for (let fire = clock.timers.shift(); fire; fire = clock.timers.shift()) {
    fire();
    await Promise.resolve();
  }
  await Promise.all([long, short]);
  assert.deepEqual(ended, ["short", "long"]);
});

test("HUB-40: lines take turns: one line's task does not wait behind a hundred of another line", async () => {
  const clock = new CountingClock();
  const turns = new Turns(clock);
  const of = (line: string) => ({ line, charge: () => undefined });
  const ended: string[] = [];
  const many = Array.from({ length: 100 }, (_, index) =>
    turns
      .run(
        steps(30, () => undefined),
        of("greedy"),
      )
      .then(() => ended.push(`greedy ${index}`)),
  );
  const other = turns
    .run(
      steps(30, () => undefined),
      of("other"),
    )
    .then(() => ended.push("other"));
  for (let fire = clock.timers.shift(); fire; fire = clock.timers.shift()) {
    fire();
    await Promise.resolve();
  }
  await Promise.all([...many, other]);
  assert.equal(ended[0], "other");
  assert.equal(ended.length, 101);
  assert.equal(turns.waiting, 0);
});

test("work that fails rejects, is paid for, and others go on", async () => {
  const clock = new CountingClock();
  const turns = new Turns(clock);
  let paid = 0;
  // eslint-disable-next-line require-yield -- it fails before its first step ends
  function* failing(): Work<never> {
    throw new Error("no");
  }
  await assert.rejects(turns.run(failing(), { line: "", charge: (ms) => void (paid += ms) }), /no/);
  assert.ok(paid > 0);
  assert.equal(await turns.run(steps(1, () => undefined)), 1);
});
