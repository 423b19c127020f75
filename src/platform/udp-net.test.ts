import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoint } from "../base/endpoint.ts";
import { UdpNet } from "./udp-net.ts";

interface Packet {
  readonly text: string;
  readonly from: Endpoint;
}

async function open(host: string) {
  const packets: Packet[] = [];
  let wake: () => void = () => undefined;
  const socket = await new UdpNet().bind({
    host,
    port: 0,
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
