import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1 } from "../base/bytes.ts";
import { getBytes, getDict, getInteger, getList, isDict } from "./bencode-value.ts";
import { decode } from "./decode.ts";

const dict = decode(
  fromLatin1("d1:bi9007199254740993e1:dd1:ai1ee1:ii5e1:lli1ee1:s2:\u00c3\u00bc1:u1:\u00ffe"),
);

test("accessors answer undefined for what is absent or of another type", () => {
  assert.ok(isDict(dict));
  for (const read of [getBytes, getInteger, getList, getDict]) {
    assert.equal(read(dict, "absent"), undefined);
  }
  assert.equal(getInteger(dict, "b"), undefined);
  assert.equal(getInteger(dict, "s"), undefined);
  assert.equal(getBytes(dict, "l"), undefined);
  assert.equal(getList(dict, "d"), undefined);
  assert.equal(getDict(dict, "l"), undefined);
});

test("accessors answer what is there", () => {
  assert.ok(isDict(dict));
  assert.equal(getInteger(dict, "i"), 5);
  assert.deepEqual(getBytes(dict, "u"), new Uint8Array([255]));
  assert.deepEqual(getList(dict, "l"), [1]);
  assert.equal(getDict(dict, "d")?.get("a"), 1);
});
