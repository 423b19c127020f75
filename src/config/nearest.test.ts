import assert from "node:assert/strict";
import { test } from "node:test";
import { nearest } from "./nearest.ts";

const words = ["publish", "create", "get", "seed", "show", "check", "hub", "version"];

for (const [typed, meant] of [
  ["pubish", "publish"],
  ["creat", "create"],
  ["chekc", "check"],
  ["SHOW", "show"],
  ["gte", "get"],
  ["blockchain", undefined],
  ["", undefined],
] as const) {
  test(`${typed || "nothing"} means ${meant ?? "nothing we know"}`, () => {
    assert.equal(nearest(typed, words), meant);
  });
}
