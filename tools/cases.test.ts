import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { idsIn, idsOfList } from "./cases.ts";

const listed = idsOfList(readFileSync("docs/CASES.md", "utf8"));

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
  const used = idsOf([
    "src/**/*.ts",
    "test/**/*.ts",
    "web/src/**/*.{ts,tsx}",
    "docs/*.md",
    "src/*/README.md",
    "README.md",
  ]);
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

test("ids are told apart from words of the same form", () => {
  assert.deepEqual(
    [...idsIn("WIR-28, PUB-3.10: SHA-256, UTF-8, CRC-32, WIR-28")],
    ["WIR-28", "PUB-3.10"],
  );
});
