import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  compareBytes,
  concatBytes,
  decodeUtf8,
  decodeUtf8Strict,
  encodeUtf8,
  equalBytes,
  fromHex,
  fromLatin1,
  readUint16,
  readUint32,
  toHex,
  toLatin1,
  writeUint16,
  writeUint32,
} from "./bytes.ts";

test("hexadecimal survives a round trip, and anything else is refused", () => {
  for (const text of ["0", "0g", "zz", " 00", "0x00", "00\n"])
    assert.equal(fromHex(text), undefined);
  assert.deepEqual(fromHex("00fFA0"), new Uint8Array([0, 255, 160]));
  assert.deepEqual(fromHex(""), new Uint8Array(0));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => equalBytes(fromHex(toHex(bytes))!, bytes)));
});

test("latin1 keeps every byte, and orders texts as their bytes are ordered", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      assert.ok(equalBytes(fromLatin1(toLatin1(a)), a));
      const order = toLatin1(a) < toLatin1(b) ? -1 : toLatin1(a) > toLatin1(b) ? 1 : 0;
      assert.equal(Math.sign(compareBytes(a, b)), order);
      assert.equal(equalBytes(a, b), order === 0);
    }),
  );
  const long = new Uint8Array(100_000).map((_, index) => index);
  assert.ok(equalBytes(fromLatin1(toLatin1(long)), long));
});

test("joining", () => {
  assert.deepEqual(concatBytes([]), new Uint8Array(0));
  const parts = [new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2, 3])];
  assert.deepEqual(concatBytes(parts), new Uint8Array([1, 2, 3]));
});

test("UTF-8 is decoded strictly, or with replacement", () => {
  assert.equal(decodeUtf8Strict(new Uint8Array([0xff])), undefined);
  assert.equal(decodeUtf8Strict(new Uint8Array([0xed, 0xa0, 0x80])), undefined);
  assert.equal(decodeUtf8(new Uint8Array([0x61, 0xff])), "a\ufffd");
  assert.equal(decodeUtf8Strict(encodeUtf8("\u{1f600}")), "\u{1f600}");
});

test("numbers are big-endian and without sign", () => {
  const bytes = new Uint8Array(8);
  writeUint16(bytes, 1, 0xfffe);
  writeUint32(bytes, 3, 0x80000001);
  assert.equal(toHex(bytes), "00fffe8000000100");
  assert.equal(readUint16(bytes, 1), 0xfffe);
  assert.equal(readUint32(bytes, 3), 0x80000001);
});
