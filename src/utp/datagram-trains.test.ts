import assert from "node:assert/strict";
import { test } from "node:test";
import { DatagramTrains, TRAIN_BYTES_MAX } from "./datagram-trains.ts";

const NOW = { windowBytes: 1_000_000, writtenBytes: 1_000_000, packetBytes: 1472 };
const HEAD_BYTES = 24;

function bytesAt(trains: DatagramTrains, nowMs: number): number {
  return trains.nextPayloadBytes({ ...NOW, nowMs });
}

function proven(): DatagramTrains {
  const trains = new DatagramTrains();
  trains.allow(65_507);
  trains.sent();
  trains.arrived();
  return trains;
}

test("without a word of the peer, or for a link of small packets, there are none", () => {
  const trains = new DatagramTrains();
  assert.equal(bytesAt(trains, 0), 0);
  trains.allow(1472);
  assert.equal(bytesAt(trains, 0), 0);
  trains.allow(8972);
  assert.equal(bytesAt(trains, 0), 8972 - HEAD_BYTES);
});

test("one trial is on its way at a time, and the others follow when it has arrived", () => {
  const trains = new DatagramTrains();
  trains.allow(65_507);
  assert.ok(trains.isTrial);
  assert.equal(bytesAt(trains, 0), TRAIN_BYTES_MAX - HEAD_BYTES);
  trains.sent();
  assert.equal(bytesAt(trains, 100_000), 0);
  trains.arrived();
  assert.ok(!trains.isTrial);
  assert.equal(bytesAt(trains, 100_000), TRAIN_BYTES_MAX - HEAD_BYTES);
});

test("a small window and few bytes go as single packets", () => {
  const trains = proven();
  const small = { ...NOW, nowMs: 0, windowBytes: 100_000 };
  assert.equal(trains.nextPayloadBytes(small), 0);
  assert.equal(trains.nextPayloadBytes({ ...NOW, nowMs: 0, writtenBytes: 2000 }), 0);
  assert.equal(trains.nextPayloadBytes({ ...NOW, nowMs: 0, writtenBytes: 5000 }), 5000);
});

test("lost trials are repeated after 1, 4, 16, 64 and 256 seconds, and then no more", () => {
  const trains = new DatagramTrains();
  trains.allow(65_507);
  let nowMs = 0;
  for (const waitMs of [1000, 4000, 16_000, 64_000, 256_000]) {
    assert.ok(bytesAt(trains, nowMs) > 0);
    trains.sent();
    // All packets of it are lost, one after the other.
    for (let packet = 0; packet < 22; packet += 1) trains.lost(nowMs);
    assert.equal(bytesAt(trains, nowMs + waitMs - 1), 0);
    nowMs += waitMs;
  }
  trains.sent();
  trains.lost(nowMs);
  assert.equal(bytesAt(trains, nowMs * 10), 0);
  trains.allow(65_507);
  assert.equal(bytesAt(trains, nowMs * 10), 0, "the peer's word does not change that");
});

test("a full queue loses some trains and proves nothing; three losses with nothing between them do", () => {
  const trains = proven();
  for (let loss = 0; loss < 20; loss += 1) {
    trains.lost(loss * 1000);
    trains.lost(loss * 1000 + 50);
    if (loss % 2 === 1) trains.arrived();
  }
  assert.ok(!trains.isTrial);
  for (const atMs of [30_000, 30_100, 30_200]) trains.lost(atMs);
  assert.ok(trains.isTrial);
});

test("a wait in which nothing arrived ends them at once, until a trial arrives", () => {
  const trains = proven();
  trains.handleTimeout(5000);
  assert.equal(bytesAt(trains, 5999), 0);
  assert.ok(bytesAt(trains, 6000) > 0);
  trains.sent();
  trains.arrived();
  for (let train = 0; train < 256; train += 1) trains.arrived();
  // Losses of long ago do not count any more.
  trains.handleTimeout(7000);
  assert.ok(bytesAt(trains, 8000) > 0);
});
