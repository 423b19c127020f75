import assert from "node:assert/strict";
import { test } from "node:test";
import { HandClock } from "../../test/tracker/tracker-world.ts";
import { Housekeeping } from "./housekeeping.ts";

function world(swarmsEnd: () => number) {
  const clock = new HandClock();
  const done: string[] = [];
  const house = new Housekeeping({
    clock,
    swarmsEnd,
    sweep: (from, end) => void done.push(`${from}-${end}`),
    save: async () => done.push("save"),
  });
  house.start();
  return { clock, done, house };
}

test("HUB-27: many swarms are swept a part at a time, then the totals are saved, and it begins anew", () => {
  const { clock, done } = world(() => 2_500);
  const steps = ["0-1000", "1000-2000", "2000-2500,save"];
  for (const step of [...steps, ...steps]) {
    clock.pass(0);
    assert.equal(done.splice(0).join(), step);
  }
});

test("swarms that come and go during a round break nothing, and no swarm at all neither", () => {
  let end = 2_500;
  const { clock, done } = world(() => end);
  clock.pass(0);
  end = 500;
  clock.pass(0);
  end = 0;
  clock.pass(0);
  assert.deepEqual(done, ["0-1000", "1000-500", "save", "0-0", "save"]);
});

test("a round that is stopped in the middle saves and does not go on", async () => {
  const { clock, done, house } = world(() => 5_000);
  clock.pass(0);
  await house.stop();
  for (let round = 0; round < 5; round += 1) clock.pass(60);
  assert.deepEqual(done, ["0-1000", "save"]);
});
