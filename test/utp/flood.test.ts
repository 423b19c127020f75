import assert from "node:assert/strict";
import test from "node:test";
import { banKey } from "../../src/base/peer-address.ts";
import {
  DATA,
  emptyHead,
  encodeHead,
  HEADER_BYTES,
  RESET,
  STATE,
  SYN,
} from "../../src/utp/packet.ts";
import { A, B, type Flow, UtpWorld } from "./utp-world.ts";

const BYTES = 4_000_000;
const LINE = { bytesPerSecond: 4_000_000, delayMs: 10, queueBytes: 200_000 };
const FLOOD_PER_MS = 20;
/** A number has 16 bits: of the 5,000 packets a second that are looked at, one in 4,096 guesses what we would accept. */
const GUESSED_MAX = 8;
const TYPES = [SYN, DATA, STATE, RESET] as const;

/** @returns Milliseconds until the last byte of a transfer. */
function transferMs(seed: number, isFlooded: boolean): number {
  const world = new UtpWorld({ seed, there: LINE });
  const { simulation, random } = world;
  const packet = new Uint8Array(HEADER_BYTES + 8);
  const flood = (): void => {
    for (let i = 0; i < FLOOD_PER_MS; i += 1) {
      const head = emptyHead();
      head.type = TYPES[random.below(TYPES.length)]!;
      head.connectionId = random.below(0x1_0000);
      head.sequence = random.below(0x1_0000);
      head.ack = random.below(0x1_0000);
      encodeHead(packet, head);
      const address = `66.6.${random.below(256)}.${random.below(256)}`;
      world.send(packet, { address, port: 1 + random.below(65_535) }, B);
    }
    simulation.startTimer(1, flood);
  };
  world.call(BYTES);
  if (isFlooded) flood();
  const honest = (): Flow | undefined =>
    world.accepted.find(({ connection }) => banKey(connection!.remote) === A.address);
  const isDone = (): boolean => honest()?.received === BYTES;
  assert.ok(simulation.runUntil(isDone, 60_000), `seed ${seed}: it never ends`);
  assert.equal(honest()!.wrongAt, undefined);
  const strangers = world.accepted.length - 1;
  assert.ok(strangers <= GUESSED_MAX, `${strangers} strangers guessed our number`);
  return simulation.nowMs();
}

test("WIR-21: an honest transfer keeps half its speed while strangers send 20,000 packets a second to the port", () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    const alone = transferMs(seed, false);
    const flooded = transferMs(seed, true);
    assert.ok(flooded < 2 * alone, `seed ${seed}: ${alone} ms alone, ${flooded} ms in the flood`);
  }
});

test("WIR-21: of 20,000 calls a second from 20 addresses few are answered, and a call of another one gets through at once", () => {
  const world = new UtpWorld({ seed: 4 });
  const { simulation, random } = world;
  let answers = 0;
  world.intercept = (bytes, from) => {
    if (from === B) answers += 1;
    return bytes;
  };
  const packet = new Uint8Array(HEADER_BYTES);
  const head = emptyHead();
  head.type = SYN;
  const flood = (): void => {
    for (let i = 0; i < FLOOD_PER_MS; i += 1) {
      head.connectionId = random.below(0x1_0000);
      encodeHead(packet, head);
      world.send(packet, { address: `66.6.6.${i}`, port: 1 + random.below(65_535) }, B);
    }
    simulation.startTimer(1, flood);
  };
  flood();
  simulation.runFor(3_000);
  assert.ok(answers <= 4 * 20 * 64, `${answers} answers to 60,000 calls`);
  assert.equal(world.b.count, 0, "nothing is kept of them");
  world.call(1);
  const received = (): number => world.accepted.reduce((sum, flow) => sum + flow.received, 0);
  assert.ok(
    simulation.runUntil(() => received() === 1, 500),
    "it had to call again",
  );
});
