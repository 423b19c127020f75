import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, toHex } from "./bytes.ts";
import { sha1, sha256 } from "./hash.ts";

test("digests of the standards", () => {
  assert.equal(toHex(sha1(encodeUtf8("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert.equal(
    toHex(sha256(encodeUtf8("abc"))),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
