import assert from "node:assert/strict";
import { test } from "node:test";
import { unfinishedPath, unfinishedSuffix } from "./unfinished-names.ts";

const SUFFIXES: readonly (readonly [paths: string[], suffix: string])[] = [
  [["t/a", "t/b"], ".part"],
  [["t/a.part1.rar", "t/a.party"], ".part"],
  // An unfinished `a` would take the name of the finished `a.part`.
  [["t/a", "t/a.part"], ".part2"],
  [["t/a.PART/b"], ".part2"],
  [["a.part", "a.part2", "a.part3/x"], ".part4"],
];

for (const [paths, suffix] of SUFFIXES) {
  test(`unfinished files of ${paths.join(", ")} end in ${suffix}`, () => {
    assert.equal(unfinishedSuffix(paths), suffix);
  });
}

test("a name without room for a suffix has none", () => {
  assert.equal(unfinishedPath("t/a", ".part"), "t/a.part");
  assert.equal(unfinishedPath(`t/${"n".repeat(250)}`, ".part"), `t/${"n".repeat(250)}.part`);
  assert.equal(unfinishedPath(`t/${"n".repeat(251)}`, ".part"), undefined);
  assert.equal(unfinishedPath(`t/${"\u6f22".repeat(84)}`, ".part"), undefined);
  assert.equal(unfinishedPath(`${"d".repeat(255)}/a`, ".part"), `${"d".repeat(255)}/a.part`);
});
