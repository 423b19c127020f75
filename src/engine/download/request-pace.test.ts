import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import { RateMeter } from "../sharing/rate-meter.ts";
import { AHEAD_MS, adjustDepth, DEPTH_MIN, growDepth } from "./request-pace.ts";

const QUEUE_MAX = 500;

/** A peer that sends blocks of these lengths, `everyMs` apart, over and over for half a minute. */
function pacedBy(lengths: readonly number[], everyMs: number): { readonly depth: number } {
  const rate = new RateMeter();
  const peer = { snubbed: false, slowStart: true, depth: 16, blockBytes: BLOCK_BYTES, rate };
  for (let [now, block] = [0, 0]; now < 30_000; now += everyMs, block += 1) {
    const length = lengths[block % lengths.length]!;
    rate.add(length, now);
    growDepth(peer, length, QUEUE_MAX);
    if (now % 1_000 < everyMs) adjustDepth(peer, now, AHEAD_MS);
  }
  return peer;
}

for (const [what, lengths] of [
  ["full blocks", [BLOCK_BYTES]],
  ["files of 100 bytes, each a piece of its own", [100]],
  ["files of 1 to 500 bytes", [1, 500, 30, 250, 70]],
] as const) {
  test(`three seconds of blocks are requested ahead, of ${what}`, () => {
    const { depth } = pacedBy(lengths, 20);
    assert.ok(depth >= 100 && depth <= 250, `${depth} at 50 blocks a second`);
  });
}

test("a slow peer owes us little, whatever the length of its blocks", () => {
  for (const length of [100, BLOCK_BYTES]) {
    const { depth } = pacedBy([length], 1_000);
    assert.ok(depth >= DEPTH_MIN && depth <= 16, `${depth} at one block a second`);
  }
});
