import assert from "node:assert/strict";
import { test } from "node:test";
import { naturalKey } from "./natural-order.ts";

function sorted(paths: readonly string[]): string[] {
  return [...paths]
    .toReversed()
    .sort((a, b) => (naturalKey(a) < naturalKey(b) ? -1 : naturalKey(a) > naturalKey(b) ? 1 : 0));
}

const orders: readonly (readonly [what: string, paths: readonly string[]])[] = [
  ["numbers by their value", ["1.txt", "2.txt", "9.txt", "10.txt", "11.txt", "100.txt"]],
  ["numbers in the middle", ["talk 2 part 9", "talk 2 part 10", "talk 10 part 1"]],
  ["leading zeros do not count", ["page 001", "page 2", "page 010", "page 11"]],
  ["capitals among small letters", ["Apple", "banana", "Cherry"]],
  ["accents beside their letter", ["éclair", "egg", "zebra"]],
  ["a short name before its longer one", ["a", "a 1", "ab"]],
  [
    "files before folders, at each level",
    ["z.txt", "a/z.txt", "a/b/1.txt", "a/c/1.txt", "b/1.txt"],
  ],
  ["folders by their numbers", ["day 2/9.pdf", "day 2/10.pdf", "day 10/1.pdf"]],
  ["a folder is listed whole before the next", ["a/1", "a b/1", "a-b/1"]],
  ["zero and nothing but zeros", ["0", "1", "2"]],
];
for (const [what, paths] of orders) {
  test(`the natural order: ${what}`, () => {
    assert.deepEqual(sorted(paths), paths);
  });
}

test("the order is total and stable, whatever a name contains", () => {
  const odd = ["\u0000", "\ud800", "😀", "9".repeat(500), "0".repeat(500), "", "/", "//"];
  const once = sorted(odd);
  assert.deepEqual(sorted(once), sorted(sorted(once.toReversed())));
  assert.equal(naturalKey("000"), naturalKey("0"));
});
