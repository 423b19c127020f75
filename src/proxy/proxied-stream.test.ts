import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, fromHex, toHex, toLatin1 } from "../base/bytes.ts";
import { tcpAddress } from "../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { SimNet } from "../sim/sim-net.ts";
import { Simulation } from "../sim/simulation.ts";
import { ProxiedTransport } from "./proxied-transport.ts";
import { ProxyPlace } from "./proxy-place.ts";
import { parseProxyUrl } from "./proxy-url.ts";

const LINK = { upBytesPerSecond: 1e6, downBytesPerSecond: 1e6, latencyMs: 5 };
const HERE = "10.0.0.1";
const PROXY = "10.0.0.2";
const PEER = tcpAddress({ address: "10.0.0.3", port: 6881 });
const GREETING = "050100";
const REQUEST = "050100010a0000031ae1";
const GRANTED = "05000001000000000000";

class Ear implements StreamHandler {
  readonly heard: string[] = [];
  stream: StreamConnection | undefined;
  handleOpen(): void {
    this.heard.push("open");
  }
  handleBytes(chunk: Uint8Array, length: number): void {
    this.heard.push(`got ${toLatin1(chunk.subarray(0, length))}`);
  }
  handleSent(bytes: number): void {
    this.heard.push(`${bytes} sent`);
  }
  handleClose(failure: NetFailure | undefined): void {
    this.heard.push(`closed ${failure?.code ?? ""} ${failure?.message ?? ""}`.trim());
  }
}

/** A proxy that notes what it gets, and answers as the test says. */
class Proxy implements StreamHandler {
  readonly got: string[] = [];
  stream: StreamConnection | undefined;
  handleOpen(): void {}
  handleBytes(chunk: Uint8Array, length: number): void {
    this.got.push(toHex(chunk.slice(0, length)));
  }
  handleSent(): void {}
  handleClose(): void {
    this.got.push("closed");
  }
}

async function world() {
  const simulation = new Simulation();
  const net = new SimNet({ simulation });
  const here = net.createHost(HERE, LINK);
  const there = net.createHost(PROXY, LINK);
  const peer = net.createHost("10.0.0.3", LINK);
  const direct: string[] = [];
  await peer.listen({ host: "10.0.0.3", port: 6881, accept: () => void direct.push("around!") });
  const proxies: Proxy[] = [];
  const listener = await there.listen({
    host: PROXY,
    port: 1080,
    accept: (stream) => {
      const proxy = new Proxy();
      proxy.stream = stream;
      proxies.push(proxy);
      return proxy;
    },
  });
  const proxy = parseProxyUrl(`socks5://${PROXY}:1080`);
  const resolve = async (host: string): Promise<string[]> => [host];
  const place = await ProxyPlace.open({ proxy, resolve, clock: simulation });
  const tcp = here.transport("tcp") as ConstructorParameters<typeof ProxiedTransport>[0]["lower"];
  const transport = new ProxiedTransport({ proxy, place, lower: tcp, clock: simulation });
  const dial = (): Ear => {
    const ear = new Ear();
    ear.stream = transport.dial(PEER, ear, { timeoutMs: 1000 });
    return ear;
  };
  const answer = (hex: string): void => {
    proxies.at(-1)!.stream!.write(fromHex(hex)!);
    simulation.runFor(50);
  };
  return { simulation, transport, dial, answer, proxies, listener, direct, there };
}

test("a peer is reached through the proxy, and hears nothing of it", async () => {
  const { simulation, dial, answer, proxies, direct } = await world();
  const ear = dial();
  ear.stream!.write(encodeUtf8("first"));
  assert.equal(ear.stream!.bufferedBytes, 5);
  simulation.runFor(50);
  assert.deepEqual(ear.heard, []);
  answer("0500");
  // The peer may be as fast as the proxy.
  answer(`${GRANTED}${toHex(encodeUtf8("hello"))}`);
  assert.deepEqual(proxies[0]!.got, [GREETING, REQUEST, toHex(encodeUtf8("first"))]);
  assert.deepEqual(ear.heard, ["open", "got hello", "5 sent"]);
  assert.deepEqual(ear.stream!.remote, PEER);
  assert.equal(ear.stream!.local, undefined);
  ear.stream!.write(encodeUtf8("more"));
  simulation.runFor(50);
  assert.equal(ear.stream!.bufferedBytes, 0);
  proxies[0]!.stream!.destroy();
  simulation.runFor(50);
  assert.deepEqual(ear.heard.slice(3), ["4 sent", "closed"]);
  assert.deepEqual(direct, []);
});

test("early bytes wait while reading is paused", async () => {
  const { simulation, dial, answer } = await world();
  const ear = dial();
  ear.stream!.pauseReading();
  simulation.runFor(50);
  answer("0500");
  answer(`${GRANTED}${toHex(encodeUtf8("early"))}`);
  answer(toHex(encodeUtf8("later")));
  assert.deepEqual(ear.heard, ["open"]);
  ear.stream!.resumeReading();
  assert.deepEqual(ear.heard, ["open"], "never inside the call");
  simulation.runFor(50);
  assert.deepEqual(ear.heard, ["open", "got early", "got later"]);
});

const FAILURES: readonly (readonly [what: string, answers: readonly string[], words: RegExp])[] = [
  ["refuses", ["0500", "0502"], /^closed ECONNREFUSED the proxy did not get through: its rules/],
  ["talks nonsense", ["485454"], /^closed EPROTO what answers there is no SOCKS5 proxy/],
  ["says nothing", [], /^closed ETIMEDOUT no answer in 1000 ms/],
  ["stops in the middle", ["0500", "0500"], /^closed ETIMEDOUT/],
];
for (const [what, answers, words] of FAILURES) {
  test(`WIR-27: nothing goes around a proxy that ${what}`, async () => {
    const { simulation, dial, answer, proxies, direct } = await world();
    const ear = dial();
    simulation.runFor(50);
    for (const each of answers) answer(each);
    simulation.runFor(2000);
    assert.equal(ear.heard.length, 1);
    assert.match(ear.heard[0]!, words);
    assert.equal(proxies[0]!.got.at(-1), "closed", "the connection to the proxy does not stay");
    assert.deepEqual(direct, []);
  });
}

test("WIR-27: nothing goes around a proxy that is gone, or dies in the middle", async () => {
  const { simulation, dial, proxies, listener, direct, there } = await world();
  const ear = dial();
  simulation.runFor(50);
  proxies[0]!.stream!.destroy();
  simulation.runFor(50);
  assert.deepEqual(ear.heard, ["closed ECONNRESET the proxy: it ended the connection"]);
  listener.close();
  const second = dial();
  simulation.runFor(50);
  assert.match(second.heard[0]!, /^closed ECONNREFUSED the proxy: /);
  there.goOffline();
  const third = dial();
  simulation.runFor(5000);
  assert.match(third.heard[0]!, /^closed ETIMEDOUT/);
  assert.deepEqual(direct, []);
});

test("a dial that is given up leaves nothing, and says nothing", async () => {
  const { simulation, dial, proxies } = await world();
  const ear = dial();
  simulation.runFor(50);
  ear.stream!.destroy();
  simulation.runFor(3000);
  assert.deepEqual(ear.heard, []);
  assert.equal(proxies[0]!.got.at(-1), "closed");
});

test("a proxy takes no calls: there is no port to tell others of", async () => {
  const { transport } = await world();
  const listener = await transport.listen();
  assert.equal(listener.local, undefined);
});

test("a proxy's name is looked up again when nothing answers, once a minute, and its addresses take turns", async () => {
  const clock = new Simulation();
  const answers = [["10.0.0.1", "10.0.0.2"], ["10.0.0.9"]];
  const asked: string[] = [];
  const place = await ProxyPlace.open({
    proxy: parseProxyUrl("socks5://proxy.example:1080"),
    resolve: async (host) => {
      asked.push(host);
      return answers[asked.length - 1]!;
    },
    clock,
  });
  const seen = [place.endpoint.address];
  place.handleUnreachable();
  seen.push(place.endpoint.address);
  clock.runFor(61_000);
  place.handleUnreachable();
  await Promise.resolve();
  seen.push(place.endpoint.address);
  assert.deepEqual(seen, ["10.0.0.1", "10.0.0.2", "10.0.0.9"]);
  assert.deepEqual(asked, ["proxy.example", "proxy.example"]);
  const absent = ProxyPlace.open({
    proxy: parseProxyUrl("socks5://me:secret@gone.example:1"),
    resolve: async () => [],
    clock,
  });
  await assert.rejects(absent, /^ProxyError: The proxy socks5:\/\/gone\.example:1 has no address/);
});
