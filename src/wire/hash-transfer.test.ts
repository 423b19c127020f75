import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ASKED_HASHES_MAX,
  decodeHashRange,
  decodeHashes,
  encodeHashRequest,
  encodeHashes,
  uncleCount,
} from "./hash-transfer.ts";

const good = {
  piecesRoot: new Uint8Array(32).fill(1),
  baseLayer: 0,
  index: 512,
  length: 512,
  proofLayers: 10,
};

for (const [what, wrong] of [
  ["length 0", { length: 0 }],
  ["length 1", { length: 1, index: 3 }],
  ["length 3", { length: 3, index: 3 }],
  ["length 1024", { length: 1024, index: 1024 }],
  ["length 2^31", { length: 2 ** 31, index: 0 }],
  ["an index that is not a multiple", { index: 513 }],
  ["base layer 64", { baseLayer: 64 }],
  ["2^32-1 proof layers", { proofLayers: 2 ** 32 - 1 }],
] as const) {
  test(`WIR-18: refuses ${what}`, () => {
    const frame = encodeHashRequest({ ...good, ...wrong });
    assert.throws(() => decodeHashRange(frame, 5), { code: "bad-hash-range" });
  });
}

test("WIR-18: a request may ask for more than one message carries, within bounds", () => {
  const ask = (length: number): number =>
    decodeHashRange(encodeHashRequest({ ...good, index: 0, length }), 5, ASKED_HASHES_MAX).length;
  assert.equal(ask(1024), 1024);
  for (const length of [1023, 16_384]) assert.throws(() => ask(length), { code: "bad-hash-range" });
});

test("WIR-18: a message must hold exactly the hashes of its range", () => {
  // 512 base hashes; of 10 proof layers 8 are implied, 2 uncles remain.
  for (const count of [0, 511, 512, 513, 515]) {
    const frame = encodeHashes(good, new Uint8Array(32 * count));
    assert.throws(() => decodeHashes(frame, 5, frame.length), { code: "bad-hash-range" });
  }
  const frame = encodeHashes(good, new Uint8Array(32 * 514).fill(9));
  const { range, hashes } = decodeHashes(frame, 5, frame.length);
  assert.deepEqual(range, good);
  assert.equal(hashes.length, 32 * 514);
});

test("the first log2(length) - 1 proof layers are implied (BEP 52)", () => {
  const table: readonly (readonly [number, number, number])[] = [
    [2, 0, 0],
    [2, 1, 1],
    [2, 5, 5],
    [4, 1, 0],
    [4, 2, 1],
    [512, 8, 0],
    [512, 9, 1],
    [512, 3, 0],
  ];
  for (const [length, proofLayers, uncles] of table) {
    assert.equal(uncleCount({ length, proofLayers }), uncles, `${length}, ${proofLayers}`);
  }
});
