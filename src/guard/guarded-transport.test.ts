import assert from "node:assert/strict";
import { test } from "node:test";
import { tcpAddress } from "../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { SimNet } from "../sim/sim-net.ts";
import { Simulation } from "../sim/simulation.ts";
import { GuardedTransport } from "./guarded-transport.ts";

const LINK = { upBytesPerSecond: 1e6, downBytesPerSecond: 1e6, latencyMs: 5 };
const HERE = "10.0.0.1";
const THERE = "10.0.0.2";
const REFUSAL: NetFailure = { code: "EACCES", message: "kept away" };

/** What one side of a connection hears. */
class Ear implements StreamHandler {
  readonly heard: string[] = [];
  handleOpen(): void {
    this.heard.push("open");
  }
  handleBytes(_chunk: Uint8Array, length: number): void {
    this.heard.push(`${length} bytes`);
  }
  handleSent(bytes: number): void {
    this.heard.push(`${bytes} sent`);
  }
  handleClose(failure: NetFailure | undefined): void {
    this.heard.push(`closed ${failure?.code ?? ""}`);
  }
}

/** A machine whose TCP is guarded, and another whose is not. */
async function world() {
  const simulation = new Simulation();
  const net = new SimNet({ simulation });
  const here = net.createHost(HERE, LINK);
  const there = net.createHost(THERE, LINK);
  const filtered = new Set<string>();
  const listeners = new Set<() => void>();
  const guarded = new GuardedTransport({
    lower: here.transport("tcp"),
    clock: simulation,
    judge: (remote) =>
      remote.kind === "tcp" && filtered.has(remote.endpoint.address) ? REFUSAL : undefined,
    watch: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  const accepted: { ear: Ear; stream: StreamConnection }[] = [];
  const accept = (stream: StreamConnection): Ear => {
    const ear = new Ear();
    accepted.push({ ear, stream });
    return ear;
  };
  const listener = await guarded.listen({ host: HERE, port: 1000, accept });
  await there.listen({ host: THERE, port: 2000, accept: () => new Ear() });
  const filter = (address: string): void => {
    filtered.add(address);
    for (const each of listeners) each();
  };
  const dial = (): { ear: Ear; stream: StreamConnection } => {
    const ear = new Ear();
    const address = tcpAddress({ address: THERE, port: 2000 });
    return { ear, stream: guarded.dial(address, ear, { timeoutMs: 1000 }) };
  };
  const call = (): Ear => {
    const ear = new Ear();
    there.dial(tcpAddress({ address: HERE, port: 1000 }), ear, { timeoutMs: 1000 });
    return ear;
  };
  return { simulation, filter, dial, call, accepted, listener, listeners, here };
}

test("what is allowed passes unchanged, both ways", async () => {
  const { simulation, dial, call, accepted } = await world();
  const { ear, stream } = dial();
  const caller = call();
  simulation.runFor(100);
  stream.write(new Uint8Array(10));
  accepted[0]!.stream.write(new Uint8Array(20));
  simulation.runFor(100);
  assert.deepEqual(ear.heard, ["open", "10 sent"]);
  assert.deepEqual(caller.heard, ["open", "20 bytes"]);
  assert.deepEqual(accepted[0]!.ear.heard, ["20 sent"]);
});

test("a filtered address is neither dialled nor answered", async () => {
  const { simulation, filter, dial, call, accepted, here } = await world();
  filter(THERE);
  const { ear } = dial();
  assert.deepEqual(ear.heard, [], "never inside the call");
  const caller = call();
  simulation.runFor(2000);
  assert.deepEqual(ear.heard, ["closed EACCES"]);
  assert.deepEqual(caller.heard, ["closed ECONNREFUSED"]);
  assert.equal(accepted.length, 0);
  assert.equal(here.sentBytes, 0);
});

test("connected peers that become filtered are closed, and both sides hear it", async () => {
  const { simulation, filter, dial, call, accepted } = await world();
  const { ear } = dial();
  const caller = call();
  simulation.runFor(100);
  filter(THERE);
  simulation.runFor(100);
  assert.deepEqual(ear.heard, ["open", "closed EACCES"]);
  assert.deepEqual(accepted[0]!.ear.heard, ["closed EACCES"]);
  assert.deepEqual(caller.heard, ["open", "closed "]);
});

test("ended connections and a closed listener are forgotten", async () => {
  const { simulation, filter, dial, listener, listeners } = await world();
  const { ear, stream } = dial();
  simulation.runFor(100);
  stream.destroy();
  filter(THERE);
  simulation.runFor(100);
  assert.deepEqual(ear.heard, ["open"]);
  listener.close();
  assert.equal(listeners.size, 0);
});
