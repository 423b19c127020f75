import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, fromHex, toHex, toLatin1 } from "../base/bytes.ts";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { SILENT_LOG } from "../ports/log.ts";
import type { DatagramNet, PeerTransport, StreamConnection, StreamHandler } from "../ports/net.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { SimDatagrams } from "../sim/sim-datagrams.ts";
import { SimNet } from "../sim/sim-net.ts";
import { Simulation } from "../sim/simulation.ts";
import { NameStandIns } from "./name-stand-ins.ts";
import { ProxyPlace } from "./proxy-place.ts";
import { parseProxyUrl } from "./proxy-url.ts";
import { unwrapDatagram, wrapDatagram } from "./socks-datagram.ts";
import { SocksDatagrams } from "./socks-datagrams.ts";

const LINK = { upBytesPerSecond: 1e6, downBytesPerSecond: 1e6, latencyMs: 5 };
const HERE = "10.0.0.1";
const PROXY = "10.0.0.2";
const RELAY: Endpoint = { address: PROXY, port: 4000 };
const NODE: Endpoint = { address: "9.9.9.9", port: 6881 };
const RELAY_GRANTED = "05000001000000000fa0";
const TRACKER_REPLY = Uint8Array.of(0, 0, 0, 1, 1, 2, 3, 4);

/** Lets simulated time and pending promises advance. */
async function pass(simulation: Simulation, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    simulation.runFor(10);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

/** A machine, and a proxy whose relay notes what it gets. */
async function world(options: { readonly answers?: readonly string[] } = {}) {
  const simulation = new Simulation();
  const net = new SimNet({ simulation });
  const here = net.createHost(HERE, LINK);
  const there = net.createHost(PROXY, LINK);
  const udp = new SimDatagrams({
    simulation,
    random: seededRandom(1),
    latencyMs: 5,
    lossPerMille: 0,
  });
  const state = { answers: options.answers ?? ["0500", RELAY_GRANTED], associations: 0 };
  const controls: StreamConnection[] = [];
  await there.listen({
    host: PROXY,
    port: 1080,
    accept: (stream): StreamHandler => {
      controls.push(stream);
      state.associations += 1;
      let turn = 0;
      return {
        handleOpen: () => undefined,
        handleBytes: () => {
          const answer = state.answers[turn];
          turn += 1;
          if (answer !== undefined) stream.write(fromHex(answer)!);
        },
        handleSent: () => undefined,
        handleClose: () => undefined,
      };
    },
  });
  const relayed: string[] = [];
  let client: Endpoint | undefined;
  const relay = udp.open(RELAY, (packet, from) => {
    client = from;
    const { from: to, bytes } = unwrapDatagram(packet)!;
    relayed.push(`${to.host}:${to.port} ${toLatin1(bytes)}`);
  });
  let nextPort = 50_000;
  const bound = new Set<string>();
  const datagrams: Pick<DatagramNet, "bind"> = {
    bind: async ({ receive }) => {
      const local = { address: HERE, port: nextPort };
      nextPort += 1;
      const socket = udp.open(local, receive);
      bound.add(formatEndpoint(local));
      return {
        local,
        send: (bytes, to) => socket.send(bytes, to),
        afterBurst: (fire) => void simulation.startTimer(0, fire),
        close: () => {
          bound.delete(formatEndpoint(local));
          socket.close();
        },
      };
    },
  };
  const proxy = parseProxyUrl(`socks5://${PROXY}:1080`);
  const names = new NameStandIns(seededRandom(2));
  const net2 = new SocksDatagrams({
    proxy,
    place: await ProxyPlace.open({ proxy, resolve: async (host) => [host], clock: simulation }),
    streams: here.transport("tcp") as PeerTransport<"tcp">,
    datagrams,
    names,
    clock: simulation,
    log: SILENT_LOG,
  });
  const received: string[] = [];
  const binding = net2.bind({
    receive: (bytes, from) => void received.push(`${formatEndpoint(from)} ${toHex(bytes)}`),
  });
  const fromRelay = (bytes: Uint8Array, from: { host: string; port: number }): void =>
    relay.send(wrapDatagram(bytes, from), client!);
  return {
    simulation,
    net: net2,
    binding,
    relayed,
    received,
    fromRelay,
    state,
    controls,
    bound,
    udp,
    client: () => client!,
  };
}

test("packets go to the relay, and those from it say where they come from", async () => {
  const { simulation, binding, relayed, received, fromRelay } = await world();
  await pass(simulation, 100);
  const socket = await binding;
  socket.send(encodeUtf8("ping"), NODE);
  socket.send(encodeUtf8("six"), { address: "2620:fe::9", port: 1 });
  await pass(simulation, 50);
  assert.deepEqual(relayed, ["9.9.9.9:6881 ping", "2620:fe::9:1 six"]);
  fromRelay(encodeUtf8("pong"), { host: "9.9.9.9", port: 6881 });
  await pass(simulation, 50);
  assert.deepEqual(received, [`9.9.9.9:6881 ${toHex(encodeUtf8("pong"))}`]);
});

test("a name is resolved at the relay, and its answer comes from its stand-in too", async () => {
  const { simulation, net, binding, relayed, received, fromRelay } = await world();
  await pass(simulation, 100);
  const socket = await binding;
  const [address] = await net.resolve("tracker.example");
  socket.send(encodeUtf8("connect"), { address: address!, port: 6969 });
  await pass(simulation, 50);
  assert.deepEqual(relayed, ["tracker.example:6969 connect"]);
  fromRelay(TRACKER_REPLY, { host: "8.8.8.8", port: 6969 });
  fromRelay(TRACKER_REPLY, { host: "8.8.8.8", port: 6970 });
  fromRelay(encodeUtf8("no answer at all"), { host: "8.8.8.8", port: 6969 });
  await pass(simulation, 50);
  const reply = toHex(TRACKER_REPLY);
  assert.deepEqual(
    received.toSorted(),
    [
      `${address}:6969 ${reply}`,
      `8.8.8.8:6969 ${reply}`,
      `8.8.8.8:6970 ${reply}`,
      `8.8.8.8:6969 ${toHex(encodeUtf8("no answer at all"))}`,
    ].toSorted(),
  );
});

test("what does not come from the relay, and parts of packets, are dropped", async () => {
  const { simulation, binding, received, fromRelay, udp, client } = await world();
  await pass(simulation, 100);
  const socket = await binding;
  socket.send(encodeUtf8("hello"), NODE);
  await pass(simulation, 50);
  const forged = wrapDatagram(encodeUtf8("forged"), { host: "9.9.9.9", port: 1 });
  udp.forge(forged, { address: "6.6.6.6", port: 4000 }, client());
  udp.forge(Uint8Array.of(0, 0, 1, 1, 9, 9, 9, 9, 0, 1, 7), RELAY, client());
  udp.forge(Uint8Array.of(0, 0, 0, 9), RELAY, client());
  udp.forge(new Uint8Array(0), RELAY, client());
  fromRelay(encodeUtf8("named"), { host: "name.example", port: 1 });
  await pass(simulation, 50);
  assert.deepEqual(received, []);
});

test("WIR-27: when the relay goes away packets are lost until the proxy gives another", async () => {
  const { simulation, binding, relayed, state, controls, bound } = await world();
  await pass(simulation, 100);
  const socket = await binding;
  state.answers = ["0500", "0507"];
  controls[0]!.destroy();
  await pass(simulation, 50);
  assert.equal(bound.size, 0);
  socket.send(encodeUtf8("lost"), NODE);
  await pass(simulation, 5000);
  assert.deepEqual(relayed, []);
  assert.ok(state.associations >= 3, `asked ${state.associations} times`);
  state.answers = ["0500", RELAY_GRANTED];
  await pass(simulation, 10_000);
  socket.send(encodeUtf8("again"), NODE);
  await pass(simulation, 50);
  assert.deepEqual(relayed, ["9.9.9.9:6881 again"]);
  socket.close();
  await pass(simulation, 100_000);
  assert.equal(bound.size, 0);
});

for (const [what, answers] of [
  ["a proxy without relays", ["0500", "05070001000000000000"]],
  ["a relay without a port", ["0500", "05000001000000000000"]],
  ["a relay that is named", ["0500", "0500000301610001"]],
  ["silence", []],
] as const) {
  test(`datagrams are refused: ${what}`, async () => {
    const { simulation, binding, bound } = await world({ answers });
    const refused = assert.rejects(binding, { name: "ProxyError" });
    await pass(simulation, 12_000);
    await refused;
    assert.equal(bound.size, 0);
  });
}
