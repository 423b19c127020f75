import assert from "node:assert/strict";
import { test } from "node:test";
import { LongList, LongRecord } from "../base/long-list.ts";
import { longJson } from "./long-json.ts";
import { safeJson } from "./outside-text.ts";

function list<Item>(items: readonly Item[]): LongList<Item> {
  return new LongList(items.length, () => items.values());
}

test("the parts join to the same line of JSON", () => {
  const names = Array.from({ length: 1000 }, (_, index) => `\u001b file ${index}`);
  for (const value of [
    {},
    { a: 1, b: [1, { c: "\u202e" }], d: null, e: undefined, f: "\u0000" },
    { files: list([]), none: new LongRecord<never>(() => [].values()) },
    { files: list(names), after: true },
    { files: list(names.map((name) => ({ name, other: {} }))), "\u001b": list([1]) },
    { layers: new LongRecord(() => Object.entries({ a: list(names), b: list([]) }).values()) },
  ]) {
    const parts = [...longJson(value)];
    assert.equal(parts.join(""), safeJson(value));
    assert.deepEqual(JSON.parse(parts.join("")), JSON.parse(JSON.stringify(value)));
  }
});

test("parts are small, whatever the object", () => {
  let made = 0;
  const many = new LongList(300_000, function* () {
    for (; made < 300_000; made += 1) yield "0123456789abcdef0123456789abcdef01234567";
  });
  const parts = longJson({ many });
  assert.ok(parts.next().value!.length < 100_000);
  assert.ok(made < 5000, "only the requested parts are made");
  let characters = 0;
  for (const part of parts) {
    assert.ok(part.length < 100_000);
    characters += part.length;
  }
  assert.ok(characters > 300_000 * 42);
});
