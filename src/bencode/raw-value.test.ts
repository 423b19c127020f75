import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { decode } from "./decode.ts";
import { rawEntries, rawValue } from "./raw-value.ts";

const CASES: readonly (readonly [input: string, key: string, raw: string | undefined])[] = [
  ["i1e", "info", undefined],
  ["le", "info", undefined],
  ["de", "info", undefined],
  ["d4:infod4:infoi1eee", "x", undefined],
  ["d1:ad4:infoi1eee", "info", undefined],
  ["d1:a4:info4:infoi7ee", "info", "i7e"],
  ["d2:fo1:x4:infode2:zz0:e", "info", "de"],
  ["d4:infod1:ble1:cd1:d1:eee1:zi1ee", "info", "d1:ble1:cd1:d1:eee"],
  ["d1:b1:a1:al0:i-5eee", "a", "l0:i-5ee"],
  ["d0:5:abcde1:x0:e", "", "5:abcde"],
  ["d1:a12:d4:infoi1eee4:infoi2ee", "info", "i2e"],
];

test("the raw bytes of a top-level value, as they stand in the input", () => {
  for (const [input, key, raw] of CASES) {
    const bytes = fromLatin1(input);
    decode(bytes, { lax: true });
    const found = rawValue(bytes, key);
    assert.equal(found && toLatin1(found), raw, input);
  }
});

test("BEN-8: the raw bytes of an unsorted dictionary are not brought into order", () => {
  const bytes = fromLatin1("d4:infod1:bi1e1:ai2eee");
  decode(bytes, { lax: true });
  assert.equal(toLatin1(rawValue(bytes, "info")!), "d1:bi1e1:ai2ee");
});

test("all top-level values by key, the first of two, nothing from behind the end", () => {
  const found = rawEntries(fromLatin1("d2:zzl1:ae1:b0:2:zzi2e1:\xffdeeJUNK"));
  assert.deepEqual(
    [...found].map(([key, raw]) => [key, toLatin1(raw)]),
    [
      ["zz", "l1:ae"],
      ["b", "0:"],
      ["\xff", "de"],
    ],
  );
});
