import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cutMiddle,
  formatAgo,
  formatBytes,
  formatCount,
  formatDuration,
  formatPieceSize,
  formatUtc,
  visible,
  visibleLines,
} from "./format.ts";

const day = 24 * 3600 * 1000;

test("sizes are binary, with one decimal and never 1024 of a unit", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [1, "1 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1024 * 1024 - 1, "1.0 MiB"],
    [2.3 * 1024 ** 3, "2.3 GiB"],
    [1024 ** 4, "1.0 TiB"],
    [Number.MAX_SAFE_INTEGER, "8.0 PiB"],
  ];
  for (const [bytes, words] of cases) assert.equal(formatBytes(bytes), words);
  assert.equal(formatPieceSize(4 * 1024 * 1024), "4 MiB");
  assert.equal(formatCount(1_234_567), "1,234,567");
});

test("times are relative, and a missing one is unknown", () => {
  const now = Date.UTC(2026, 10, 21);
  const cases: readonly (readonly [number, string])[] = [
    [Number.NaN, "unknown"],
    [now, "just now"],
    [now - 61_000, "1 minute ago"],
    [now - 3 * day, "3 days ago"],
    [now - 20 * day, "2 weeks ago"],
    [now - 100 * day, "3 months ago"],
    [now - 800 * day, "2 years ago"],
    [now + 3 * day, "in 3 days"],
  ];
  for (const [at, words] of cases) assert.equal(formatAgo(at, now), words);
  assert.equal(formatUtc(now), "2026-11-21 00:00:00 UTC");
  assert.equal(formatUtc(Number.NaN), "unknown");
});

test("durations round to what a person waits for", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "1 s"],
    [36.2, "36 s"],
    [180, "3 min"],
    [7800, "2 h 10 min"],
    [4 * 24 * 3600, "4 days"],
  ];
  for (const [seconds, words] of cases) assert.equal(formatDuration(seconds), words);
});

test("a long name keeps its ending and whole characters", () => {
  assert.equal(cutMiddle("short.pdf", 20), "short.pdf");
  assert.equal(cutMiddle("Lecture-notes-of-the-year-2026.pdf", 16), "Lecture-no…6.pdf");
  assert.equal([...cutMiddle("😀".repeat(50), 10)].length, 10);
});

test("MET-4: characters that rewrite their surroundings are shown, not obeyed", () => {
  assert.equal(visible("exe.\u202Efdp\u0007\n\u2066"), "exe.\ufffdfdp\ufffd\ufffd\ufffd");
  assert.equal(visible("второй день שלום 👨‍👩‍👧"), "второй день שלום 👨‍👩‍👧");
  assert.equal(visibleLines("one\r\n\ttwo\u202e\u0007"), "one\n\ttwo\ufffd\ufffd");
});
