import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { BencodeReader } from "./bencode-reader.ts";
import { isBytes, isDict, isList } from "./bencode-value.ts";
import { decode } from "./decode.ts";

function readerOf(text: string, options = {}): BencodeReader {
  return new BencodeReader(fromLatin1(text), options);
}

test("BEN-1, BEN-10: limits hold across steps", () => {
  const deep = readerOf("l".repeat(10), { depthMax: 5 });
  for (let step = 0; step < 5; step += 1) assert.ok(deep.enterList());
  assert.throws(() => deep.enterList(), { code: "too-deep" });
  assert.throws(() => deep.value(), { code: "too-deep" });
  const many = readerOf("l0:0:0:e", { itemsMax: 3 });
  assert.ok(many.enterList());
  many.value();
  many.value();
  assert.throws(() => many.value(), { code: "too-many-items" });
  assert.throws(() => readerOf("0:", { bytesMax: 1 }), { code: "too-long" });
});

test("BEN-13: a list or dictionary that stops in the middle", () => {
  for (const text of ["l", "li1e", "d", "d1:a", "d1:ai1e"]) {
    const reader = readerOf(text);
    assert.throws(
      () => {
        if (reader.enterList()) while (reader.hasItem()) reader.value();
        else if (reader.enterDict()) while (reader.nextKey() !== undefined) reader.value();
      },
      { code: "truncated" },
      text,
    );
  }
});

test("values one by one, in lists and dictionaries", () => {
  const reader = readerOf("ld1:ai1e1:bl0:eei2ee");
  assert.equal(reader.enterDict(), false);
  assert.ok(reader.enterList() && reader.hasItem() && reader.enterDict());
  assert.equal(reader.nextKey(), "a");
  assert.equal(reader.value(), 1);
  assert.equal(reader.nextKey(), "b");
  assert.equal(reader.enterDict(), false);
  assert.deepEqual(reader.value(), [new Uint8Array(0)]);
  assert.equal(reader.nextKey(), undefined);
  assert.ok(reader.hasItem());
  assert.equal(reader.value(), 2);
  assert.equal(reader.hasItem(), false);
  assert.equal(reader.offset, 20);
});

test("raw values are returned byte for byte, whatever the order of their keys", () => {
  const raw = new Set(["r"]);
  for (const value of [
    "i-5e",
    "3:abc",
    "le",
    "d1:rd1:bi1e1:ai2eee",
    "li1e1:ee",
    "d1:ai1e1:ai2ee",
  ]) {
    for (const text of [`d1:a0:1:r${value}1:z0:e`, `ld1:r${value}ee`]) {
      const decoded = decode(fromLatin1(text), { raw });
      const dict = isList(decoded) ? decoded[0] : decoded;
      assert.ok(isDict(dict));
      const bytes = dict.get("r");
      assert.ok(isBytes(bytes));
      assert.equal(toLatin1(bytes), value);
    }
  }
  for (const [value, code] of [
    ["", "unexpected-byte"],
    ["l", "truncated"],
    ["9:a", "truncated"],
    ["i01e", "bad-integer"],
    ["x", "unexpected-byte"],
    ["di1ei2ee", "bad-key"],
    ["d1:ae", "unexpected-byte"],
    ["l".repeat(200), "too-deep"],
  ] as const) {
    assert.throws(() => decode(fromLatin1(`d1:r${value}e`), { raw }), { code }, value);
  }
  const counted = fromLatin1("d1:rl0:0:ee");
  assert.ok(decode(counted, { raw, itemsMax: 4 }));
  assert.throws(() => decode(counted, { raw, itemsMax: 3 }), { code: "too-many-items" });
});
