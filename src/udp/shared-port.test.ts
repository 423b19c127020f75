import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { DatagramNet, DatagramSocket } from "../ports/net.ts";
import type { PacketKind } from "./packet-kind.ts";
import { type PortPlace, SharedPort } from "./shared-port.ts";

const PEER: Endpoint = { address: "10.0.0.7", port: 7 };
const PACKETS: Readonly<Record<PacketKind, Uint8Array>> = {
  dht: encodeUtf8("d1:y1:qe"),
  tracker: Uint8Array.of(0, 0, 0, 1, 9, 9, 9, 9),
  utp: Uint8Array.from({ length: 20 }, (_, index) => (index === 0 ? 0x01 : 0)),
};
const KINDS = ["dht", "tracker", "utp"] as const;

/** A machine's UDP: writes down what is bound and sent. */
class World {
  readonly bound: string[] = [];
  readonly sent: string[] = [];
  readonly warnings: string[] = [];
  readonly closed: string[] = [];
  readonly taken = new Set<string>();
  hasIpv6 = true;
  receive: (bytes: Uint8Array, from: Endpoint) => void = () => undefined;
  readonly port = new SharedPort({
    net: this.#net(),
    log: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => void this.warnings.push(message),
      error: () => assert.fail(),
    },
  });

  #net(): DatagramNet {
    return {
      resolve: async (host) => [host],
      bind: async ({ host, port, receive }) => {
        const place = formatEndpoint({ address: host, port });
        if (this.taken.has(place)) throw Object.assign(new Error(), { code: "EADDRINUSE" });
        if (host === "::" && !this.hasIpv6) {
          throw Object.assign(new Error(), { code: "EAFNOSUPPORT" });
        }
        this.bound.push(place);
        this.receive = receive;
        return {
          local: { address: host, port: port === 0 ? 50_000 : port },
          send: (bytes, to) => void this.sent.push(`${place} ${bytes[0]} ${formatEndpoint(to)}`),
          afterBurst: () => undefined,
          close: () => void this.closed.push(place),
        };
      },
    };
  }

  async part(kind: PacketKind, place: PortPlace = { host: "::", port: 0 }) {
    const received: number[] = [];
    const receive = (bytes: Uint8Array): void => void received.push(bytes[0]!);
    const socket: DatagramSocket = await this.port.part(kind).bind({ ...place, receive });
    return { socket, received };
  }
}

test("one port for all: each part gets its own packets, and nobody the others", async () => {
  const world = new World();
  world.port.setPlace({ host: "0.0.0.0", port: 6881 }, { mayMove: false });
  const parts = await Promise.all(
    KINDS.map((kind) => world.part(kind, { host: "0.0.0.0", port: 6881 })),
  );
  assert.deepEqual(world.bound, ["0.0.0.0:6881"]);
  for (const kind of KINDS) world.receive(PACKETS[kind], PEER);
  world.receive(Uint8Array.of(0xff), PEER);
  world.receive(new Uint8Array(0), PEER);
  assert.deepEqual(
    parts.map(({ received }) => received),
    KINDS.map((kind) => [PACKETS[kind][0]]),
  );
  for (const { socket } of parts) socket.send(Uint8Array.of(5), PEER);
  assert.deepEqual(
    world.sent,
    KINDS.map(() => "0.0.0.0:6881 5 10.0.0.7:7"),
  );
});

test("a part that is closed gets and sends nothing, and the port stays for the others", async () => {
  const world = new World();
  const [dht, utp] = [await world.part("dht"), await world.part("utp")];
  dht.socket.close();
  dht.socket.send(Uint8Array.of(5), PEER);
  world.receive(PACKETS.dht, PEER);
  world.receive(PACKETS.utp, PEER);
  assert.deepEqual([dht.received, utp.received.length, world.sent], [[], 1, []]);
  assert.deepEqual(world.closed, []);
  world.port.close();
  world.port.close();
  assert.deepEqual(world.closed, ["[::]:0"]);
  await assert.rejects(world.part("tracker"));
});

test("a port that is taken: another one when it may move, and the log says so; else the system's code", async () => {
  const world = new World();
  world.taken.add("[::]:6881");
  await assert.rejects(
    async () => {
      world.port.setPlace({ host: "::", port: 6881 }, { mayMove: false });
      await world.part("dht");
    },
    { code: "EADDRINUSE" },
  );
  assert.deepEqual(world.bound, []);
  world.port.setPlace({ host: "::", port: 6881 }, { mayMove: true });
  await world.part("dht");
  assert.equal(world.port.local?.port, 50_000);
  assert.match(world.warnings.join("\n"), /^UDP port 6881 is taken by another program/);
});

test("a machine without IPv6 gets the port with IPv4", async () => {
  const world = new World();
  world.hasIpv6 = false;
  world.port.setPlace({ host: "::", port: 6881 }, { mayMove: true });
  await world.part("dht");
  assert.deepEqual(world.bound, ["0.0.0.0:6881"]);
  assert.deepEqual(world.warnings, []);
});

test("uTP decides the number, because peers have to know it", async () => {
  const world = new World();
  await world.part("utp", { host: "0.0.0.0", port: 7000 });
  await world.part("dht");
  assert.deepEqual(world.bound, ["0.0.0.0:7000"]);
});

const REACHES: [local: string, to: string, own: boolean][] = [
  ["::", "10.0.0.7", true],
  ["::", "2001:db8::7", true],
  ["0.0.0.0", "10.0.0.7", true],
  ["0.0.0.0", "2001:db8::7", false],
  ["127.0.0.1", "127.0.0.9", true],
  ["127.0.0.1", "10.0.0.7", false],
  ["::1", "2001:db8::7", false],
  ["192.168.1.5", "10.0.0.7", true],
];
for (const [host, address, own] of REACHES) {
  test(`a tracker at ${address} is asked through ${own ? "the port" : "a socket of its own"} at ${host}`, async () => {
    const world = new World();
    world.port.setPlace({ host, port: 6881 }, { mayMove: false });
    const { socket, received } = await world.part("tracker");
    socket.send(Uint8Array.of(5), { address, port: 80 });
    await Promise.resolve();
    await new Promise(setImmediate);
    const from = own ? formatEndpoint({ address: host, port: 6881 }) : "[::]:0";
    assert.deepEqual(world.sent, [`${from} 5 ${formatEndpoint({ address, port: 80 })}`]);
    world.receive(PACKETS.tracker, { address, port: 80 });
    assert.deepEqual(received, [0]);
    socket.close();
    await new Promise(setImmediate);
    assert.deepEqual(world.closed, own ? [] : ["[::]:0"]);
  });
}
