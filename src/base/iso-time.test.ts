import assert from "node:assert/strict";
import { test } from "node:test";
import { isoTime } from "./iso-time.ts";

test("moments in UTC, fractions of a millisecond rounded", () => {
  assert.equal(isoTime(0), "1970-01-01T00:00:00Z");
  assert.equal(isoTime(1_700_000_000_123.4), "2023-11-14T22:13:20.123Z");
});
