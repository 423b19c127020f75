import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes } from "../base/format-bytes.ts";
import { formatCount, formatLeft, formatSeconds, parseBytes } from "./figures.ts";
import { cutMiddle, escapeOutside } from "./outside-text.ts";
import { listenOption, peerOption, rateOption, seedOption } from "./parse-options.ts";

test("sizes, times and counts as people read them", () => {
  assert.equal(formatBytes(0), "0 B");
  assert.equal(formatBytes(1023), "1023 B");
  assert.equal(formatBytes(1536), "1.5 KiB");
  assert.equal(formatBytes(2.3 * 1024 ** 3), "2.3 GiB");
  assert.equal(formatSeconds(0.2), "1 s");
  assert.equal(formatSeconds(180), "3 min");
  assert.equal(formatSeconds(7500), "2 h 5 min");
  assert.equal(formatSeconds(300_000), "3 days");
  assert.equal(formatLeft(100, 0), "time left unknown");
  assert.equal(formatCount(1, "file"), "1 file");
  assert.equal(formatCount(999, "file"), "999 files");
  assert.equal(formatCount(10_000, "file"), "10,000 files");
  assert.equal(formatCount(1_234_567, "piece"), "1,234,567 pieces");
});

for (const [text, bytes] of [
  ["512", 512],
  ["64K", 65_536],
  ["2M", 2_097_152],
  ["1.5 GiB", 1_610_612_736],
  ["3MiB/s", 3_145_728],
  ["", undefined],
  ["-1", undefined],
  ["1e9", undefined],
  ["0x10", undefined],
  ["5X", undefined],
  ["99999999999999T", undefined],
] as const) {
  test(`"${text}" is ${bytes ?? "no size"}`, () => assert.equal(parseBytes(text), bytes));
}

test("options refuse invalid values", () => {
  assert.deepEqual(peerOption("[2001:db8::1]:6881"), [{ host: "2001:db8::1", port: 6881 }]);
  assert.deepEqual(peerOption("host.example:1"), [{ host: "host.example", port: 1 }]);
  for (const text of ["1.2.3.4", "1.2.3.4:0", "1.2.3.4:70000", "::1:80", ":80", ""]) {
    assert.throws(() => peerOption(text), /It takes an address with a port/, text);
  }
  assert.deepEqual(listenOption(":0"), { host: "0.0.0.0", port: 0 });
  assert.deepEqual(listenOption("[::1]:6881"), { host: "::1", port: 6881 });
  for (const text of ["6881", "a:b", "1.2.3.4:70000"]) assert.throws(() => listenOption(text));
  assert.equal(seedOption("1.5"), 1.5);
  assert.equal(seedOption("forever"), "forever");
  for (const text of ["0", "-1", "always", "1e3"]) assert.throws(() => seedOption(text), text);
  for (const text of ["0", "fast"]) assert.throws(() => rateOption(text), text);
});

test("CLI-1: control characters for terminals are spelled out", () => {
  assert.equal(
    escapeOutside("a\u001b[31mb\r\n\u009b\u202ec\ud800"),
    "a\\x1b[31mb\\x0d\\x0a\\x9b\\u202ec\ufffd",
  );
  assert.equal(escapeOutside("naïve 日本語 🌱"), "naïve 日本語 🌱");
});

test("long names are cut in the middle, by columns", () => {
  assert.equal(cutMiddle("Lecture-notes-of-2026.pdf", 25), "Lecture-notes-of-2026.pdf");
  assert.equal(cutMiddle("Lecture-notes-of-autumn-2026.pdf", 17), "Lecture...026.pdf");
  assert.equal(cutMiddle("abcdef", 2), "..");
});
