import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import { RateLimit } from "./rate-limit.ts";

interface Consumer {
  readonly limit: RateLimit;
  passed: number;
}

/** Takes whole blocks in turn as the session does, whenever the limits allow it, until `untilMs`. */
function run(consumers: readonly Consumer[], fromMs: number, untilMs: number): void {
  let queue = [...consumers];
  let now = fromMs;
  while (now < untilMs) {
    const hungry: Consumer[] = [];
    for (const consumer of queue) {
      if (consumer.limit.available(now) < BLOCK_BYTES) {
        hungry.push(consumer);
        continue;
      }
      consumer.limit.take(BLOCK_BYTES, now);
      consumer.passed += BLOCK_BYTES;
      queue = [...queue.filter((other) => other !== consumer), consumer];
    }
    if (hungry.length < consumers.length) continue;
    now = Math.max(now + 1, Math.min(...consumers.map(({ limit }) => limit.nextAvailable(now))));
  }
}

function consumerOf(limit: RateLimit): Consumer {
  return { limit, passed: 0 };
}

function assertPassed(consumer: Consumer, expected: number, tolerance = 0.03): void {
  const error = Math.abs(consumer.passed - expected);
  assert.ok(error <= expected * tolerance + BLOCK_BYTES, `${consumer.passed} is about ${expected}`);
}

test("0 is unlimited", () => {
  const limit = new RateLimit(0);
  assert.equal(limit.available(0), Number.POSITIVE_INFINITY);
  assert.equal(limit.nextAvailable(7), 7);
  limit.take(1e12, 0);
  assert.equal(limit.available(0), Number.POSITIVE_INFINITY);
});

for (const bytesPerSecond of [1000, 20_000, 1_000_000, 500_000_000]) {
  test(`the average over a minute is the limit: ${bytesPerSecond} B/s`, () => {
    const consumer = consumerOf(new RateLimit(bytesPerSecond));
    const seconds = bytesPerSecond > 1e8 ? 2 : 60;
    run([consumer], 0, seconds * 1000);
    assertPassed(consumer, bytesPerSecond * (seconds + 0.25));
  });
}

test("the average holds when a take is larger than the burst: the debt is waited off", () => {
  const limit = new RateLimit(10_000);
  let passed = 0;
  for (let now = 0; now < 600_000; now += 10) {
    if (limit.available(now) < 1) continue;
    limit.take(128 * 1024, now);
    passed += 128 * 1024;
  }
  assert.ok(Math.abs(passed - 6_000_000) < 300_000, `${passed}`);
});

test("a long silence saves up no more than the burst", () => {
  const limit = new RateLimit(1_000_000);
  limit.take(limit.available(0), 0);
  assert.equal(limit.available(0), 0);
  assert.equal(limit.available(3_600_000), 250_000);
});

test("limits change while they are in use, also from and to unlimited", () => {
  const limit = new RateLimit(10_000);
  const consumer = consumerOf(limit);
  run([consumer], 0, 10_000);
  limit.setRate(100_000);
  consumer.passed = 0;
  run([consumer], 10_000, 20_000);
  assertPassed(consumer, 1_000_000, 0.05);
  limit.setRate(0);
  assert.equal(limit.available(20_000), Number.POSITIVE_INFINITY);
  limit.setRate(10_000);
  consumer.passed = 0;
  run([consumer], 20_000, 30_000);
  assertPassed(consumer, 100_000, 0.2);
});

test("a debt from a fast limit does not block a slow one for ages", () => {
  const limit = new RateLimit(10_000_000);
  limit.take(20_000_000, 0);
  limit.setRate(10_000);
  assert.ok(limit.nextAvailable(0) <= 5000, `${limit.nextAvailable(0)}`);
});

test("waiting until nextAvailable is enough, and waiting less is not", () => {
  const limit = new RateLimit(33_333);
  limit.take(BLOCK_BYTES, 0);
  const at = limit.nextAvailable(0);
  assert.ok(limit.available(at - 1) < BLOCK_BYTES);
  assert.ok(limit.available(at) >= BLOCK_BYTES);
});
