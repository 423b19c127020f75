import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { EndpointAddress } from "../../src/base/peer-address.ts";
import { formatEndpoint } from "../../src/base/endpoint.ts";
import { filteredDatagrams } from "../../src/guard/filtered-net.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { SharedPort } from "../../src/udp/shared-port.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import type {
  DatagramNet,
  NetFailure,
  StreamConnection,
  StreamHandler,
} from "../../src/ports/net.ts";
import { UtpTransport } from "../../src/utp/utp-transport.ts";

// The machine of src/utp on real sockets; lines, liars and losses are simulated in the files beside this one.

/** One end of a stream. It gathers what comes. */
class End implements StreamHandler {
  readonly parts: Uint8Array[] = [];
  readonly opened = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<NetFailure | undefined>();
  stream: StreamConnection | undefined;

  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  handleOpen(): void {
    this.opened.resolve();
  }

  handleBytes(chunk: Uint8Array, length: number): void {
    this.parts.push(chunk.slice(0, length));
  }

  handleSent(): void {}

  handleClose(failure: NetFailure | undefined): void {
    this.closed.resolve(failure);
  }
}

async function machine(t: TestContext, allowRemote = () => true, datagrams?: DatagramNet) {
  const accepted: End[] = [];
  const transport = new UtpTransport({
    datagrams: datagrams ?? new UdpNet(),
    clock: new NodeClock(),
    random: new NodeRandom(),
    allowRemote,
  });
  const listener = await transport.listen({
    host: "127.0.0.1",
    port: 0,
    accept: (stream) => {
      const end = new End();
      end.stream = stream;
      accepted.push(end);
      return end;
    },
  });
  t.after(() => transport.close());
  const address: EndpointAddress<"utp"> = { kind: "utp", endpoint: listener.local! };
  const dial = (to: EndpointAddress<"utp">): End => {
    const end = new End();
    end.stream = transport.dial(to, end, { timeoutMs: 5_000 });
    return end;
  };
  return { transport, listener, address, accepted, dial };
}

const CONTENT = new NodeRandom().bytes(1_000_000);

test("bytes go both ways between two ports, and the goodbye is acknowledged before the port ends", async (t) => {
  const [a, b] = [await machine(t), await machine(t)];
  const caller = a.dial(b.address);
  await caller.opened.promise;
  assert.deepEqual(caller.stream!.remote, b.address);
  caller.stream!.write(CONTENT);
  while (b.accepted.length === 0) await new Promise(setImmediate);
  const [answerer] = b.accepted;
  answerer!.stream!.write(Uint8Array.of(7));
  while (answerer!.bytes.length < CONTENT.length) await new Promise(setImmediate);
  assert.ok(answerer!.bytes.equals(CONTENT));
  while (caller.bytes.length === 0) await new Promise(setImmediate);
  caller.stream!.destroy();
  assert.equal(await answerer!.closed.promise, undefined);
  await Promise.all([a.transport.close(), b.transport.close()]);
  assert.deepEqual([a.transport.count, b.transport.count], [0, 0]);
});

const SKIP = process.platform === "linux" ? false : "only Linux tells the packets of its links";
test(
  "two of our own on one machine send each other datagrams with many packets",
  {
    skip: SKIP,
  },
  async (t) => {
    const [a, b] = [await machine(t), await machine(t)];
    const caller = a.dial(b.address);
    await caller.opened.promise;
    const bytesMax = caller.stream!.datagramBytesMax;
    assert.ok(bytesMax !== undefined);
    caller.stream!.allowDatagrams!(bytesMax);
    const content = new NodeRandom().bytes(8_000_000);
    for (let at = 0; at < content.length; at += 100_000) {
      caller.stream!.write(content.subarray(at, at + 100_000));
    }
    while (b.accepted.length === 0) await new Promise(setImmediate);
    const [answerer] = b.accepted;
    let gotBytes = 0;
    while (gotBytes < content.length) {
      await new Promise(setImmediate);
      gotBytes = answerer!.parts.reduce((sum, { length }) => sum + length, 0);
    }
    assert.ok(answerer!.bytes.equals(content));
    assert.ok(answerer!.parts.some(({ length }) => length > 20_000));
  },
);

test("a port that does not listen any more refuses calls", async (t) => {
  const [a, b] = [await machine(t), await machine(t)];
  b.listener.close();
  const caller = a.dial(b.address);
  caller.stream!.write(Uint8Array.of(1));
  assert.equal((await caller.closed.promise)?.code, "ECONNRESET");
  assert.deepEqual(b.accepted, []);
});

test("an address that the guard forbids gets no packet, and the caller is told later (house rule 8)", async (t) => {
  const b = await machine(t);
  const a = await machine(t, () => false);
  const caller = a.dial(b.address);
  const failure = await caller.closed.promise;
  assert.deepEqual(failure?.code, "EACCES");
  assert.deepEqual([a.transport.count, b.accepted], [0, []]);
});

test("WIR-21: a peer has a queue of its own while it is connected, through the port that all share and the IP filter", async (t) => {
  const udp = new UdpNet();
  const queues: string[] = [];
  const given: string[] = [];
  const watched: DatagramNet = {
    resolve: (host) => udp.resolve(host),
    bind: async (options) => {
      assert.equal(options.hasQueues, true);
      const socket = await udp.bind(options);
      return {
        local: socket.local,
        send: (bytes, to) => socket.send(bytes, to),
        afterBurst: (fire) => socket.afterBurst(fire),
        openQueue: (remote) => {
          queues.push(formatEndpoint(remote));
          const giveBack = socket.openQueue!(remote);
          return () => {
            given.push(formatEndpoint(remote));
            giveBack();
          };
        },
        close: () => socket.close(),
      };
    },
  };
  const net = filteredDatagrams(watched, () => undefined);
  const shared = new SharedPort({ net, log: SILENT_LOG });
  t.after(() => shared.close());
  const a = await machine(t);
  const b = await machine(t, undefined, shared.part("utp"));
  const caller = a.dial(b.address);
  await caller.opened.promise;
  caller.stream!.write(CONTENT);
  while (b.accepted.length === 0) await new Promise(setImmediate);
  const [answerer] = b.accepted;
  while (answerer!.bytes.length < CONTENT.length) await new Promise(setImmediate);
  assert.ok(answerer!.bytes.equals(CONTENT));
  assert.deepEqual([queues, given], [[formatEndpoint(a.address.endpoint)], []]);
  caller.stream!.destroy();
  await answerer!.closed.promise;
  await Promise.all([a.transport.close(), b.transport.close()]);
  assert.deepEqual(given, queues);
});
