import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Endpoint } from "../base/endpoint.ts";
import type { DatagramSocket } from "../ports/net.ts";
import { UdpNet } from "./udp-net.ts";

interface Packet {
  readonly text: string;
  readonly from: Endpoint;
}

async function open(host: string, { hasQueues = false } = {}) {
  const packets: Packet[] = [];
  let wake: () => void = () => undefined;
  const socket = await new UdpNet().bind({
    host,
    port: 0,
    hasQueues,
    receive: (bytes, from) => {
      packets.push({ text: Buffer.from(bytes).toString("latin1"), from });
      wake();
    },
  });
  const next = async (): Promise<Packet> => {
    while (packets.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return packets.shift()!;
  };
  return { socket, next };
}

test("a taken port is refused with its code, in words", async (t) => {
  const { socket } = await open("127.0.0.1");
  t.after(() => socket.close());
  const again = new UdpNet().bind({
    host: "127.0.0.1",
    port: socket.local.port,
    receive: () => undefined,
  });
  await assert.rejects(again, { code: "EADDRINUSE", message: /another program uses it already$/ });
});

for (const host of ["127.0.0.1", "::1"]) {
  test(`packets travel both ways on ${host}; the sender may use its buffer again at once`, async (t) => {
    const a = await open(host);
    const b = await open(host);
    t.after(() => {
      a.socket.close();
      b.socket.close();
    });
    const bytes = Buffer.from("ping");
    a.socket.send(bytes, b.socket.local);
    bytes.fill(0);
    const ping = await b.next();
    assert.deepEqual(ping, { text: "ping", from: a.socket.local });
    b.socket.send(Buffer.from("pong"), ping.from);
    assert.equal((await a.next()).text, "pong");
  });
}

test("a dual-stack socket reports IPv4 senders under their IPv4 address and answers them (TRK-21)", async (t) => {
  const both = await open("::");
  const four = await open("127.0.0.1");
  t.after(() => {
    both.socket.close();
    four.socket.close();
  });
  four.socket.send(Buffer.from("4"), { address: "127.0.0.1", port: both.socket.local.port });
  const packet = await both.next();
  assert.deepEqual(packet.from, four.socket.local);
  both.socket.send(Buffer.from("back"), packet.from);
  assert.equal((await four.next()).text, "back");
});

test("an unsendable packet is lost silently; after close nothing is sent", async () => {
  const { socket } = await open("127.0.0.1");
  socket.send(Buffer.from("x"), { address: "::1", port: 9 });
  socket.send(Buffer.from("x"), { address: "127.0.0.1", port: 0 });
  socket.send(new Uint8Array(100_000), { address: "127.0.0.1", port: 9 });
  socket.close();
  socket.close();
  socket.send(Buffer.from("x"), { address: "127.0.0.1", port: 9 });
});

test("resolve: literals stay as they are, brackets are removed, unknown names have no address", async () => {
  const udp = new UdpNet();
  const cases: [host: string, addresses: string[]][] = [
    ["127.0.0.1", ["127.0.0.1"]],
    ["[::1]", ["::1"]],
    ["0:0::0:1", ["::1"]],
    ["::ffff:10.0.0.1", ["10.0.0.1"]],
    ["no-such-name.invalid", []],
    ["", []],
    ["a b", []],
  ];
  for (const [host, addresses] of cases) assert.deepEqual(await udp.resolve(host), addresses, host);
  assert.ok((await udp.resolve("localhost")).length > 0);
});

test("resolve returns no address that the guard forbids (house rule 8)", async () => {
  const guarded = new UdpNet({ allowAddress: (address) => !address.startsWith("127.") });
  assert.deepEqual(await guarded.resolve("127.0.0.1"), []);
  assert.deepEqual(await guarded.resolve("10.0.0.1"), ["10.0.0.1"]);
});

for (const host of ["127.0.0.1", "::"]) {
  test(`WIR-21: on ${host} a flood pushes out no packet of an address with a queue of its own`, async (t) => {
    if (process.platform !== "linux") return t.skip("no such queues in this system");
    const counts = { honest: 0, shared: 0, flood: 0, later: 0 };
    const wrong: Endpoint[] = [];
    const port = await new UdpNet().bind({
      host,
      port: 0,
      hasQueues: true,
      receive: (bytes, from) => {
        const kind = bytes.length > 10 ? "flood" : Buffer.from(bytes).toString("latin1");
        counts[kind as keyof typeof counts] += 1;
        if (kind === "honest" && from.port !== honest.local.port) wrong.push(from);
      },
    });
    const senders = await Promise.all([1, 2, 3].map(() => open("127.0.0.1")));
    const [honest, shared, flooder] = senders.map(({ socket }) => socket) as [
      DatagramSocket,
      DatagramSocket,
      DatagramSocket,
    ];
    t.after(() => {
      for (const socket of [port, honest, shared, flooder]) socket.close();
    });
    const to = { address: "127.0.0.1", port: port.local.port };
    const giveBack = port.openQueue!(honest.local);
    await delay(200);
    // All of it is in the system before any of it is read.
    for (let i = 0; i < 20_000; i += 1) flooder.send(new Uint8Array(1000), to);
    for (let i = 0; i < 20; i += 1) {
      honest.send(Buffer.from("honest"), to);
      shared.send(Buffer.from("shared"), to);
    }
    const until = async (isDone: () => boolean): Promise<void> => {
      for (let i = 0; i < 500 && !isDone(); i += 1) await delay(20);
    };
    await until(() => counts.honest === 20);
    assert.equal(counts.honest, 20);
    assert.deepEqual(wrong, []);
    assert.ok(counts.shared < 20, `${counts.shared} of 20 found a place in the queue of the port`);
    giveBack();
    giveBack();
    await until(() => {
      honest.send(Buffer.from("later"), to);
      return counts.later > 0;
    });
    assert.ok(counts.later > 0, "packets go on to come without the queue");
    assert.ok(counts.flood < 20_000, `${counts.flood} packets of the flood were read`);
  });
}

test("a port with queues is not shared with another socket, with or without queues", async (t) => {
  const { socket } = await open("127.0.0.1", { hasQueues: true });
  t.after(() => socket.close());
  for (const hasQueues of [true, false]) {
    const { port } = socket.local;
    const again = new UdpNet().bind({
      host: "127.0.0.1",
      port,
      hasQueues,
      receive: () => undefined,
    });
    await assert.rejects(again, { code: "EADDRINUSE" });
  }
});
