import assert from "node:assert/strict";
import { test } from "node:test";
import { mutate, sample } from "./mutant.ts";

const MUTANT = { name: "n", file: "src/a.ts", from: "a > 0", to: "a >= 0", tests: ["src/a"] };

test("a mutant changes its one place", () => {
  assert.equal(mutate(MUTANT, "if (a > 0) b();"), "if (a >= 0) b();");
});

test("a mutant whose text is missing or occurs twice is refused, by name", () => {
  assert.throws(() => mutate(MUTANT, "if (a !== 0) b();"), /n: its text stands 0 times in src\/a/);
  assert.throws(() => mutate(MUTANT, "a > 0 || a > 0"), /2 times/);
});

test("a sample takes from every part of the list", () => {
  assert.deepEqual(sample([1, 2, 3, 4, 5, 6, 7, 8, 9], 3), [1, 4, 7]);
  assert.deepEqual(sample([1, 2], 3), [1, 2]);
});
