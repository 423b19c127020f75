import assert from "node:assert/strict";
import test from "node:test";
import { seededRandom } from "../sim/seeded-random.ts";
import { Simulation } from "../sim/simulation.ts";
import { Deadlines, type Timed } from "./deadlines.ts";

class Alarm implements Timed {
  waitingFor = -1;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly rang: number[] = [];
  readonly #clock: Simulation;

  constructor(clock: Simulation) {
    this.#clock = clock;
  }

  handleDeadline(): void {
    this.rang.push(this.#clock.nowMs());
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }
}

test("every deadline is met, never early and at most two ticks late, however they change", () => {
  const simulation = new Simulation();
  const random = seededRandom(1);
  const deadlines = new Deadlines(simulation);
  const alarms = Array.from({ length: 50 }, () => new Alarm(simulation));
  for (let round = 0; round < 40; round += 1) {
    for (const alarm of alarms) {
      alarm.deadlineMs = simulation.nowMs() + 1 + random.below(9000);
      deadlines.update(alarm);
      // Changed again, to earlier or later.
      alarm.deadlineMs = simulation.nowMs() + 1 + random.below(9000);
      deadlines.update(alarm);
    }
    const due = alarms.map(({ deadlineMs }) => deadlineMs);
    simulation.runFor(10_000);
    for (const [index, alarm] of alarms.entries()) {
      const late = alarm.rang.at(-1)! - due[index]!;
      assert.equal(alarm.rang.length, round + 1);
      assert.ok(late >= 0 && late <= 10, `${late} ms late`);
    }
  }
});

test("a removed deadline does not ring, and no timer stays behind", () => {
  const simulation = new Simulation();
  const deadlines = new Deadlines(simulation);
  const alarm = new Alarm(simulation);
  alarm.deadlineMs = 100;
  deadlines.update(alarm);
  deadlines.remove(alarm);
  simulation.runFor(1000);
  assert.deepEqual(alarm.rang, []);
});
