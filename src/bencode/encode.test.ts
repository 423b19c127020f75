import assert from "node:assert/strict";
import { test } from "node:test";
import { toLatin1 } from "../base/bytes.ts";
import { InvariantError } from "../base/errors.ts";
import { dictOf, encode, type Encodable } from "./encode.ts";

test("values that cannot be encoded throw", () => {
  for (const value of [1.5, Number.NaN, Infinity, 2 ** 53, new Map([["\u0100", 1]])]) {
    assert.throws(() => encode(value), InvariantError);
  }
});

const CASES: readonly (readonly [Encodable, string])[] = [
  ["spam", "4:spam"],
  ["hello world!", "12:hello world!"],
  ["", "0:"],
  ["ü€😀", "9:\u00c3\u00bc\u00e2\u0082\u00ac\u00f0\u009f\u0098\u0080"],
  [new Uint8Array([0, 255]), "2:\u0000\u00ff"],
  [3, "i3e"],
  [-3, "i-3e"],
  [0, "i0e"],
  [-0, "i0e"],
  [9, "i9e"],
  [10, "i10e"],
  [12345, "i12345e"],
  [Number.MAX_SAFE_INTEGER, "i9007199254740991e"],
  [Number.MIN_SAFE_INTEGER, "i-9007199254740991e"],
  [2n ** 63n, "i9223372036854775808e"],
  [-(2n ** 63n), "i-9223372036854775808e"],
  [["apple", "orange", "pear", "grape"], "l5:apple6:orange4:pear5:grapee"],
  [["spam", "eggs"], "l4:spam4:eggse"],
  [["hello", "world"], "l5:hello5:worlde"],
  [[], "le"],
  [new Map(), "de"],
  [dictOf({ hello: "world" }), "d5:hello5:worlde"],
  [dictOf({ spam: "eggs", cow: "moo" }), "d3:cow3:moo4:spam4:eggse"],
  [dictOf({ spam: ["a", "b"] }), "d4:spaml1:a1:bee"],
  [dictOf({ a: 1, b: undefined }), "d1:ai1ee"],
  [
    dictOf({ myname: ["andrew", "wang"], dozen: 12, apple: "red", banana: "yellow" }),
    "d5:apple3:red6:banana6:yellow5:dozeni12e6:mynamel6:andrew4:wangee",
  ],
  [
    new Map([
      ["\u00ff", 1],
      ["b", 2],
      ["aa", 3],
      ["", 4],
    ]),
    "d0:i4e2:aai3e1:bi2e1:\u00ffi1ee",
  ],
];

test("BEP 3: values and their one encoding", () => {
  for (const [value, expected] of CASES) assert.equal(toLatin1(encode(value)), expected);
});

test("a long string next to short ones", () => {
  const encoded = encode([new Uint8Array(100_000), "x".repeat(99_999), 1]);
  assert.equal(encoded.length, 1 + 7 + 100_000 + 6 + 99_999 + 3 + 1);
});
