import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1 } from "../base/bytes.ts";
import { BencodeReader } from "./bencode-reader.ts";
import { isDict } from "./bencode-value.ts";
import { decode } from "./decode.ts";
import { equalValues, Oddities, REPEATS_MAX } from "./oddities.ts";

function read(text: string, options: { raw?: ReadonlySet<string> } = {}) {
  const oddities = new Oddities();
  return { value: decode(fromLatin1(text), { ...options, oddities }), oddities };
}

test("BEN-7: the first value of a repeated key counts, and a differing repetition is recorded", () => {
  const { value, oddities } = read("d1:ai1e1:bd1:xle1:xlee1:ai2e1:ai1e1:0i5ee");
  assert.ok(isDict(value));
  assert.deepEqual([...value.keys()], ["a", "b", "0"]);
  assert.equal(value.get("a"), 1);
  const inner = value.get("b");
  assert.deepEqual(oddities.repeats, [
    { dict: inner, key: "x", differs: false },
    { dict: value, key: "a", differs: true },
    { dict: value, key: "a", differs: false },
  ]);
  const raw = read("d1:ali1ee1:ali2eee", { raw: new Set(["a"]) });
  assert.equal(raw.oddities.repeats[0]!.differs, true);
});

test("BEN-7: repeated keys are all counted, but only some are kept", () => {
  const { oddities } = read(`d${"1:ai1e".repeat(REPEATS_MAX + 2)}e`);
  assert.equal(oddities.repeats.length, REPEATS_MAX);
  assert.equal(oddities.repeatCount, REPEATS_MAX + 1);
});

test("BEN-4: numbers with leading zeros", () => {
  for (const [text, value] of [
    ["i0900e", 900],
    ["i-05e", -5],
    ["i-0e", 0],
    ["i00e", 0],
    ["i00000000000000000001e", 1],
  ] as const) {
    const { value: got, oddities } = read(text);
    assert.ok(Object.is(got, value), text);
    assert.equal(oddities.paddedNumbers, 1, text);
    assert.throws(() => decode(fromLatin1(text)), { code: "bad-integer" }, text);
    assert.throws(() => decode(fromLatin1(text), { lax: true }), { code: "bad-integer" }, text);
  }
  assert.deepEqual(read("003:abc").value, fromLatin1("abc"));
  assert.throws(() => decode(fromLatin1("003:abc")), { code: "bad-length" });
  for (const bad of ["i0", "i0x1e", "i-e", "i 1e", "i000000000000000000001e", "00000000001:a"]) {
    assert.throws(() => read(bad), { name: "BencodeError" }, bad);
  }
});

test("BEN-9: bytes after the value are counted, but white space and zeros are not", () => {
  for (const [tail, count] of [
    ["", 0],
    ["\r\n", 0],
    [" \t\v\f\0", 0],
    ["\nx", 2],
    ["e", 1],
    ["\u00a0", 1],
  ] as const) {
    assert.equal(read(`le${tail}`).oddities.trailingBytes, count, JSON.stringify(tail));
  }
});

test("two values are equal only when every reader sees them so", () => {
  const values = ["i1e", "i2e", "1:a", "1:b", "0:", "le", "li1ee", "de", "d1:ai1ee", "d1:bi1ee"];
  for (const a of values) {
    for (const b of values) {
      assert.equal(equalValues(decode(fromLatin1(a)), decode(fromLatin1(b))), a === b, `${a} ${b}`);
    }
  }
  assert.ok(equalValues(read("d1:ai1e1:bi2ee").value, read("d1:bi2e1:ai1ee").value));
});

test("texts are read and values are skipped, step by step", () => {
  const reader = new BencodeReader(fromLatin1("l1:a300:" + "b".repeat(300) + "i5e1:ad1:xli1eeee"));
  assert.ok(reader.enterList());
  assert.equal(reader.text(), "a");
  assert.equal(reader.text(), "b".repeat(300));
  assert.equal(reader.text(), undefined);
  assert.equal(reader.value(), 5);
  assert.equal(reader.text(), "a");
  reader.skip();
  assert.equal(reader.hasItem(), false);
  for (const [bad, code] of [
    ["li1", "truncated"],
    ["d1:a", "truncated"],
    ["5:abc", "truncated"],
    ["l", "truncated"],
    ["d1:ae", "unexpected-byte"],
    ["di1ei1ee", "bad-key"],
    ["l".repeat(101), "too-deep"],
    ["x", "unexpected-byte"],
  ] as const) {
    assert.throws(() => new BencodeReader(fromLatin1(bad)).skip(), { code }, bad);
  }
  const many = new BencodeReader(fromLatin1("l1:a1:be"), { itemsMax: 2 });
  many.enterList();
  many.text();
  assert.throws(() => many.text(), { code: "too-many-items" });
});
