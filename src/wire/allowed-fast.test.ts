import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "../base/bytes.ts";
import { allowedFastSet } from "./allowed-fast.ts";

interface Vector {
  readonly pieces: number;
  readonly infohash: string;
  readonly ip: string;
  readonly k: number;
  readonly set: readonly number[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as { bep6: readonly Vector[] };

const infohash = new Uint8Array(20).fill(0xaa);

test("BEP 6: the vectors, and each shorter set is a prefix of the longer one", () => {
  for (const vector of vectors.bep6) {
    for (let count = 0; count <= vector.k; count += 1) {
      const set = allowedFastSet({
        address: vector.ip,
        infohash: fromHex(vector.infohash)!,
        pieceCount: vector.pieces,
        count,
      });
      assert.deepEqual(set, vector.set.slice(0, count));
    }
  }
});

test("WIR-17: a whole /24 shares one set", () => {
  const of = (address: string): number[] => allowedFastSet({ address, infohash, pieceCount: 1313 });
  assert.deepEqual(of("80.4.4.1"), of("80.4.4.254"));
  assert.notDeepEqual(of("80.4.5.1"), of("80.4.4.1"));
});

test("it ends when there are no more pieces than wanted", () => {
  for (const pieceCount of [0, 1, 9, 10, 11]) {
    const set = allowedFastSet({ address: "80.4.4.200", infohash, pieceCount });
    assert.equal(new Set(set).size, Math.min(10, pieceCount));
    assert.ok(set.every((piece) => piece < pieceCount));
  }
});

test("the BEP has no rule for IPv6", () => {
  assert.deepEqual(allowedFastSet({ address: "2001:db8::1", infohash, pieceCount: 1313 }), []);
});
