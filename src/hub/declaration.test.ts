import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../base/work.ts";
import { planDraft } from "../publish/draft-plan.ts";
import { readDeclaration } from "./declaration.ts";
import { RefusedError } from "./problems.ts";

const FILES = 20_000;
const text = JSON.stringify({
  name: "many",
  folder: true,
  pieceSize: 16_384,
  files: Array.from({ length: FILES }, (_, index) => ({
    path: `folder ${index % 40}/a file of some name ${index}`,
    size: 1_000,
  })),
});

test("HUB-27: a declaration is read in steps of some hundred files, and so is the plan of it", (t) => {
  const parse = t.mock.method(JSON, "parse");
  const reading = readDeclaration(text);
  let steps = 0;
  let before = 0;
  for (;;) {
    const step = reading.next();
    const read = parse.mock.calls
      .slice(before)
      .reduce((sum, { arguments: [piece] }) => sum + String(piece).length, 0);
    before = parse.mock.callCount();
    assert.ok(read < 140_000, `${read} characters in one step`);
    steps += 1;
    if (!step.done) continue;
    assert.equal(step.value.files.length, FILES);
    const plan = planDraft(step.value);
    let planSteps = 0;
    while (plan.next().done !== true) planSteps += 1;
    assert.ok(planSteps >= FILES / 128, `${planSteps} steps of the plan`);
    break;
  }
  assert.ok(steps >= text.length / 70_000 + FILES / 256, `${steps} steps`);
});

test("a long declaration that is no JSON, or has a wrong file, is refused", () => {
  for (const wrong of [text.slice(0, -2), text.replace(`"size":1000}]`, `"size":"x"}]`), "7"]) {
    assert.throws(() => finish(readDeclaration(wrong)), RefusedError);
  }
});
