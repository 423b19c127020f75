import assert from "node:assert/strict";
import { test } from "node:test";
import type { TrackerReply } from "../announce/http-reply.ts";
import { pauseAfterFailure, pauseAfterReply, withJitter } from "./announce-schedule.ts";
import { moveToFront, shuffleTiers } from "./tracker-tiers.ts";

const HOUR_S = 3600;
const random = { below: (bound: number) => bound - 1, bytes: (n: number) => new Uint8Array(n) };

test("TRK-19: intervals are clamped, min interval is respected", () => {
  for (const [intervalS, minIntervalS, eagerS, hungryS] of [
    [undefined, undefined, 1800, 300],
    [0, undefined, 30, 300],
    [-1, -1, 30, 30],
    [2 ** 62, undefined, HOUR_S, 300],
    [2 ** 62, 2 ** 62, 6 * HOUR_S, 6 * HOUR_S],
    [720, 240, 720, 240],
    [60, 1800, 1800, 1800],
    [HOUR_S, 2 * HOUR_S, 2 * HOUR_S, 2 * HOUR_S],
    [1800, 0, 1800, 30],
  ] as const) {
    const reply: TrackerReply = { kind: "reply", peers: [], intervalS, minIntervalS };
    assert.equal(pauseAfterReply(reply, false), eagerS * 1000, `${intervalS}, ${minIntervalS}`);
    assert.equal(pauseAfterReply(reply, true), hungryS * 1000, `${intervalS}, ${minIntervalS}`);
  }
});

test("failures back off: 30 s, 1, 2, 4... 60 min", () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7, 8, 9, 2000].map(
    (failures) => pauseAfterFailure(failures, { kind: "unreachable", message: "" }) / 1000,
  );
  assert.deepEqual(pauses, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
});

test("BEP 31: a tracker may ask for more time, or for silence", () => {
  for (const [retryInMinutes, seconds] of [
    [undefined, 30],
    [0, 30],
    [5, 300],
    [1e15, 24 * HOUR_S],
    ["never", Number.POSITIVE_INFINITY],
  ] as const) {
    const failure = { kind: "failure", reason: "", retryInMinutes } as const;
    assert.equal(pauseAfterFailure(1, failure), seconds * 1000);
  }
});

test("jitter adds a tenth at most", () => {
  assert.equal(withJitter(1000, random), 1100);
  assert.equal(withJitter(1000, { ...random, below: () => 0 }), 1000);
  assert.equal(withJitter(Number.POSITIVE_INFINITY, random), Number.POSITIVE_INFINITY);
});

test("BEP 12: each tier is shuffled, and a working tracker moves to its front", () => {
  const shuffled = shuffleTiers([["a", "b", "c"], ["d"], []], { ...random, below: () => 0 });
  assert.deepEqual(shuffled, [["b", "c", "a"], ["d"], []]);
  moveToFront(shuffled[0]!, "a");
  assert.deepEqual(shuffled[0], ["a", "b", "c"]);
  moveToFront(shuffled[0], "a");
  assert.deepEqual(shuffled[0], ["a", "b", "c"]);
});
