import assert from "node:assert/strict";
import { test } from "node:test";
import { faultsOf, readLists } from "./lists.ts";

const MUTANT = {
  name: "n",
  file: "tools/mutants/mutant.ts",
  from: "parts.length !== 2",
  to: "parts.length !== 1",
  tests: ["tools/mutants/mutant.test"],
};

test("every mutant of the lists fits the code: its text occurs once, and its tests exist", async () => {
  const mutants = await readLists();
  assert.ok(mutants.length > 100, `${mutants.length} mutants`);
  assert.deepEqual(faultsOf(mutants), []);
});

test("a mutant that no longer fits is reported, with its name", () => {
  assert.deepEqual(faultsOf([MUTANT]), []);
  const faults = faultsOf([
    MUTANT,
    MUTANT,
    { ...MUTANT, name: "file", file: "tools/mutants/gone.ts" },
    { ...MUTANT, name: "text", from: "parts.length !== 3" },
    { ...MUTANT, name: "test", tests: ["tools/mutants/mutant.test", "tools/mutants/gone.test"] },
    { ...MUTANT, name: "no test", tests: [] },
  ]);
  assert.deepEqual(faults, [
    "n: another mutant has this name",
    "file: there is no tools/mutants/gone.ts",
    "text: its text stands 0 times in tools/mutants/mutant.ts, not once",
    "test: no test file matches tools/mutants/gone.test",
    "no test: it names no test",
  ]);
});
