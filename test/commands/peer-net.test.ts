import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { TransportMode } from "../../src/base/transport-mode.ts";
import { PeerNet } from "../../src/commands/peer-net.ts";
import { filteredDatagrams } from "../../src/guard/filtered-net.ts";
import { GuardedTransport } from "../../src/guard/guarded-transport.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { TcpNet } from "../../src/platform/tcp-net.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import type { PeerTransport, StreamHandler } from "../../src/ports/net.ts";

const HOST = "127.0.0.1";

/** Listens as a session does. @returns The port of the first. */
async function listen(
  t: TestContext,
  transports: readonly PeerTransport[],
  place: { readonly host: string; readonly port: number },
): Promise<number> {
  const ports: number[] = [];
  for (const transport of transports) {
    const port = ports[0] ?? place.port;
    const listener = await transport.listen({ host: place.host, port, accept: () => undefined });
    t.after(() => listener.close());
    ports.push(listener.local!.port);
  }
  return ports[0]!;
}

async function open(
  t: TestContext,
  mode: TransportMode,
  how: { readonly ports: readonly number[]; readonly isPortWanted: boolean },
) {
  const warnings: string[] = [];
  const net = new PeerNet({
    mode,
    openTcp: () => new TcpNet(),
    guard: (transports) => transports,
    datagrams: new UdpNet(),
    clock: new NodeClock(),
    random: new NodeRandom(),
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => void warnings.push(message),
      error: () => assert.fail(),
    },
    allowRemote: () => true,
  });
  t.after(() => net.close());
  const plan = { host: HOST, ports: how.ports, setting: "--listen" };
  const port = await net.listen(
    plan,
    (place) => listen(t, net.transports, place),
    how.isPortWanted,
  );
  return { net, port, warnings };
}

/** A number whose UDP port is taken, and whose TCP port is free. */
async function takenUdp(t: TestContext): Promise<number> {
  const socket = await new UdpNet().bind({ host: HOST, port: 0, receive: () => undefined });
  t.after(() => socket.close());
  return socket.local.port;
}

for (const [mode, kinds] of [
  ["both", ["tcp", "utp"]],
  ["tcp", ["tcp"]],
  ["utp", ["utp"]],
] as const) {
  test(`${mode}: one number for TCP and UDP, and the DHT is on the same port`, async (t) => {
    const { net, port } = await open(t, mode, { ports: [0], isPortWanted: false });
    assert.deepEqual(
      net.transports.map(({ kind }) => kind),
      kinds,
    );
    const dht = await net.udp.part("dht").bind({ host: "::", port: 0, receive: () => undefined });
    assert.deepEqual(dht.local, { address: HOST, port });
  });
}

/** Gathers how long the parts are that arrive. */
class Ear implements StreamHandler {
  readonly lengths: number[] = [];
  readonly opened = Promise.withResolvers<void>();

  get bytes(): number {
    return this.lengths.reduce((sum, length) => sum + length, 0);
  }

  handleOpen(): void {
    this.opened.resolve();
  }

  handleBytes(_chunk: Uint8Array, length: number): void {
    this.lengths.push(length);
  }

  handleSent(): void {}

  handleClose(): void {}
}

const SKIP = process.platform === "linux" ? false : "only Linux tells the packets of its links";
test(
  "large datagrams of uTP get through the guard, the filters and the shared port",
  {
    skip: SKIP,
  },
  async (t) => {
    const [here, there] = [await guardedUtp(t), await guardedUtp(t)];
    const ear = new Ear();
    const address = { kind: "utp", endpoint: there.local } as const;
    const stream = here.transport.dial(address, ear, { timeoutMs: 5000 });
    await ear.opened.promise;
    const { datagramBytesMax } = stream;
    assert.ok(datagramBytesMax !== undefined);
    stream.allowDatagrams!(datagramBytesMax);
    const content = new Uint8Array(100_000);
    for (let part = 0; part < 80; part += 1) stream.write(content);
    while (there.ears.every(({ bytes }) => bytes < 8_000_000)) await setImmediate();
    assert.ok(there.ears[0]!.lengths.some((length) => length > 20_000));
  },
);

async function guardedUtp(t: TestContext) {
  const ears: Ear[] = [];
  const clock = new NodeClock();
  const net = new PeerNet({
    mode: "utp",
    openTcp: () => assert.fail(),
    guard: (transports) =>
      transports.map((lower) => {
        const watch = () => () => undefined;
        return new GuardedTransport({ lower, clock, judge: () => undefined, watch });
      }),
    datagrams: filteredDatagrams(new UdpNet(), () => undefined),
    clock,
    random: new NodeRandom(),
    log: SILENT_LOG,
    allowRemote: () => true,
  });
  t.after(() => net.close());
  const [transport] = net.transports;
  const accept = (): Ear => {
    const ear = new Ear();
    ears.push(ear);
    return ear;
  };
  const listener = await transport!.listen({ host: HOST, port: 0, accept });
  t.after(() => listener.close());
  return { transport: transport!, ears, local: listener.local! };
}

test("a number that people count on: when its UDP port is taken, UDP takes another and the log says so", async (t) => {
  const taken = await takenUdp(t);
  const { net, port, warnings } = await open(t, "both", { ports: [taken], isPortWanted: true });
  assert.equal(port, taken);
  assert.notEqual(net.udp.local?.port, taken);
  assert.match(warnings.join("\n"), /^UDP port \d+ is taken by another program/);
});

test("a number that nobody counts on: the next one is tried", async (t) => {
  const taken = await takenUdp(t);
  const plan = { ports: [taken, 0], isPortWanted: false };
  const { net, port, warnings } = await open(t, "both", plan);
  assert.notEqual(port, taken);
  assert.deepEqual([net.udp.local?.port, warnings], [port, []]);
});

test("uTP alone does not move away from the number that was asked for", async (t) => {
  const taken = await takenUdp(t);
  const plan = { ports: [taken], isPortWanted: true };
  await assert.rejects(open(t, "utp", plan), { code: "port-taken" });
});
