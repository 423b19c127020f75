import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeHealth } from "./health.ts";

const swarm = {
  seeds: 1,
  leechers: 0,
  completed: 0,
  uploadBytesPerSecond: 0,
  uploaded: 0,
  fault: null,
};
const fault = "1 of 2 files are lost.";

const cases: [more: Partial<Parameters<typeof judgeHealth>[0]>, word: string, end: RegExp][] = [
  [{ seeds: 0 }, "No seeds", /not even this hub/],
  [{}, "Only here", /always there\.$/],
  [{ seeds: 4 }, "Healthy", /3 others have all of it\.$/],
  [{ fault }, "Damaged here", /^1 of 2 files are lost\. Nobody else has all of it/],
  [{ fault, seeds: 2 }, "Damaged here", /1 other has all of it\.$/],
  [{ fault, seeds: 3 }, "Damaged here", /2 others have all of it\.$/],
];
for (const [more, word, end] of cases) {
  test(`HUB-19: ${JSON.stringify(more)} is called ${word}`, () => {
    const health = judgeHealth({ ...swarm, ...more });
    assert.equal(health.word, word);
    assert.match(health.sentence, end);
  });
}
