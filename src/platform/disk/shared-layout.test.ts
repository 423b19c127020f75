import assert from "node:assert/strict";
import { test } from "node:test";
import { makeFixture } from "./disk-fixture.ts";
import { LayoutTable, shareLayout, shareLayoutInSteps } from "./shared-layout.ts";

const NAMES = ["plain", "жизнь", "日本語", "a", "emoji \u{1f331}"];

test("thousands of files in many scripts are laid out in steps, each under its own path", () => {
  const files = Array.from({ length: 3_000 }, (_, index) => ({
    path: `t/${NAMES[index % NAMES.length]}/${index}`,
    length: index % 7,
  }));
  const { layout } = makeFixture("/root", "v1", 16_384, files);
  const steps = shareLayoutInSteps(layout);
  let yields = 0;
  let step = steps.next();
  for (; !step.done; step = steps.next()) yields += 1;
  assert.equal(yields, 2, "other work gets a turn after each 1,024 files");
  assert.deepEqual(step.value.paths, shareLayout(layout).paths);
  const table = new LayoutTable(step.value);
  for (const [index, { path, length }] of files.entries()) {
    assert.equal(table.path(index), path);
    assert.equal(step.value.lengths[index], length);
  }
});
