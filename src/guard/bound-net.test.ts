import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { DatagramNet, PeerTransport } from "../ports/net.ts";
import { SILENT_LOG } from "../ports/log.ts";
import { Simulation } from "../sim/simulation.ts";
import { BoundInterface, type NamedInterface } from "./bound-interface.ts";
import { boundDatagrams, boundTransport } from "./bound-net.ts";

const TUNNEL: readonly NamedInterface[] = [
  { name: "tun0", address: "10.8.0.2" },
  { name: "tun0", address: "2001:db8::2" },
];
const PACKET = Uint8Array.of(1);

/** A machine that writes down what is opened, sent and closed. */
class World {
  readonly clock = new Simulation();
  readonly open = new Set<string>();
  readonly sent: string[] = [];
  /** Addresses that cannot be used yet. */
  readonly refusing = new Set<string>();
  refusal = "EADDRNOTAVAIL";
  interfaces = TUNNEL;
  readonly bound = new BoundInterface({
    wanted: "tun0",
    interfaces: () => this.interfaces,
    clock: this.clock,
    log: SILENT_LOG,
  });
  readonly options = { bound: this.bound, clock: this.clock, log: SILENT_LOG };
  readonly datagrams: DatagramNet = {
    resolve: async (host) => [host],
    bind: async ({ host, port }) => {
      const place = this.#open(host, port);
      return {
        local: place.local,
        send: (_bytes, to) => void this.sent.push(`${host} > ${formatEndpoint(to)}`),
        afterBurst: (fire) => void this.clock.startTimer(0, fire),
        close: place.close,
      };
    },
  };
  readonly tcp: PeerTransport<"tcp"> = {
    kind: "tcp",
    listen: async ({ host, port }) => this.#open(host, port),
    dial: () => assert.fail(),
  };

  #open(host: string, port: number): { readonly local: Endpoint; readonly close: () => void } {
    if (this.refusing.has(host)) throw Object.assign(new Error(), { code: this.refusal });
    const local = { address: host, port: port === 0 ? 50_000 : port };
    const name = formatEndpoint(local);
    assert.ok(!this.open.has(name), "opened once");
    this.open.add(name);
    return { local, close: () => void this.open.delete(name) };
  }

  /** Lets it notice what has changed, and carry it out. */
  async notice(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) {
      this.clock.runFor(2_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

for (const what of ["TCP", "UDP"] as const) {
  test(`${what} is open at the addresses of the interface only, on one port, and again when it is back`, async () => {
    const world = new World();
    const place = { host: "0.0.0.0", port: 0 };
    const opened =
      what === "TCP"
        ? await boundTransport(world.tcp, world.options).listen({
            ...place,
            accept: () => undefined,
          })
        : await boundDatagrams(world.datagrams, world.options).bind({ ...place, receive() {} });
    const all = ["10.8.0.2:50000", "[2001:db8::2]:50000"];
    assert.deepEqual([...world.open], all);
    assert.equal(opened.local?.port, 50_000);
    world.interfaces = [];
    await world.notice();
    assert.deepEqual([...world.open], []);
    world.refusing.add("2001:db8::2");
    world.interfaces = TUNNEL;
    await world.notice();
    assert.deepEqual([...world.open], [all[0]], "the other address is not ready");
    world.refusing.clear();
    await world.notice();
    assert.deepEqual([...world.open], all);
    opened.close();
    assert.deepEqual([...world.open], []);
    world.interfaces = [];
    await world.notice();
    world.interfaces = TUNNEL;
    await world.notice();
    assert.deepEqual([...world.open], []);
  });
}

test("packets leave from the address of their family, and none while the interface is gone", async () => {
  const world = new World();
  const net = boundDatagrams(world.datagrams, world.options);
  const socket = await net.bind({ host: "::", port: 6881, receive() {} });
  const send = (): void => {
    socket.send(PACKET, { address: "9.9.9.9", port: 1 });
    socket.send(PACKET, { address: "2620:fe::9", port: 2 });
  };
  send();
  assert.deepEqual(world.sent, ["10.8.0.2 > 9.9.9.9:1", "2001:db8::2 > [2620:fe::9]:2"]);
  world.interfaces = [];
  await world.notice();
  send();
  assert.equal(world.sent.length, 2);
  world.interfaces = TUNNEL.slice(0, 1);
  await world.notice();
  send();
  assert.deepEqual(world.sent.slice(2), ["10.8.0.2 > 9.9.9.9:1"]);
});

test("what is opened while the interface is away waits for it; a refusal is an error", async () => {
  const world = new World();
  world.interfaces = [];
  await world.notice();
  const net = boundDatagrams(world.datagrams, world.options);
  const socket = await net.bind({ host: "::", port: 6881, receive() {} });
  assert.equal(socket.local.port, 6881);
  world.interfaces = TUNNEL;
  await world.notice();
  assert.deepEqual([...world.open], ["10.8.0.2:6881", "[2001:db8::2]:6881"]);
  // The system lists an address of IPv6 seconds before it can be used.
  world.refusing.add("2001:db8::2");
  await net.bind({ host: "::", port: 7000, receive() {} });
  assert.equal(world.open.has("[2001:db8::2]:7000"), false);
  world.refusing.clear();
  await world.notice();
  assert.ok(world.open.has("[2001:db8::2]:7000"));
  world.refusing.add("10.8.0.2");
  world.refusal = "EADDRINUSE";
  await assert.rejects(net.bind({ host: "::", port: 8000, receive() {} }), { code: "EADDRINUSE" });
});
