import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeDontHave, encodeDontHave } from "./donthave.ts";

test("WIR-4: lt_donthave of another length, or past the piece count", () => {
  for (const length of [0, 3, 5]) {
    assert.throws(() => decodeDontHave(new Uint8Array(length), 8), { code: "bad-extension" });
  }
  assert.throws(() => decodeDontHave(encodeDontHave(8), 8), { code: "bad-index" });
});

test("BEP 54: a piece, both ways", () => {
  assert.equal(decodeDontHave(encodeDontHave(7), 8), 7);
});
