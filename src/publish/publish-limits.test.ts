import assert from "node:assert/strict";
import { test } from "node:test";
import { publishLimits } from "./publish-limits.ts";

const MIB = 1024 * 1024;

test("two whole pieces always fit into the memory for uploads, and none is longer than 32 MiB", () => {
  const piece = (ingestBytes: number): number =>
    publishLimits({ uploadBytesMax: 0, ingestBytes }).pieceBytesMax;
  assert.equal(piece(1024 * MIB), 32 * MIB);
  assert.equal(piece(64 * MIB), 32 * MIB);
  assert.equal(piece(16 * MIB), 8 * MIB);
});

test("an upload limit of 0 is no limit", () => {
  const limit = (uploadBytesMax: number): number | undefined =>
    publishLimits({ uploadBytesMax, ingestBytes: MIB }).uploadBytesMax;
  assert.equal(limit(0), undefined);
  assert.equal(limit(5), 5);
});
