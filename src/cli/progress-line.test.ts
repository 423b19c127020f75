import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressLine, type ProgressStyle } from "./progress-line.ts";
import { WorkProgress } from "./work-progress.ts";

function open(style: ProgressStyle, columns = 80) {
  const world = { nowMs: 0, text: "" };
  const line = new ProgressLine({
    style,
    columns: () => columns,
    write: (text) => {
      world.text += text;
    },
    now: () => world.nowMs,
  });
  return { world, line };
}

const half = { doing: "Checking", fraction: 0.5, parts: ["10 s left"] };

test("plain: one line in ten seconds, no escape codes", () => {
  const { world, line } = open("plain");
  for (world.nowMs = 0; world.nowMs <= 25_000; world.nowMs += 100) line.update(half);
  assert.equal(world.text, "Checking    50 %  10 s left\n".repeat(2));
  line.finish(half);
  assert.equal(world.text.split("\n").length, 3);
});

test("bar: at most ten times a second, removed for other output, kept at the end", () => {
  const { world, line } = open("bar");
  line.update(half);
  world.nowMs = 50;
  line.update(half);
  assert.equal(world.text.split("\r").length - 1, 1);
  line.clear();
  assert.ok(world.text.endsWith("\r\u001b[K"));
  world.nowMs = 60;
  line.update(half);
  line.finish({ ...half, fraction: 1 });
  assert.ok(world.text.endsWith(`100 %  [${"=".repeat(20)}]  10 s left\n`));
});

test("bar: fits the terminal, and never shows 100 before the end", () => {
  const { world, line } = open("bar", 30);
  line.update({ ...half, fraction: 0.9999 });
  assert.ok(world.text.replace(/^\r\u001b\[K/, "").length < 30);
  assert.match(open("bar").world.text, /^$/);
  const wide = open("bar");
  wide.line.update({ ...half, fraction: 0.9999 });
  assert.match(wide.world.text, / 99 %/);
});

for (const [columns, text] of [
  [73, "Checking    50 %  [==========>         ]  88.1 MiB/s  12 peers  10 s left"],
  [72, "Checking    50 %  88.1 MiB/s  12 peers  10 s left"],
  [40, "Checking    50 %  10 s left"],
  [20, "Checking    50 %"],
  [12, "Check...50 %"],
] as const) {
  test(`CLI-5: ${columns} columns show ${text}`, () => {
    const { world, line } = open("bar", columns + 1);
    line.update({ ...half, parts: ["88.1 MiB/s", "12 peers", "10 s left"] });
    assert.equal(world.text, `\r\u001b[K${text}`);
    assert.ok(text.length <= columns);
  });
}

test("work: speed over the last seconds, time left, speed of the whole at the end", () => {
  const { world, line } = open("bar");
  const work = new WorkProgress(line, "Hashing", () => world.nowMs);
  work.start(100 * 1024 * 1024);
  world.nowMs = 1000;
  work.update(10 * 1024 * 1024);
  assert.match(world.text, /10 %.*10\.0 MiB\/s {2}9 s left$/);
  world.nowMs = 10_000;
  work.update(100 * 1024 * 1024);
  assert.equal(work.finish(), 10 * 1024 * 1024);
});
