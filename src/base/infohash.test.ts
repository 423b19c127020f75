import assert from "node:assert/strict";
import { test } from "node:test";
import { infohashKey, wireInfohash, wireInfohashes } from "./infohash.ts";

test("BEP 52: 20 bytes stand for an infohash on the wire, v1 first", () => {
  const v1 = new Uint8Array(20).fill(1);
  const v2 = new Uint8Array(32).fill(2);
  assert.deepEqual(wireInfohashes({}), []);
  assert.deepEqual(wireInfohashes({ v2 }), [v2.subarray(0, 20)]);
  assert.deepEqual(wireInfohashes({ v1, v2 }), [v1, v2.subarray(0, 20)]);
  assert.equal(wireInfohash(v2).length, 20);
  assert.equal(infohashKey(v2), "02".repeat(20));
});
