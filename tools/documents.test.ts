import assert from "node:assert/strict";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { faultsOfDocument } from "./documents.ts";

test("a command that calls our Node by the name `node` is refused, with its line", () => {
  for (const line of [
    "run `node tools/test.ts interop`",
    "    node --watch web/render.tsx",
    "`node_modules/.bin/oxlint .`",
  ]) {
    assert.match(faultsOfDocument("a.md", `fine\n${line}\n`).join(), /^a\.md:2: /);
  }
});

test("commands that find our Node pass, and so does prose", () => {
  const text = "npm test -- FILTER\ntools/run node bench/picker.ts\nthe node of a tree.ts\n";
  assert.deepEqual(faultsOfDocument("a.md", text), []);
});

test("each test that docs/SECURITY.md names exists", () => {
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

test("docs/BEPS.md has one table, each row once, and the files it names exist", () => {
  const rows = readFileSync("docs/BEPS.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const names = rows.map(([, bep, what]) => `${bep}: ${what}`);
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
  const paths = rows.flatMap((row) =>
    [...row.join(" ").matchAll(/`((?:src|test)\/[\w./*-]+)`/g)].map(([, path]) => path!),
  );
  assert.ok(paths.length > 40);
  assert.deepEqual(
    paths.filter((path) => globSync(path).length + globSync(`${path}*`).length === 0),
    [],
  );
});

test("each decision in docs/adr has a unique number, and its title states it", () => {
  const files = readdirSync("docs/adr").toSorted();
  const numbers = files.map((file) => Number(file.slice(0, 4)));
  assert.deepEqual(
    numbers,
    files.map((_, at) => at + 1),
  );
  for (const [at, file] of files.entries())
    assert.match(readFileSync(`docs/adr/${file}`, "utf8"), new RegExp(`^# (ADR )?0*${at + 1}[.:]`));
});
