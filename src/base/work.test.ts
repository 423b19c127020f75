import assert from "node:assert/strict";
import { test } from "node:test";
import { finish, sortInSteps, type Work } from "./work.ts";

function stepsOf<Result>(work: Work<Result>): { steps: number; result: Result } {
  for (let steps = 1; ; steps += 1) {
    const step = work.next();
    if (step.done) return { steps, result: step.value };
  }
}

test("sorting in steps gives what sorting at once gives, equal items in their order", () => {
  for (const count of [0, 1, 2, 1_023, 1_024, 1_025, 5_000]) {
    const items = Array.from({ length: count }, (_, at) => ({ key: (at * 7_919) % 97, at }));
    const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
    assert.deepEqual(finish(sortInSteps(items, compare)), items.toSorted(compare));
  }
});

test("no step of sorting makes more than a few thousand comparisons", () => {
  const items = Array.from({ length: 50_000 }, (_, at) => (at * 7_919) % 50_021);
  let compared = 0;
  let most = 0;
  const work = sortInSteps(items, (a, b) => {
    compared += 1;
    return a - b;
  });
  for (let done = false; !done;) {
    compared = 0;
    done = work.next().done === true;
    most = Math.max(most, compared);
  }
  assert.ok(most < 15_000, `${most} comparisons in one step`);
  assert.ok(stepsOf(sortInSteps(items, (a, b) => a - b)).steps > 200);
});
