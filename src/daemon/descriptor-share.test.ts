import assert from "node:assert/strict";
import { test } from "node:test";
import { connectionsWithin } from "./descriptor-share.ts";

test("STO-7 peers get what is left of the descriptors", () => {
  for (const [wanted, limit, connections] of [
    [500, undefined, 500],
    [500, 1_048_576, 500],
    [500, 1_024, 500],
    [2_000, 1_024, 768],
    [500, 256, 192],
    [500, 64, 8],
    [500, 16, 4],
    [4, 64, 4],
  ] as const) {
    assert.equal(connectionsWithin(wanted, limit), connections, `${wanted} of ${limit}`);
  }
});
