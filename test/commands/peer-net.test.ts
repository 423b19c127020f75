import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { TransportMode } from "../../src/base/transport-mode.ts";
import { PeerNet } from "../../src/commands/peer-net.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { TcpNet } from "../../src/platform/tcp-net.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import type { PeerTransport } from "../../src/ports/net.ts";

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
