import assert from "node:assert/strict";
import { test } from "node:test";
import { CHOKING_WINDOW_MS, RateMeter } from "./rate-meter.ts";

/** Adds `bytesPerSecond` in ten portions a second from `fromMs` to `toMs`. */
function flow(meter: RateMeter, bytesPerSecond: number, fromMs: number, toMs: number): void {
  for (let now = fromMs + 100; now <= toMs; now += 100) {
    meter.add(bytesPerSecond / 10, now);
    meter.bytesPerSecond(now);
  }
}

function assertNear(actual: number, expected: number, tolerance = 0.02): void {
  const error = Math.abs(actual - expected);
  assert.ok(error <= expected * tolerance, `${actual} is about ${expected}`);
}

test("a meter that saw nothing reads 0", () => {
  assert.equal(new RateMeter().bytesPerSecond(5000), 0);
});

test("bytes that arrived at this very moment are not lost, and nothing is divided by zero", () => {
  const meter = new RateMeter();
  meter.add(1000, 0);
  assert.equal(meter.bytesPerSecond(0), 0);
  assertNear(meter.bytesPerSecond(1000), 1000);
});

test("a first block does not read as millions of bytes per second", () => {
  const meter = new RateMeter();
  meter.add(16_384, 0);
  assert.ok(meter.bytesPerSecond(1) < 20_000);
});

for (const windowMs of [3000, CHOKING_WINDOW_MS]) {
  test(`a steady flow reads as it is from the first second on, window ${windowMs} ms`, () => {
    const meter = new RateMeter(windowMs);
    meter.add(0, 0);
    for (const second of [1, 2, 5, 60, 600]) {
      flow(meter, 50_000, (second - 1) * 1000, second * 1000);
      if (second <= 2) assertNear(meter.bytesPerSecond(second * 1000), 50_000);
    }
  });

  test(`a change shows after the window, silence fades to nothing, window ${windowMs} ms`, () => {
    const meter = new RateMeter(windowMs);
    meter.add(0, 0);
    flow(meter, 10_000, 0, 100_000);
    assertNear(meter.bytesPerSecond(100_000), 10_000);
    flow(meter, 90_000, 100_000, 100_000 + windowMs * 6);
    const now = 100_000 + windowMs * 6;
    assertNear(meter.bytesPerSecond(now), 90_000);
    assert.ok(meter.bytesPerSecond(now + windowMs * 20) < 1);
  });
}

test("the frequency of readings changes nothing", () => {
  const often = new RateMeter();
  const seldom = new RateMeter();
  for (const meter of [often, seldom]) meter.add(0, 0);
  flow(often, 20_000, 0, 60_000);
  for (let now = 5000; now <= 60_000; now += 5000) {
    seldom.add(100_000, now);
    seldom.bytesPerSecond(now);
  }
  assertNear(seldom.bytesPerSecond(60_000), often.bytesPerSecond(60_000));
});

test("users read 0 soon after the last byte, and the true rate when it resumes", () => {
  const meter = new RateMeter(3000, 5000);
  let now = 0;
  for (; now < 10_000; now += 100) meter.add(100_000, now);
  assert.ok(Math.abs(meter.bytesPerSecond(now) - 1e6) < 20_000);
  assert.ok(meter.bytesPerSecond(now + 3000) > 0, "a short pause is not the end");
  assert.equal(meter.bytesPerSecond(now + 5000), 0);
  // An hour later bytes flow again; nobody has read the meter in between.
  now += 3_600_000;
  for (const end = now + 2000; now < end; now += 100) meter.add(50_000, now);
  assert.ok(Math.abs(meter.bytesPerSecond(now) - 500_000) < 20_000, `${meter.bytesPerSecond(now)}`);
});

test("bytes that nobody read in time do not count as current", () => {
  const meter = new RateMeter(3000, 5000);
  meter.add(1e9, 0);
  assert.equal(meter.bytesPerSecond(60_000), 0);
  meter.add(1000, 60_000);
  assert.ok(meter.bytesPerSecond(61_000) <= 1000);
});
