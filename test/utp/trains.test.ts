import assert from "node:assert/strict";
import test from "node:test";
import { DATA, decodePacket, emptyHead, encodeHead, encodeTrain } from "../../src/utp/packet.ts";
import { A, UtpWorld } from "./utp-world.ts";

// Datagrams with several packets, which two of our own may send to each other where a way carries them.

const TRAIN_BYTES = 32 * 1024;
/** A fast line of one machine, or of a network of large packets. */
const FAST = { bytesPerSecond: 100_000_000, delayMs: 1, queueBytes: 4_000_000 };
const MIB = 1024 * 1024;

/** Runs until B has so much, and notes the longest time in which nothing arrived. */
function transfer(world: UtpWorld, bytes: number, limitMs: number): number {
  let longestMs = 0;
  let lastMs = world.simulation.nowMs();
  let before = 0;
  const isDone = world.simulation.runUntil(() => {
    const { received } = world.accepted[0] ?? { received: 0 };
    if (received > before) {
      longestMs = Math.max(longestMs, world.simulation.nowMs() - lastMs);
      lastMs = world.simulation.nowMs();
      before = received;
    }
    return received >= bytes;
  }, limitMs);
  assert.ok(isDone, `${before} of ${bytes} bytes`);
  assert.equal(world.accepted[0]!.wrongAt, undefined);
  return longestMs;
}

test("a way that carries large datagrams gets them, and a twentieth of the packets", () => {
  const world = new UtpWorld({ seed: 1, there: FAST, trainBytes: TRAIN_BYTES });
  world.call(20 * MIB);
  transfer(world, 20 * MIB, 60_000);
  assert.ok(world.longest > 30_000 && world.longest <= TRAIN_BYTES, `${world.longest} bytes`);
  // Acks included; in packets of 1,472 bytes it would be 14,500 and their acks.
  assert.ok(world.datagrams < 2500, `${world.datagrams} datagrams`);
});

test("a peer that has not asked for them above uTP never gets a large datagram", () => {
  const world = new UtpWorld({ seed: 2, there: FAST, trainBytes: TRAIN_BYTES, isSilent: true });
  const flow = world.call(4 * MIB);
  assert.equal(flow.connection!.datagramBytesMax, TRAIN_BYTES);
  transfer(world, 4 * MIB, 60_000);
  assert.ok(world.longest <= 1472, `${world.longest} bytes`);
});

test("a link that carries ordinary packets only gets no others, whatever the peer says", () => {
  const world = new UtpWorld({ seed: 3, there: FAST, trainBytes: 1472 });
  const flow = world.call(4 * MIB);
  flow.connection!.allowDatagrams!(65_507);
  assert.equal(flow.connection!.datagramBytesMax, undefined);
  transfer(world, 4 * MIB, 60_000);
  assert.ok(world.longest <= 1472, `${world.longest} bytes`);
});

test("a way that only seems to carry large datagrams is as fast as without, and a few are lost", (t) => {
  const timeOf = (trainBytes: number | undefined): number => {
    const there = { bytesPerSecond: 1_500_000, delayMs: 80, datagramBytesMax: 1472 };
    const world = new UtpWorld({ seed: 4, there, ...(trainBytes && { trainBytes }) });
    let large = 0;
    world.intercept = (bytes) => {
      if (bytes.length > 1472) large += 1;
      return bytes;
    };
    world.call(20 * MIB);
    transfer(world, 20 * MIB, 60_000);
    assert.ok(large <= 4, `${large} large ones`);
    assert.equal(large > 0, trainBytes !== undefined);
    return world.simulation.nowMs();
  };
  const [plain, tried] = [timeOf(undefined), timeOf(TRAIN_BYTES)];
  t.diagnostic(`${plain.toFixed(0)} ms without, ${tried.toFixed(0)} ms with trials`);
  assert.ok(tried <= plain * 1.05, `${tried} and ${plain} ms`);
});

test("a way whose packets become small in the middle goes on after one wait, and tries again later", (t) => {
  const line = { ...FAST, bytesPerSecond: 20_000_000 };
  const world = new UtpWorld({ seed: 5, there: line, trainBytes: TRAIN_BYTES });
  world.call(70 * MIB);
  transfer(world, 10 * MIB, 60_000);
  assert.ok(world.longest > 30_000);
  world.there.options = { ...line, datagramBytesMax: 1472 };
  const smallMs = transfer(world, 20 * MIB, 60_000);
  t.diagnostic(`nothing arrived for ${smallMs.toFixed(0)} ms`);
  assert.ok(smallMs < 1500, `nothing arrived for ${smallMs} ms`);
  world.there.options = line;
  world.longest = 0;
  transfer(world, 70 * MIB, 60_000);
  assert.ok(world.longest > 30_000, "they are back");
});

test("both ways over a line that loses, repeats and reorders trains bytes arrive whole and in order", () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const there = {
      ...FAST,
      delayMs: 4,
      lossPerMille: 20,
      duplicatePerMille: 50,
      jitterMs: 2,
    };
    const world = new UtpWorld({ seed, there, trainBytes: TRAIN_BYTES });
    const flow = world.call(6 * MIB);
    assert.ok(world.simulation.runUntil(() => world.accepted.length > 0, 20_000));
    const [answer] = world.accepted;
    answer!.toWrite = 2 * MIB;
    answer!.pump();
    transfer(world, 6 * MIB, 120_000);
    assert.ok(world.simulation.runUntil(() => flow.received >= 2 * MIB, 60_000));
    assert.equal(flow.wrongAt, undefined);
    flow.connection!.destroy();
    assert.ok(world.simulation.runUntil(() => world.a.count + world.b.count === 0, 60_000));
  }
});

test("a reader that pauses in the middle of trains gets every byte, and the window is kept", () => {
  const world = new UtpWorld({ seed: 7, there: FAST, trainBytes: TRAIN_BYTES });
  world.call(30 * MIB);
  assert.ok(world.simulation.runUntil(() => (world.accepted[0]?.received ?? 0) > 3 * MIB, 20_000));
  const [reader] = world.accepted;
  for (let pause = 0; pause < 5; pause += 1) {
    reader!.connection!.pauseReading();
    const before = reader!.received;
    world.simulation.runFor(2000);
    assert.equal(reader!.received, before);
    reader!.connection!.resumeReading();
    world.simulation.runFor(20);
  }
  transfer(world, 30 * MIB, 60_000);
});

test("large packets leave others their room: a full uplink is delayed by 100 ms at most", () => {
  const uplink = { bytesPerSecond: 12_500_000, delayMs: 5, queueBytes: 12_500_000 };
  const world = new UtpWorld({ seed: 8, there: uplink, trainBytes: 8972 });
  world.call(Infinity);
  world.simulation.runFor(20_000);
  assert.ok(world.longest > 8000, `${world.longest} bytes`);
  const share = world.accepted[0]!.received / (20 * uplink.bytesPerSecond);
  assert.ok(share > 0.9, `${share} of the line`);
  assert.ok(world.there.waitMs(0.999) <= 100, `${world.there.waitMs(0.999)} ms`);
});

test("a line of large packets that loses 1 % of them gives 0.9 of what it can", (t) => {
  const line = { bytesPerSecond: 6_250_000, delayMs: 25, queueBytes: 2_000_000, lossPerMille: 10 };
  const world = new UtpWorld({ seed: 10, there: line, trainBytes: 8972 });
  world.call(Infinity);
  world.simulation.runFor(15_000);
  assert.ok(world.longest > 8000);
  const share = world.accepted[0]!.received / (15 * line.bytesPerSecond * 0.99);
  t.diagnostic(`${share.toFixed(3)} of the line`);
  assert.ok(share >= 0.9, `${share}`);
});

test("WIR-21: a train of nonsense is dropped as a whole", () => {
  const world = new UtpWorld({ seed: 9 });
  const flow = world.call(1000);
  assert.ok(world.runUntilReceived(1000, 1000));
  const last = emptyHead();
  world.intercept = (bytes, from) => {
    if (from === A) assert.ok(decodePacket(bytes, last));
    return bytes;
  };
  flow.toWrite = 10;
  flow.pump();
  world.simulation.runFor(100);
  const next = { ...last, sequence: (last.sequence + 1) & 0xffff, windowBytes: 1_000_000 };
  for (const [packetBytes, payloadBytes] of [
    [1, 60_000],
    [499, 5000],
    [0, 5000],
    [500, 500],
    [500, 33_000],
  ] as const) {
    const bytes = new Uint8Array(24 + payloadBytes);
    encodeHead(bytes, { ...next, type: DATA });
    encodeTrain(bytes, packetBytes);
    world.b.handleDatagram(bytes, A);
  }
  flow.toWrite = 500;
  flow.pump();
  world.simulation.runFor(1000);
  assert.equal(world.accepted[0]!.received, 1510);
  assert.equal(world.accepted[0]!.wrongAt, undefined);
});
