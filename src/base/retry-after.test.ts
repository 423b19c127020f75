import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterMs } from "./retry-after.ts";

const WALL_MS = Date.UTC(2026, 0, 1, 12, 0, 0);

test("waits that servers ask for: seconds and dates, from a second to an hour", () => {
  assert.equal(retryAfterMs("120", WALL_MS), 120_000);
  assert.equal(retryAfterMs(" 0 ", WALL_MS), 1000);
  assert.equal(retryAfterMs("99999999", WALL_MS), 3_600_000);
  assert.equal(retryAfterMs("Thu, 01 Jan 2026 12:05:00 GMT", WALL_MS), 300_000);
  assert.equal(retryAfterMs("Mon, 01 Jan 2024 12:05:00 GMT", WALL_MS), 1000, "it is over");
  for (const text of [
    undefined,
    "",
    "-5",
    "soon",
    "1.5",
    "Thu, 01 Foo 2026 12:05:00 GMT",
    "9".repeat(20),
  ]) {
    assert.equal(retryAfterMs(text, WALL_MS), undefined, String(text));
  }
});

test("dates are those of the calendar", () => {
  for (const iso of ["1994-11-06T08:49:37Z", "2000-02-29T23:59:59Z", "2100-03-01T00:00:00Z"]) {
    const date = new Date(iso);
    const wallMs = date.getTime() - 600_000;
    assert.equal(retryAfterMs(date.toUTCString(), wallMs), 600_000, iso);
  }
});
