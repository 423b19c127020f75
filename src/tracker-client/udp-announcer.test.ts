import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { AnnounceAnswer } from "../announce/announce-answer.ts";
import { AnnounceRequest, type OutgoingAnnounce } from "../announce/announce-request.ts";
import {
  encodeUdpAnnounceReply,
  encodeUdpConnectReply,
  encodeUdpError,
} from "../announce/udp-reply.ts";
import { isUdpConnect, parseUdpAnnounce } from "../announce/udp-request.ts";
import { fromLatin1, readUint32, toHex } from "../base/bytes.ts";
import { encodeCompact, type Endpoint } from "../base/endpoint.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { Simulation } from "../sim/simulation.ts";
import type { AddressFamily, AnnounceOutcome } from "./announce-outcome.ts";
import { UdpAnnouncer } from "./udp-announcer.ts";

const URL_A = "udp://a.example:80/announce";
const ANNOUNCE: OutgoingAnnounce = {
  infohash: new Uint8Array(20).fill(7),
  peerId: fromLatin1("-EV0100-abcdefghijkl"),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 5,
  event: "started",
  numwant: 50,
  key: 1,
};

interface Packet {
  readonly kind: "connect" | "announce";
  readonly transactionId: number;
  readonly connection: string;
  readonly to: Endpoint;
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** A network with one socket: it records what is sent, and `answer` replies. */
class World {
  readonly clock = new Simulation();
  readonly sent: Packet[] = [];
  readonly bound: string[] = [];
  names: Readonly<Record<string, readonly string[]>> = { "a.example": ["10.0.0.9"] };
  hasIpv6 = true;
  canBind = true;
  answer: (packet: Packet) => void = () => undefined;
  /** Changes when a tracker restarts. */
  connection = 1;
  #receive: (bytes: Uint8Array, from: Endpoint) => void = () => undefined;

  readonly announcer = new UdpAnnouncer({
    clock: this.clock,
    random: seededRandom(3),
    datagrams: {
      resolve: (host) => Promise.resolve(this.names[host] ?? []),
      bind: ({ host, port, receive }) => {
        this.bound.push(host);
        if (!this.canBind || (host === "::" && !this.hasIpv6)) {
          return Promise.reject(new Error("cannot bind"));
        }
        this.#receive = receive;
        const send = (bytes: Uint8Array, to: Endpoint): void => this.#handleSent(bytes, to);
        return Promise.resolve({
          local: { address: host, port },
          send,
          afterBurst: () => undefined,
          close: () => undefined,
        });
      },
    },
  });

  /** Delivers a packet to our socket. */
  deliver(bytes: Uint8Array, from: Endpoint): void {
    this.#receive(bytes, from);
  }

  /** Answers like a tracker that knows its connections. */
  serve(packet: Packet, peers: readonly Endpoint[] = []): void {
    const { kind, transactionId, to } = packet;
    if (kind === "connect") {
      this.deliver(encodeUdpConnectReply(transactionId, [0, this.connection]), to);
    } else if (packet.connection === `${"0".repeat(15)}${this.connection}`) {
      const answer = new AnnounceAnswer();
      answer.reset(to.address.includes(":") ? 18 : 6);
      for (const [i, peer] of peers.entries()) {
        answer.peers.set(encodeCompact(peer), i * answer.entryBytes);
      }
      answer.peerCount = peers.length;
      this.deliver(encodeUdpAnnounceReply(transactionId, 720, answer), to);
    } else {
      this.deliver(encodeUdpError(transactionId, "Connection ID mismatch"), to);
    }
  }

  async announce(
    url = URL_A,
    signal = new AbortController().signal,
    family: AddressFamily = 4,
  ): Promise<AnnounceOutcome> {
    let outcome: AnnounceOutcome | undefined;
    const announcing = this.announcer
      .announce(url, ANNOUNCE, { family, signal, torrent: this })
      .then((it) => (outcome = it));
    for (let hop = 0; hop < 2000 && !outcome; hop += 1) {
      for (let i = 0; i < 5; i += 1) await turn();
      if (!outcome) this.clock.runFor(100);
    }
    return announcing;
  }

  kinds(): string[] {
    return this.sent.map(({ kind }) => kind);
  }

  #handleSent(bytes: Uint8Array, to: Endpoint): void {
    const packet: Packet = {
      kind: isUdpConnect(bytes) ? "connect" : "announce",
      transactionId: readUint32(bytes, 12),
      connection: toHex(bytes.subarray(0, 8)),
      to,
      atMs: this.clock.nowMs(),
      bytes,
    };
    this.sent.push(packet);
    this.clock.startTimer(10, () => this.answer(packet));
  }
}

test("an unreachable tracker is described in words", async () => {
  const nameless = new World();
  const unknown = await nameless.announce("udp://b.example:80");
  assert.deepEqual(unknown, { kind: "unreachable", message: "b.example has no address" });
  const portless = await nameless.announce("udp://a.example/announce");
  assert.ok(portless.kind === "unreachable" && /no port/.test(portless.message));
  assert.deepEqual(nameless.bound, [], "no socket before there is a tracker to ask");
  nameless.canBind = false;
  const deaf = await nameless.announce();
  assert.deepEqual(deaf, { kind: "unreachable", message: "cannot bind" });
  nameless.canBind = true;
  nameless.answer = (packet) => nameless.serve(packet);
  assert.equal((await nameless.announce()).kind, "reply");
});

test("a silent tracker is tried three times: 3 s, 6 s, 15 s", async () => {
  const world = new World();
  const outcome = await world.announce();
  assert.deepEqual(outcome, { kind: "unreachable", message: "no answer from a.example" });
  assert.deepEqual(world.kinds(), ["connect", "connect", "connect"]);
  const waits = world.sent.map(({ atMs }) => Math.round(atMs / 1000));
  assert.deepEqual(waits, [0, 3, 9]);
  assert.ok(world.clock.nowMs() < 25_000);
});

test("an announce succeeds in spite of lost packets", async () => {
  const world = new World();
  world.answer = (packet) => {
    const lost = [0, 2].includes(world.sent.indexOf(packet));
    if (!lost) world.serve(packet, [{ address: "1.2.3.4", port: 5 }]);
  };
  const outcome = await world.announce();
  assert.ok(outcome.kind === "reply");
  assert.deepEqual(outcome.peers, [{ address: "1.2.3.4", port: 5 }]);
  const request = new AnnounceRequest();
  parseUdpAnnounce(world.sent.at(-1)!.bytes, request);
  assert.deepEqual(request.infohash, ANNOUNCE.infohash);
  assert.equal(request.event, "started");
});

test("BEP 15: a connection id is used for a minute, by all torrents", async () => {
  const world = new World();
  world.answer = (packet) => world.serve(packet);
  await Promise.all([world.announce(), world.announce()]);
  assert.deepEqual(world.kinds(), ["connect", "announce", "announce"]);
  world.clock.runFor(50_000);
  await world.announce();
  assert.equal(world.kinds().filter((kind) => kind === "connect").length, 1);
  world.clock.runFor(15_000);
  await world.announce();
  assert.equal(world.kinds().filter((kind) => kind === "connect").length, 2);
  assert.deepEqual(world.bound, ["::"]);
});

test("a restarted tracker gets a new connection", async () => {
  const world = new World();
  world.answer = (packet) => world.serve(packet);
  await world.announce();
  world.connection = 2;
  assert.equal((await world.announce()).kind, "reply");
  assert.deepEqual(world.kinds(), ["connect", "announce", "announce", "connect", "announce"]);
});

test("answers from strangers and to other requests are ignored", async () => {
  const world = new World();
  world.answer = (packet) => {
    const evil = encodeUdpError(packet.transactionId, "evil");
    world.deliver(evil, { address: "10.0.0.8", port: 80 });
    world.deliver(evil, { address: "10.0.0.9", port: 81 });
    world.deliver(encodeUdpError(packet.transactionId ^ 1, "evil"), packet.to);
    world.deliver(new Uint8Array(3), packet.to);
    world.serve(packet);
    world.deliver(evil, packet.to);
  };
  assert.equal((await world.announce()).kind, "reply");
});

test("a refusal is reported, and so is a truncated answer", async () => {
  const world = new World();
  world.answer = (packet) => {
    if (packet.kind === "connect") world.serve(packet);
    else world.deliver(encodeUdpError(packet.transactionId, "not registered"), packet.to);
  };
  assert.deepEqual(await world.announce(), { kind: "failure", reason: "not registered" });
  world.answer = ({ transactionId, to }) => {
    world.deliver(encodeUdpConnectReply(transactionId, [0, 1]).subarray(0, 12), to);
  };
  const cut = await world.announce();
  assert.ok(cut.kind === "failure" && /cut short/.test(cut.reason));
});

test("BEP 7: IPv6 entries have 18 bytes; the requested family is used", async () => {
  const world = new World();
  world.names = { "a.example": ["10.0.0.9", "2001:db8::9"] };
  const peers = [{ address: "2001:db8::1", port: 6881 }];
  world.answer = (packet) => world.serve(packet, peers);
  const outcome = await world.announce(URL_A, new AbortController().signal, 6);
  assert.ok(outcome.kind === "reply");
  assert.deepEqual(outcome.peers, peers);
  await world.announce();
  const asked = world.sent.map(({ to }) => to.address);
  assert.deepEqual(asked, ["2001:db8::9", "2001:db8::9", "10.0.0.9", "10.0.0.9"]);
});

test("a name's addresses are tried in turn", async () => {
  const world = new World();
  world.names = { "a.example": ["10.0.0.8", "10.0.0.9"] };
  world.answer = (packet) => packet.to.address === "10.0.0.9" && world.serve(packet);
  assert.equal((await world.announce()).kind, "reply");
});

test("a machine without IPv6 uses IPv4", async () => {
  const world = new World();
  world.hasIpv6 = false;
  world.answer = (packet) => world.serve(packet);
  assert.equal((await world.announce()).kind, "reply");
  assert.deepEqual(world.bound, ["::", "0.0.0.0"]);
});

test("the signal aborts it at once, and so does closing the client", async () => {
  const world = new World();
  const giveUp = new AbortController();
  world.answer = (packet) => {
    if (packet.kind === "connect") world.serve(packet);
    else giveUp.abort();
  };
  assert.equal((await world.announce(URL_A, giveUp.signal)).kind, "unreachable");
  assert.deepEqual(world.kinds(), ["connect", "announce"]);
  const closed = new World();
  closed.answer = () => closed.announcer.close();
  assert.equal((await closed.announce()).kind, "unreachable");
});
