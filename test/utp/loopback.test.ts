import assert from "node:assert/strict";
import test from "node:test";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import {
  DATAGRAM_BYTES_MAX,
  DATAGRAM_MAX_BYTES,
  HEADER_BYTES,
  LOOPBACK_DATAGRAM_BYTES_MAX,
} from "../../src/utp/packet.ts";
import { UtpSocket } from "../../src/utp/utp-socket.ts";
import { Flow } from "./utp-world.ts";

const BYTES = 2_000_000;

/** Sends bytes between two ports of one address. @returns The largest datagram. */
function transfer(address: string, pass: (bytes: Uint8Array) => Uint8Array) {
  const simulation = new Simulation();
  const [a, b]: readonly Endpoint[] = [1001, 2002].map((port) => ({ address, port }));
  const sizes: number[] = [];
  const accepted = new Flow();
  const socket = (local: Endpoint, remote: Endpoint, other: () => UtpSocket): UtpSocket =>
    new UtpSocket({
      local,
      clock: simulation,
      random: seededRandom(local.port),
      send: (bytes, to) => {
        assert.deepEqual(to, remote);
        sizes.push(bytes.length);
        const copy = pass(bytes.slice());
        simulation.startTimer(1, () => other().handleDatagram(copy, local));
      },
      soon: (fire) => void simulation.startTimer(0, fire),
      accept: () => accepted,
    });
  const here: UtpSocket = socket(a!, b!, () => there);
  const there: UtpSocket = socket(b!, a!, () => here);
  const flow = new Flow();
  flow.toWrite = BYTES;
  flow.connection = here.dial(b!, flow, { timeoutMs: 20_000 });
  assert.ok(simulation.runUntil(() => accepted.received === BYTES, 60_000));
  assert.equal(accepted.wrongAt, undefined);
  return Math.max(...sizes);
}

const asItIs = (bytes: Uint8Array): Uint8Array => bytes;

/** What a program that is not ours sends: no word of what it takes. */
function withoutWord(bytes: Uint8Array): Uint8Array {
  const isAlone = bytes[1] === 200 && bytes.length === HEADER_BYTES + DATAGRAM_MAX_BYTES;
  if (!isAlone) return bytes;
  bytes[1] = 0;
  return bytes.slice(0, HEADER_BYTES);
}

test("two of ours on one machine use large datagrams, each when the other has said that it takes them", () => {
  const largest = transfer("127.0.0.1", asItIs);
  assert.ok(largest > LOOPBACK_DATAGRAM_BYTES_MAX / 2, `${largest}`);
  assert.ok(largest <= LOOPBACK_DATAGRAM_BYTES_MAX, `${largest}`);
});

test("a peer on this machine that says nothing gets datagrams as from anywhere", () => {
  assert.ok(transfer("127.0.0.1", withoutWord) <= DATAGRAM_BYTES_MAX);
});

test("elsewhere nothing larger than an Ethernet's packet is sent", () => {
  assert.ok(transfer("10.0.0.1", asItIs) <= DATAGRAM_BYTES_MAX);
});
