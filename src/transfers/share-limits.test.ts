import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransferRow } from "../store/transfers.ts";
import { endOfSeeding, shareLimitsFor } from "./share-limits.ts";

const MINUTE = 60_000;
const ROW = {
  finished_at: 1_000,
  size: 100,
  uploaded: 150,
  seeded_ms: 10 * MINUTE,
  active_seeded: 4 * MINUTE,
} as TransferRow;

for (const [name, limits, cause] of [
  ["no limit", {}, undefined],
  ["0 is never", { ratio: 0, seedingMinutes: 0, idleMinutes: 0 }, undefined],
  ["a ratio that is reached", { ratio: 1.5 }, "ratio"],
  ["one that is not", { ratio: 1.6 }, undefined],
  ["time that is over", { seedingMinutes: 10 }, "seeding-time"],
  ["time that is not", { seedingMinutes: 11 }, undefined],
  ["nobody wanted it", { idleMinutes: 6 }, "idle-time"],
  ["somebody wanted it a while ago", { idleMinutes: 7 }, undefined],
] as const) {
  test(`the end of seeding: ${name}`, () => {
    assert.equal(endOfSeeding(ROW, limits), cause);
    assert.equal(endOfSeeding({ ...ROW, finished_at: null }, limits), undefined);
  });
}

test("a transfer's own limits come before its label's, and those before what holds for all", () => {
  const all = { ratio: 1, seedingMinutes: 1, idleMinutes: 1 };
  const found = shareLimitsFor({ ratio: 0 }, { ratio: 2, seedingMinutes: 2 }, all);
  assert.deepEqual(found, { ratio: 0, seedingMinutes: 2, idleMinutes: 1 });
});
