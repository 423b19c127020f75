import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const COLUMNS = [
  "program",
  "version",
  "transport",
  "encryption",
  "discovery",
  "torrents",
  "who fetches",
  "test",
];
const CHOICES: Readonly<Record<number, RegExp>> = {
  2: /^(TCP|uTP)$/,
  3: /^(none|header|RC4|agreed)$/,
  4: /^(given|tracker|hub|DHT|PEX|LSD|web seed|holepunch)$/,
  6: /^(we|they|both)$/,
};
const TEST = /^`(test\/interop\/[\w-]+\.test\.ts)`$/;

const [head, , ...rows] = readFileSync("docs/INTEROP.md", "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test("docs/INTEROP.md has one table, and each row is a combination of its own", () => {
  assert.deepEqual(head, COLUMNS);
  assert.ok(rows.length > 15);
  const names = rows.map((row) => row.slice(0, 7).join(" | "));
  assert.deepEqual(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  );
  for (const row of rows) {
    assert.ok(!row.includes(""), row.join(" | "));
    for (const [at, choices] of Object.entries(CHOICES)) {
      assert.match(row[Number(at)]!, choices, row.join(" | "));
    }
  }
});

test("each row of docs/INTEROP.md names a test that exists and uses the program of the row", () => {
  for (const row of rows) {
    const file = TEST.exec(row[7]!)?.[1];
    assert.ok(file !== undefined && existsSync(file), row.join(" | "));
    const source = readFileSync(file, "utf8");
    const isUsed = source.includes("FOREIGN_PEERS") || source.toLowerCase().includes(wordOf(row));
    assert.ok(isUsed, `${file} does not use ${row[0]}`);
  }
});

function wordOf([program = ""]: readonly string[]): string {
  return program.toLowerCase();
}
