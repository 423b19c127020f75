import assert from "node:assert/strict";
import { test } from "node:test";
import { SpeedMeter } from "./speed.ts";

test("the speed is that of the last seconds, and unknown at first", () => {
  const meter = new SpeedMeter();
  meter.push(0, 0);
  assert.equal(meter.bytesPerSecond(), undefined);
  for (let second = 1; second <= 20; second += 1) meter.push(second * 1000, second * 100);
  assert.equal(meter.bytesPerSecond(), 100);
  for (let second = 21; second <= 40; second += 1)
    meter.push(second * 1000, 2000 + (second - 20) * 300);
  assert.equal(meter.bytesPerSecond(), 300);
});

test("going back to the hub's offset restarts the measurement", () => {
  const meter = new SpeedMeter();
  meter.push(0, 0);
  meter.push(1000, 1000);
  meter.push(2000, 500);
  assert.equal(meter.bytesPerSecond(), undefined);
  meter.push(3000, 700);
  assert.equal(meter.bytesPerSecond(), 200);
  meter.reset();
  assert.equal(meter.bytesPerSecond(), undefined);
});

test("when nothing is sent the speed drops to 0 within seconds, and returns with the first bytes", () => {
  const meter = new SpeedMeter();
  for (let second = 0; second <= 10; second += 1) meter.push(second * 1000, second * 1000);
  assert.equal(meter.bytesPerSecond(), 1000);
  for (let second = 11; second <= 13; second += 1) meter.push(second * 1000, 10_000);
  assert.equal(meter.bytesPerSecond(), 0);
  meter.push(14_000, 11_000);
  assert.equal(meter.bytesPerSecond(), 5000 / 8);
});
