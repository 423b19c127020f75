import assert from "node:assert/strict";
import { test } from "node:test";
import type { RangeHead } from "../../ports/web-ranges.ts";
import {
  busyBodyMs,
  judgeRangeAnswer,
  type WantedRange,
  WHOLE_FILE_BYTES_MAX,
} from "./range-answer.ts";

const WALL_MS = Date.UTC(2026, 0, 1, 12, 0, 0);
const LONG: WantedRange = { range: { first: 100, last: 199 }, size: WHOLE_FILE_BYTES_MAX + 1 };
const SHORT: WantedRange = { range: { first: 100, last: 199 }, size: 1000 };

function head(status: number, more: Partial<RangeHead> = {}): RangeHead {
  const none = { contentRange: undefined, contentLength: undefined };
  return { status, ...none, contentEncoding: undefined, retryAfter: undefined, ...more };
}

test("BEP 17: a body says how many seconds to wait", () => {
  assert.equal(busyBodyMs("30\n"), 30_000);
  assert.equal(busyBodyMs("100000"), 3_600_000);
  for (const text of ["", "<html>", "3 0", "-1"]) assert.equal(busyBodyMs(text), undefined, text);
});

test("a part is taken when it begins where it was asked for", () => {
  const range = { contentRange: "bytes 100-199/1000", contentLength: "100" };
  const whole = { kind: "bytes", skip: 0, length: 100, isWhole: false };
  assert.deepEqual(judgeRangeAnswer(head(206, range), SHORT, WALL_MS), whole);
  const shorter = { contentRange: "bytes 100-149/*" };
  assert.deepEqual(judgeRangeAnswer(head(206, shorter), SHORT, WALL_MS), { ...whole, length: 50 });
  const identity = { ...range, contentEncoding: "identity" };
  assert.deepEqual(judgeRangeAnswer(head(206, identity), SHORT, WALL_MS), whole);
});

test("WSD-1: answers that cannot be what was asked for", () => {
  const cases: [head: RangeHead, wanted: WantedRange, kind: string, reason: RegExp][] = [
    [head(206), SHORT, "nonsense", /which part/],
    [head(206, { contentRange: "bytes 0-99/1000" }), SHORT, "nonsense", /another part/],
    [head(206, { contentRange: "bytes 100-200/1000" }), SHORT, "nonsense", /another part/],
    [
      head(206, { contentRange: "bytes 100-199/1000", contentLength: "99" }),
      SHORT,
      "nonsense",
      /another length/,
    ],
    [head(206, { contentRange: "bytes 100-199/1001" }), SHORT, "absent", /1001 bytes under/],
    [
      head(206, { contentRange: "bytes 100-199/1000", contentEncoding: "br" }),
      SHORT,
      "absent",
      /compressed/,
    ],
    [head(200, { contentLength: "999" }), SHORT, "absent", /999 bytes under/],
    [head(200, { contentEncoding: "gzip" }), SHORT, "absent", /compressed/],
    [head(200), LONG, "absent", /whole files/],
    [head(206), { range: undefined, size: 100 }, "nonsense", /nobody asked/],
    [head(404), SHORT, "absent", /says 404/],
    [head(416), SHORT, "absent", /says 416/],
    [head(204), SHORT, "absent", /says 204/],
  ];
  for (const [given, wanted, kind, reason] of cases) {
    const answer = judgeRangeAnswer(given, wanted, WALL_MS);
    assert.equal(answer.kind, kind, JSON.stringify(given));
    assert.match((answer as { reason: string }).reason, reason);
  }
});

test("a whole short file has what was asked for in it", () => {
  const expected = { kind: "bytes", skip: 100, length: 100, isWhole: true };
  assert.deepEqual(
    judgeRangeAnswer(head(200, { contentLength: "1000" }), SHORT, WALL_MS),
    expected,
  );
  const all = { range: { first: 0, last: 999 }, size: 1000 };
  assert.deepEqual(judgeRangeAnswer(head(200), all, WALL_MS), {
    kind: "bytes",
    skip: 0,
    length: 1000,
    isWhole: false,
  });
});

test("servers that are busy say for how long, or get half a minute", () => {
  for (const status of [408, 429, 500, 503, 599]) {
    const answer = judgeRangeAnswer(head(status), SHORT, WALL_MS);
    assert.deepEqual([answer.kind, "afterMs" in answer && answer.afterMs], ["busy", 30_000]);
  }
  const later = judgeRangeAnswer(head(503, { retryAfter: "7" }), SHORT, WALL_MS);
  assert.ok(later.kind === "busy" && later.afterMs === 7000);
});
