import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { decode } from "./decode.ts";
import { Oddities } from "./oddities.ts";

/** The bytes of one top-level value. */
function spanOf(input: string, key: string): string | undefined {
  const spans = new Map<string, Uint8Array>();
  decode(fromLatin1(input), { lax: true, spans });
  const span = spans.get(key);
  return span && toLatin1(span);
}

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

test("returns the raw bytes of a top-level value exactly as in the input", () => {
  for (const [input, key, raw] of CASES) {
    assert.equal(spanOf(input, key), raw, input);
  }
});

test("BEN-8: the raw bytes of an unsorted dictionary are not sorted", () => {
  assert.equal(spanOf("d4:infod1:bi1e1:ai2eee", "info"), "d1:bi1e1:ai2ee");
});

test("returns all top-level values raw and unbuilt, the first of two, and nothing from after the end", () => {
  const input = fromLatin1("d2:zzl1:ae1:b0:2:zzi2e1:\xffdeeJUNK");
  const spans = new Map<string, Uint8Array>();
  const known = input.subarray(5, 10);
  for (const options of [{}, { known }, { known: fromLatin1("l1:ae") }]) {
    decode(input, { oddities: new Oddities(), raw: { has: () => true }, spans, ...options });
    assert.deepEqual(
      [...spans].map(([key, raw]) => [key, toLatin1(raw)]),
      [
        ["zz", "l1:ae"],
        ["b", "0:"],
        ["\xff", "de"],
      ],
    );
    spans.clear();
  }
});

test("a known value is not parsed again", () => {
  const input = fromLatin1("d4:infod???e1:zi1ee");
  const known = input.subarray(7, 12);
  const spans = new Map<string, Uint8Array>();
  decode(input, { raw: { has: () => true }, spans, known });
  assert.equal(toLatin1(spans.get("info")!), "d???e");
  assert.equal(toLatin1(spans.get("z")!), "i1e");
  assert.throws(() => decode(input, { raw: { has: () => true }, spans }), { code: "bad-key" });
});
