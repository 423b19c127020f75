import assert from "node:assert/strict";
import { test } from "node:test";
import { finish } from "../base/work.ts";
import { encode, type Encodable } from "./encode.ts";
import { encodeInSteps } from "./encode-in-steps.ts";

const byIndex = (count: number, value: (index: number) => Encodable): Map<string, Encodable> =>
  new Map(Array.from({ length: count }, (_, index) => [`${(index * 7919) % count}`, value(index)]));

const values: readonly (readonly [what: string, value: Encodable])[] = [
  ["nothing in it", new Map()],
  ["a number", -42],
  ["text and bytes", ["ä", new Uint8Array([0, 255]), 2n ** 70n]],
  [
    "keys out of order",
    new Map<string, Encodable>([
      ["b", 1],
      ["a", [2]],
      ["\u00ff", "c"],
    ]),
  ],
  ["a long list", Array.from({ length: 5_000 }, (_, index) => [index, `${index}`])],
  ["a dictionary of 5,000 keys", byIndex(5_000, (index) => byIndex(1, () => index))],
  ["nested containers", byIndex(60, () => byIndex(60, () => [[[new Map()]]]))],
];
for (const [what, value] of values) {
  test(`encoding in steps gives the same bytes: ${what}`, () => {
    assert.deepEqual(finish(encodeInSteps(value)), encode(value));
  });
}

test("HUB-27: 100,000 entries, and 100,000 keys of one dictionary, are cut into steps of a thousand", () => {
  for (const value of [
    Array.from({ length: 100_000 }, (_, index) => [index]),
    byIndex(100_000, (index) => index),
  ]) {
    let steps = 0;
    const work = encodeInSteps(value);
    while (work.next().done !== true) steps += 1;
    // Each value is measured once and written once.
    assert.ok(steps > 190, `${steps} steps`);
  }
});
