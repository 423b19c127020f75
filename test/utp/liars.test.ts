import assert from "node:assert/strict";
import test from "node:test";
import { writeUint16, writeUint32 } from "../../src/base/bytes.ts";
import type { Endpoint } from "../../src/base/endpoint.ts";
import {
  DATA,
  decodePacket,
  emptyHead,
  encodeHead,
  FIN,
  HEADER_BYTES,
  type PacketHead,
  type PacketType,
  RESET,
  STATE,
  SYN,
} from "../../src/utp/packet.ts";
import { sequenceAfter } from "../../src/utp/sequence.ts";
import { A, B, UtpWorld } from "./utp-world.ts";

const ACK_OFFSET = 18;
const WINDOW_OFFSET = 12;
const DIFFERENCE_OFFSET = 8;
const TIMESTAMP_OFFSET = 4;
const LINE = { bytesPerSecond: 1_000_000, delayMs: 20, queueBytes: 200_000 };

function packet(type: PacketType, changes: Partial<PacketHead>, payloadBytes = 0): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payloadBytes);
  encodeHead(bytes, { ...emptyHead(), windowBytes: 1_000_000, ...changes, type });
  return bytes;
}

function decoded(bytes: Uint8Array): PacketHead {
  const head = emptyHead();
  assert.ok(decodePacket(bytes, head));
  return head;
}

/** Changes what B says: B is the liar. */
function lie(world: UtpWorld, change: (bytes: Uint8Array) => void): void {
  world.intercept = (bytes, from) => {
    if (from !== B || bytes[0] === ((SYN << 4) | 1)) return bytes;
    const changed = bytes.slice();
    change(changed);
    return changed;
  };
}

test("WIR-21: acks of what was never sent are ignored, and the transfer goes on", () => {
  const world = new UtpWorld({ seed: 1, there: LINE });
  let every = 0;
  lie(world, (bytes) => {
    every += 1;
    if (every % 3 === 0) writeUint16(bytes, ACK_OFFSET, world.random.below(0x1_0000));
  });
  world.call(300_000);
  assert.ok(world.runUntilReceived(300_000, 120_000));
  assert.equal(world.accepted[0]!.wrongAt, undefined);
});

test("WIR-21: selective acks of what was never sent are ignored", () => {
  const world = new UtpWorld({ seed: 2, there: { ...LINE, lossPerMille: 20 } });
  world.intercept = (bytes, from) => {
    if (from !== B || decoded(bytes).type !== STATE || bytes[1] !== 0) return bytes;
    const changed = new Uint8Array(HEADER_BYTES + 2 + 252);
    changed.set(bytes);
    changed[1] = 1;
    changed.set([0, 252], HEADER_BYTES);
    // The bits far beyond what is in flight.
    changed.fill(0xff, HEADER_BYTES + 2 + 128);
    return changed;
  };
  const flow = world.call(300_000);
  assert.ok(world.runUntilReceived(300_000, 120_000));
  assert.equal(flow.closed, undefined);
});

test("WIR-21: a window of 0 costs a packet now and then, and a huge one has our own bound", () => {
  const zero = new UtpWorld({ seed: 3, there: LINE });
  lie(zero, (bytes) => writeUint32(bytes, WINDOW_OFFSET, 0));
  const flow = zero.call(1_000_000);
  zero.simulation.runFor(60_000);
  assert.ok(zero.datagrams < 600, `${zero.datagrams} datagrams`);
  assert.equal(flow.closed, undefined, "it is alive, and the owner judges slow readers");

  const huge = new UtpWorld({ seed: 4, there: { bytesPerSecond: Infinity, delayMs: 500 } });
  lie(huge, (bytes) => writeUint32(bytes, WINDOW_OFFSET, 2 ** 32 - 1));
  const fast = huge.call(200_000_000);
  let mostUnacked = 0;
  huge.simulation.runUntil(() => {
    mostUnacked = Math.max(
      mostUnacked,
      fast.connection!.unackedBytes()! - fast.connection!.bufferedBytes,
    );
    return false;
  }, 20_000);
  assert.ok(mostUnacked > 1_000_000, `${mostUnacked} bytes: the line is used`);
  assert.ok(mostUnacked <= 4096 * 1452, `${mostUnacked} bytes in flight`);
});

for (const [name, offset] of [
  ["timestamps", TIMESTAMP_OFFSET],
  ["delays", DIFFERENCE_OFFSET],
] as const) {
  test(`WIR-21: made-up ${name} neither stop a transfer nor flood the line`, () => {
    const world = new UtpWorld({ seed: 5, there: LINE });
    lie(world, (bytes) => writeUint32(bytes, offset, world.random.below(2 ** 32)));
    world.call(Infinity);
    world.simulation.runFor(20_000);
    const share = world.accepted[0]!.received / (20 * LINE.bytesPerSecond);
    assert.ok(share > 0.5, `${share} of the line`);
  });
}

test("WIR-21: a peer that always denies the queue cannot make us fill it", () => {
  const deep = { ...LINE, queueBytes: 10_000_000 };
  const world = new UtpWorld({ seed: 6, there: deep });
  lie(world, (bytes) => writeUint32(bytes, DIFFERENCE_OFFSET, 1000));
  world.call(Infinity);
  world.simulation.runFor(60_000);
  assert.ok(world.there.waitMs(0.99) < 1000, `${world.there.waitMs(0.99)} ms of a queue of 10 s`);
});

test("WIR-21: a clock that jumps by an hour and back does not stop a transfer", () => {
  const clockOfB = (nowMs: number): number =>
    nowMs + (nowMs > 5000 && nowMs < 9000 ? 3_600_000 : 0);
  // Only what B writes into its packets jumps: a port's clock never does.
  const world = new UtpWorld({ seed: 7, there: LINE });
  lie(world, (bytes) => {
    const nowMs = world.simulation.nowMs();
    const jumpUs = ((clockOfB(nowMs) - nowMs) * 1000) % 2 ** 32;
    const head = decoded(bytes);
    writeUint32(bytes, TIMESTAMP_OFFSET, (head.timestamp + jumpUs) % 2 ** 32);
    writeUint32(bytes, DIFFERENCE_OFFSET, (head.timestampDifference + jumpUs) % 2 ** 32);
  });
  world.call(Infinity);
  world.simulation.runFor(20_000);
  const share = world.accepted[0]!.received / (20 * LINE.bytesPerSecond);
  assert.ok(share > 0.9, `${share} of the line`);
});

test("WIR-21: a flood of calls leaves nothing behind, and no answer is longer than its call", () => {
  const world = new UtpWorld({ seed: 8 });
  const answers: number[] = [];
  world.intercept = (bytes, from) => {
    if (from === B) answers.push(bytes.length);
    return bytes;
  };
  const flow = world.call(100_000);
  assert.ok(world.simulation.runUntil(() => flow.isOpen, 1000));
  for (let i = 0; i < 20_000; i += 1) {
    const from: Endpoint = { address: `33.3.${i >> 8}.${i & 255}`, port: 1 + i };
    world.b.handleDatagram(packet(SYN, { connectionId: i & 0xffff, sequence: 1 }), from);
  }
  assert.equal(world.b.count, 0, "nobody has spoken yet");
  assert.ok(answers.length <= 5001, `${answers.length} answers`);
  assert.ok(answers.every((bytes) => bytes <= HEADER_BYTES));
  // Whoever was connected, or gets connected after the flood, is served.
  world.simulation.runFor(1500);
  assert.ok(world.runUntilReceived(100_000, 30_000));
});

test("WIR-21: data of a caller that never got our answer opens nothing and is answered by a reset", () => {
  const world = new UtpWorld({ seed: 9 });
  const answers: PacketHead[] = [];
  world.intercept = (bytes, from) => {
    if (from === B) answers.push(decoded(bytes));
    return bytes;
  };
  const from: Endpoint = { address: "33.3.3.3", port: 7 };
  world.b.handleDatagram(packet(SYN, { connectionId: 10, sequence: 1 }), from);
  const [answer] = answers;
  assert.equal(answer!.type, STATE);
  const wrong = sequenceAfter(answer!.sequence, 1000);
  for (const [ack, count] of [
    [wrong, 0],
    [sequenceAfter(answer!.sequence, -1), 1],
  ] as const) {
    world.b.handleDatagram(packet(DATA, { connectionId: 11, sequence: 2, ack }, 10), from);
    assert.equal(world.b.count, count);
  }
  assert.equal(answers[1]!.type, RESET);
  // Another address cannot use the answer.
  const thief: Endpoint = { address: "33.3.3.4", port: 7 };
  const ack = sequenceAfter(answer!.sequence, -1);
  world.b.handleDatagram(packet(DATA, { connectionId: 11, sequence: 2, ack }, 10), thief);
  assert.equal(world.b.count, 1);
});

test("WIR-21: one address has a bounded number of connections, resets are never answered", () => {
  const world = new UtpWorld({ seed: 10 });
  const flows = Array.from({ length: 300 }, () => world.call(10));
  world.simulation.runFor(10_000);
  assert.equal(world.a.count, 256);
  assert.equal(flows.filter(({ closed }) => closed?.failure?.code === "EMFILE").length, 44);
  const before = world.datagrams;
  world.b.handleDatagram(packet(RESET, { connectionId: 1 }), { address: "33.3.3.3", port: 7 });
  assert.equal(world.datagrams, before);
});

test("WIR-21: packets outside the window are dropped, and an end before its data is a lie", () => {
  const world = new UtpWorld({ seed: 11 });
  const flow = world.call(1000);
  assert.ok(world.runUntilReceived(1000, 1000));
  let last = emptyHead();
  world.intercept = (bytes, from) => {
    if (from === A) last = decoded(bytes);
    return bytes;
  };
  flow.toWrite = 10;
  flow.pump();
  world.simulation.runFor(100);
  const { connectionId, sequence, ack } = last;
  for (const distance of [5000, 20_000, -3, 0]) {
    const far = sequenceAfter(sequence, distance);
    world.b.handleDatagram(packet(DATA, { connectionId, sequence: far, ack }, 500), A);
  }
  world.b.handleDatagram(packet(FIN, { connectionId, sequence, ack }), A);
  world.simulation.runFor(1000);
  assert.equal(world.accepted[0]!.received, 1010);
  assert.equal(world.accepted[0]!.closed, undefined);
});
