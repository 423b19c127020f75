import assert from "node:assert/strict";
import { test } from "node:test";
import { fileRows } from "./file-rows.ts";

const file = (index: number, path: string, priority: "normal" | "skip" | "high" = "normal") => ({
  index,
  path,
  length: 10,
  done: index,
  priority,
});

const files = [
  file(0, "talks/10.webm"),
  file(1, "talks/9.webm", "high"),
  file(2, "talks/slides/a.pdf"),
  file(3, "talks/slides/b.pdf"),
];

test("folders come first with their sums, files in natural order", () => {
  const rows = fileRows(files, new Set());
  assert.deepEqual(
    rows.map(({ name, depth, length, done, priority }) => [name, depth, length, done, priority]),
    [
      ["talks", 0, 40, 6, null],
      ["slides", 1, 20, 5, "normal"],
      ["a.pdf", 2, 10, 2, "normal"],
      ["b.pdf", 2, 10, 3, "normal"],
      ["9.webm", 1, 10, 1, "high"],
      ["10.webm", 1, 10, 0, "normal"],
    ],
  );
  assert.deepEqual(rows[1]!.indexes, [2, 3]);
});

test("a closed folder shows its sums only", () => {
  const rows = fileRows(files, new Set(["talks/slides"]));
  assert.deepEqual(
    rows.map(({ path }) => path),
    ["talks", "talks/slides", "talks/9.webm", "talks/10.webm"],
  );
});
