import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { houseRulesIn, houseRulesOfList, idsIn, idsOfList } from "./cases.ts";

const listed = idsOfList(readFileSync("docs/CASES.md", "utf8"));

/** Where ids and house rules are named. */
const USED = [
  "src/**/*.ts",
  "test/**/*.ts",
  "web/!(dist|node_modules)/**/*.{ts,tsx,css}",
  "web/*.{ts,tsx,md}",
  "docs/*.md",
  "src/*/README.md",
  "README.md",
];

/** Ids, and the files that name them. */
function idsOf(patterns: readonly string[]): ReadonlyMap<string, string> {
  const files = globSync([...patterns]).filter((file) => !file.startsWith("docs/CASES.md"));
  assert.ok(files.length > 50, `${files.length} files`);
  return new Map(
    files.flatMap((file) => [...idsIn(readFileSync(file, "utf8"))].map((id) => [id, file])),
  );
}

test("every case has one line in docs/CASES.md", () => {
  assert.ok(listed.length > 100, `${listed.length} lines`);
  const repeated = listed.filter((id, index) => listed.indexOf(id) !== index);
  assert.deepEqual(repeated, []);
  const used = idsOf(USED);
  const unknown = [...used].filter(([id]) => !listed.includes(id));
  assert.deepEqual(unknown, [], "ids without a line");
});

test("every case of docs/CASES.md is named by a test", () => {
  const proven = idsOf([
    "src/**/*.test.ts",
    "test/**/*.ts",
    "web/**/*.test.{ts,tsx}",
    "tools/*.test.ts",
  ]);
  assert.deepEqual(
    listed.filter((id) => !proven.has(id)),
    [],
    "lines without a test",
  );
});

test("every house rule that source, tests, pages or documents name has one line in docs/CASES.md", () => {
  const rules = houseRulesOfList(readFileSync("docs/CASES.md", "utf8"));
  assert.deepEqual(
    rules,
    Array.from({ length: 13 }, (_, index) => index + 1),
  );
  const files = globSync(USED);
  const unknown = files.flatMap((file) =>
    Array.from(houseRulesIn(readFileSync(file, "utf8")))
      .filter((rule) => !rules.includes(rule))
      .map((rule) => `${file}: house rule ${rule}`),
  );
  assert.deepEqual(unknown, []);
});

test("ids are told apart from words of the same form", () => {
  assert.deepEqual(
    [...idsIn("WIR-28, PUB-3.10: SHA-256, UTF-8, CRC-32, WIR-28")],
    ["WIR-28", "PUB-3.10"],
  );
});
