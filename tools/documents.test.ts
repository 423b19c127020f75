import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { faultsOfDocument } from "./documents.ts";

test("a command that needs our Node by the name of `node` is refused, with its line", () => {
  for (const line of [
    "run `node tools/test.ts interop`",
    "    node --watch web/render.tsx",
    "`node_modules/.bin/oxlint .`",
  ]) {
    assert.match(faultsOfDocument("a.md", `fine\n${line}\n`).join(), /^a\.md:2: /);
  }
});

test("commands that find our Node pass, and so do words", () => {
  const text = "npm test -- FILTER\ntools/run node bench/picker.ts\nthe node of a tree.ts\n";
  assert.deepEqual(faultsOfDocument("a.md", text), []);
});

test("each test that docs/SECURITY.md names is there", () => {
  const names = [
    ...readFileSync("docs/SECURITY.md", "utf8").matchAll(
      /`((?:src|test|tools|web)(?:\/[\w/-]+)?)`/g,
    ),
  ];
  assert.ok(names.length > 20);
  const files = globSync([
    "src/**/*.test.ts",
    "test/**/*.test.ts",
    "tools/*.test.ts",
    "web/**/*.test.ts*",
  ]);
  for (const [, name = ""] of names) {
    assert.ok(
      files.some((file) => file.startsWith(name)),
      `no test file begins with ${name}`,
    );
  }
});
