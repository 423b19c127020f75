import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { SimNet, type SimHost, type SimLink } from "./sim-net.ts";
import { Simulation } from "./simulation.ts";

const KIB = 1024;
const LINK: SimLink = {
  upBytesPerSecond: 100 * KIB,
  downBytesPerSecond: 1000 * KIB,
  latencyMs: 10,
};
const PORT = 6881;

/** One side of a connection that records its events. */
class Ear implements StreamHandler {
  connection: StreamConnection | undefined;
  open = false;
  received = 0;
  sent = 0;
  closed: { readonly failure: NetFailure | undefined } | undefined;

  handleOpen(): void {
    this.open = true;
  }

  handleBytes(_chunk: Uint8Array, length: number): void {
    this.received += length;
  }

  handleSent(bytes: number): void {
    this.sent += bytes;
  }

  handleClose(failure: NetFailure | undefined): void {
    this.closed = { failure };
  }
}

interface World {
  readonly simulation: Simulation;
  readonly near: SimHost;
  readonly far: SimHost;
  readonly accepted: Ear;
}

async function makeWorld(accept = true): Promise<World> {
  const simulation = new Simulation();
  const net = new SimNet({ simulation });
  const near = net.createHost("10.0.0.1", LINK);
  const far = net.createHost("10.0.0.2", LINK);
  const accepted = new Ear();
  await far.listen({
    host: "0.0.0.0",
    port: PORT,
    accept: (connection) => {
      accepted.connection = connection;
      return accept ? accepted : undefined;
    },
  });
  return { simulation, near, far, accepted };
}

function dial(host: SimHost, address: string, port = PORT): Ear {
  const ear = new Ear();
  ear.connection = host.dial(tcpAddress({ address, port }), ear, { timeoutMs: 5000 });
  return ear;
}

test("nobody there: refused at once, or after the timeout", async () => {
  const { simulation, near } = await makeWorld(false);
  const cases = [
    { ear: dial(near, "10.0.0.2"), code: "ECONNREFUSED" },
    { ear: dial(near, "10.0.0.2", 1), code: "ECONNREFUSED" },
    { ear: dial(near, "10.9.9.9"), code: "ETIMEDOUT" },
  ];
  simulation.runFor(4999);
  assert.equal(cases[2]!.ear.closed, undefined);
  simulation.runFor(1);
  for (const { ear, code } of cases) {
    assert.ok(!ear.open);
    assert.equal(ear.closed?.failure?.code, code);
  }
});

test("a port belongs to one listener", async () => {
  const { far } = await makeWorld();
  const options = { host: "0.0.0.0", port: PORT, accept: () => undefined };
  await assert.rejects(far.listen(options), { code: "EADDRINUSE" });
});

test("handlers are called from the event queue only, after the latency of both hosts", async () => {
  const { simulation, near, accepted } = await makeWorld();
  const ear = dial(near, "10.0.0.2");
  assert.ok(!ear.open);
  simulation.runFor(39);
  assert.ok(!ear.open, "there and back takes 40 ms");
  simulation.runFor(1);
  assert.ok(ear.open);
  ear.connection!.write(new Uint8Array(10));
  assert.equal(accepted.received, 0);
  simulation.runFor(21);
  assert.equal(accepted.received, 10);
  assert.equal(ear.sent, 10);
});

test("the line up is shared evenly and never exceeded", async () => {
  const { simulation, near, accepted } = await makeWorld();
  const ears = [dial(near, "10.0.0.2"), dial(near, "10.0.0.2")];
  simulation.runFor(40);
  for (const ear of ears) ear.connection!.write(new Uint8Array(200 * KIB));
  simulation.runFor(1000);
  const [one, other] = ears.map((ear) => 200 * KIB - ear.connection!.unackedBytes()!);
  assert.ok(one! + other! <= 100 * KIB && one! + other! > 80 * KIB, `${one} and ${other}`);
  assert.ok(Math.abs(one! - other!) <= 16 * KIB);
  simulation.runFor(3100);
  assert.equal(accepted.received, 400 * KIB);
});

test("a receiver that pauses stops its sender", async () => {
  const { simulation, near, accepted } = await makeWorld();
  const ear = dial(near, "10.0.0.2");
  simulation.runFor(40);
  accepted.connection!.pauseReading();
  ear.connection!.write(new Uint8Array(1000 * KIB));
  simulation.runFor(60_000);
  assert.equal(accepted.received, 0);
  assert.ok(ear.sent <= 256 * KIB, "no more than a window is under way");
  assert.equal(ear.connection!.bufferedBytes, 1000 * KIB - ear.sent);
  accepted.connection!.resumeReading();
  simulation.runFor(60_000);
  assert.equal(accepted.received, 1000 * KIB);
});

test("the side that destroys gets no more events; the other side gets the end", async () => {
  const { simulation, near, accepted } = await makeWorld();
  const ear = dial(near, "10.0.0.2");
  simulation.runFor(40);
  accepted.connection!.write(new Uint8Array(KIB));
  ear.connection!.destroy();
  simulation.runFor(1000);
  assert.deepEqual(accepted.closed, { failure: undefined });
  assert.equal(ear.closed, undefined);
  assert.equal(ear.received, 0);
});

test("a host that goes offline breaks its connections on both sides", async () => {
  const { simulation, near, far, accepted } = await makeWorld();
  const ear = dial(near, "10.0.0.2");
  simulation.runFor(40);
  far.goOffline();
  simulation.runFor(1);
  assert.equal(ear.closed?.failure?.code, "ECONNRESET");
  assert.equal(accepted.closed?.failure?.code, "ECONNRESET");
});
