import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { concatBytes } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { tcpAddress } from "../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { TcpNet, type TcpNetOptions } from "./tcp-net.ts";

const TIMEOUT = { timeoutMs: 5000 };

/** Records the events of a connection and lets a test wait for any of them. */
class Ear implements StreamHandler {
  connection: StreamConnection | undefined;
  opened = false;
  receivedBytes = 0;
  readonly #parts: Uint8Array[] = [];
  sentBytes = 0;
  sentCalls = 0;
  closes: (NetFailure | undefined)[] = [];
  onBytes: (() => void) | undefined;
  readonly chunkBuffers = new Set<ArrayBufferLike>();
  #wake: () => void = () => undefined;

  handleOpen(): void {
    this.opened = true;
    this.#wake();
  }
  handleBytes(chunk: Uint8Array, length: number): void {
    this.chunkBuffers.add(chunk.buffer);
    this.#parts.push(Uint8Array.from(chunk.subarray(0, length)));
    this.receivedBytes += length;
    this.onBytes?.();
    this.#wake();
  }
  handleSent(bytes: number): void {
    this.sentBytes += bytes;
    this.sentCalls += 1;
    this.#wake();
  }
  handleClose(failure: NetFailure | undefined): void {
    this.closes.push(failure);
    this.#wake();
  }
  received(): Uint8Array {
    return concatBytes(this.#parts);
  }
  failureCodes(): (string | undefined)[] {
    return this.closes.map((failure) => failure?.code);
  }
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

interface Pair {
  readonly near: Ear;
  readonly far: Ear;
  readonly listener: Awaited<ReturnType<TcpNet["listen"]>>;
  readonly tcp: TcpNet;
}

/** The other side, as this one sees it. */
function endpointOf(ear: Ear): Endpoint {
  const { remote } = ear.connection!;
  assert.equal(remote.kind, "tcp");
  return remote.endpoint;
}

async function connectedPair(t: TestContext, options: TcpNetOptions, host: string): Promise<Pair> {
  const tcp = new TcpNet(options);
  const near = new Ear();
  const far = new Ear();
  const listener = await tcp.listen({
    host,
    port: 0,
    accept: (connection) => {
      far.connection = connection;
      return far;
    },
  });
  near.connection = tcp.dial(tcpAddress(listener.local), near, TIMEOUT);
  await near.until(() => near.opened);
  t.after(() => {
    near.connection?.destroy();
    far.connection?.destroy();
    listener.close();
  });
  return { near, far, listener, tcp };
}

function pattern(bytes: number, shared: boolean): Uint8Array {
  const view = shared ? new Uint8Array(new SharedArrayBuffer(bytes)) : new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1) view[i] = (i * 31) ^ (i >>> 8);
  return view;
}

test("a taken port is refused with its code, in words", async (t) => {
  const { listener, tcp } = await connectedPair(t, {}, "127.0.0.1");
  const { address, port } = listener.local;
  await assert.rejects(tcp.listen({ host: address, port, accept: () => undefined }), {
    code: "EADDRINUSE",
    message: `cannot listen on 127.0.0.1 port ${port}: another program uses it already`,
  });
});

test("nobody listens: handleClose is called once, later, with the code", async () => {
  const free = net.createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as net.AddressInfo;
  free.close();
  await once(free, "close");
  const ear = new Ear();
  const connection = new TcpNet().dial(tcpAddress({ address: "127.0.0.1", port }), ear, TIMEOUT);
  assert.deepEqual(ear.closes, []);
  await ear.until(() => ear.closes.length > 0);
  assert.equal(ear.failureCodes()[0], "ECONNREFUSED");
  connection.write(new Uint8Array(3));
  assert.equal(connection.bufferedBytes, 0);
});

test("an address that the guard forbids is never connected to (house rule 8)", async () => {
  const ear = new Ear();
  new TcpNet({ allowRemote: ({ address, port }) => address !== "10.1.2.3" || port !== 80 }).dial(
    tcpAddress({ address: "10.1.2.3", port: 80 }),
    ear,
    TIMEOUT,
  );
  assert.deepEqual(ear.closes, []);
  await ear.until(() => ear.closes.length > 0);
  assert.equal(ear.failureCodes()[0], "EACCES");
});

test("no answer within the limit: ETIMEDOUT", async (t) => {
  // A frozen listener with a full backlog leaves further callers unanswered.
  const program = `
    const server = require("node:net").createServer();
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  child.kill("SIGSTOP");
  const tcp = new TcpNet();
  const ear = new Ear();
  const remote = tcpAddress({ address: "127.0.0.1", port: Number(line) });
  const connections = Array.from({ length: 8 }, () => tcp.dial(remote, ear, { timeoutMs: 200 }));
  t.after(() => {
    for (const connection of connections) connection.destroy();
  });
  await ear.until(() => ear.closes.length > 0);
  assert.equal(ear.failureCodes()[0], "ETIMEDOUT");
});

test("a connection that `accept` refuses is closed", async (t) => {
  const tcp = new TcpNet();
  const listener = await tcp.listen({ host: "127.0.0.1", port: 0, accept: () => undefined });
  t.after(() => listener.close());
  const ear = new Ear();
  tcp.dial(tcpAddress(listener.local), ear, TIMEOUT);
  await ear.until(() => ear.closes.length > 0);
  assert.equal(ear.closes.length, 1);
});

for (const reuseBuffer of [true, false]) {
  const way = reuseBuffer ? "one reused buffer" : "data events";

  test(`${way}: 24 MiB of shared memory arrive whole in both directions`, async (t) => {
    const { near, far } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
    const block = pattern(1024 * 1024, true);
    const rounds = 24;
    for (const ear of [near, far]) for (let i = 0; i < rounds; i += 1) ear.connection!.write(block);
    assert.equal(near.connection!.bufferedBytes, rounds * block.length);
    for (const ear of [near, far]) {
      await ear.until(() => ear.receivedBytes === rounds * block.length);
      const expected = concatBytes(Array.from({ length: rounds }, () => block));
      assert.deepEqual(sha1(ear.received()), sha1(expected));
      await ear.until(() => ear.sentBytes === rounds * block.length);
      assert.ok(ear.sentCalls > 1, "buffers are returned before everything is sent");
      assert.equal(ear.connection!.bufferedBytes, 0);
    }
    if (reuseBuffer) {
      assert.equal(near.chunkBuffers.size, 1);
      assert.deepEqual(near.chunkBuffers, far.chunkBuffers, "accepted sockets use it too");
    }
  });

  test(`${way}: small writes of one turn leave together, in order`, async (t) => {
    const { near, far } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
    const big = pattern(10_000, false);
    near.connection!.write(Uint8Array.of(1));
    near.connection!.write(Uint8Array.of(2, 3));
    near.connection!.write(big);
    near.connection!.write(Uint8Array.of(4));
    near.connection!.write(new Uint8Array(0));
    await far.until(() => far.receivedBytes === 4 + big.length);
    assert.deepEqual(far.received(), concatBytes([Uint8Array.of(1, 2, 3), big, Uint8Array.of(4)]));
    await near.until(() => near.sentBytes === 4 + big.length);
    assert.equal(near.sentCalls, 1);
  });

  test(`${way}: what is written before the connection is open leaves once it is`, async (t) => {
    const { far, listener, tcp } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
    const early = new Ear();
    const connection = tcp.dial(tcpAddress(listener.local), early, TIMEOUT);
    t.after(() => connection.destroy());
    connection.write(Uint8Array.of(7, 8, 9));
    assert.equal(connection.bufferedBytes, 3);
    await early.until(() => early.sentBytes === 3);
    await far.until(() => far.receivedBytes === 3);
    assert.deepEqual([...far.received()], [7, 8, 9]);
  });

  test(`${way}: pausing stops the remote, resuming loses nothing`, async (t) => {
    const { near, far } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
    far.connection!.pauseReading();
    const block = pattern(1024 * 1024, false);
    const rounds = 16; // more than the kernel holds for both sides
    for (let i = 0; i < rounds; i += 1) near.connection!.write(block);
    await near.until(() => near.sentBytes > 0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(far.receivedBytes, 0);
    assert.ok(near.connection!.bufferedBytes > 0);
    far.connection!.resumeReading();
    await far.until(() => far.receivedBytes === rounds * block.length);
  });

  test(
    `${way}: unacknowledged bytes are reported, including those that the system has taken`,
    { skip: process.platform !== "linux" && "only Linux reports them" },
    async (t) => {
      const { near, far } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
      const unacked = async (isDone: (bytes: number) => boolean): Promise<number> => {
        for (;;) {
          const bytes = near.connection!.unackedBytes();
          if (bytes !== undefined && isDone(bytes)) return bytes;
          await sleep(50);
        }
      };
      far.connection!.pauseReading();
      const block = pattern(1024 * 1024, false);
      for (let i = 0; i < 16; i += 1) near.connection!.write(block);
      // More than waits here, because the system holds some of it.
      const held = await unacked((bytes) => bytes > near.connection!.bufferedBytes);
      assert.ok(held < 16 * block.length, `${held}`);
      far.connection!.resumeReading();
      await far.until(() => far.receivedBytes === 16 * block.length);
      assert.equal(await unacked((bytes) => bytes === 0), 0);
    },
  );

  test(`${way}: pausing from within handleBytes stops at once`, async (t) => {
    const { near, far } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
    let calls = 0;
    far.onBytes = () => {
      calls += 1;
      far.connection!.pauseReading();
    };
    near.connection!.write(pattern(900_000, false));
    await far.until(() => calls === 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(calls, 1);
    far.onBytes = undefined;
    far.connection!.resumeReading();
    await far.until(() => far.receivedBytes === 900_000);
  });

  test(`${way}: after our own destroy no handler is called, and the other side gets the end once`, async (t) => {
    const { near, far } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
    far.onBytes = () => far.connection!.destroy();
    near.connection!.write(pattern(3_000_000, false));
    await near.until(() => near.closes.length > 0);
    far.connection!.destroy();
    assert.equal(near.closes.length, 1);
    assert.deepEqual(far.closes, []);
    const heard = far.receivedBytes;
    far.connection!.write(Uint8Array.of(1));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(far.receivedBytes, heard);
    assert.equal(far.sentBytes, 0);
    assert.equal(near.connection!.bufferedBytes, 0);
  });

  test(`${way}: a reset arrives as an error code, a half-closed peer as an end`, async (t) => {
    const { listener, far } = await connectedPair(t, { reuseBuffer }, "127.0.0.1");
    const rude = net.connect(listener.local.port, "127.0.0.1");
    rude.on("error", () => rude.destroy());
    await once(rude, "connect");
    const half = net.connect({ port: listener.local.port, host: "127.0.0.1", allowHalfOpen: true });
    await once(half, "connect");
    t.after(() => half.destroy());
    // Both replaced `far.connection` but share its ear: two ends, one of them with a code.
    rude.resetAndDestroy();
    await far.until(() => far.closes.length === 1);
    assert.equal(far.failureCodes()[0], "ECONNRESET");
    half.end();
    await far.until(() => far.closes.length === 2);
    assert.deepEqual(far.failureCodes(), ["ECONNRESET", undefined]);
  });
}

test("IPv6 works; IPv4 callers of a dual-stack listener appear under their IPv4 address (TRK-21)", async (t) => {
  const { near, far } = await connectedPair(t, {}, "::1");
  assert.equal(endpointOf(near).address, "::1");
  assert.equal(endpointOf(far).address, "::1");
  assert.equal(near.connection!.local?.port, endpointOf(far).port);

  const tcp = new TcpNet();
  const ear = new Ear();
  const listener = await tcp.listen({
    host: "::",
    port: 0,
    accept: (connection) => {
      ear.connection = connection;
      return ear;
    },
  });
  t.after(() => listener.close());
  const caller = net.connect(listener.local.port, "127.0.0.1");
  t.after(() => caller.destroy());
  caller.write("x");
  await ear.until(() => ear.receivedBytes === 1);
  assert.deepEqual(
    [endpointOf(ear).address, ear.connection!.local?.address],
    ["127.0.0.1", "127.0.0.1"],
  );
  ear.connection!.destroy();
});

test("closing the listener leaves open connections alone", async (t) => {
  const { near, far, listener } = await connectedPair(t, {}, "127.0.0.1");
  listener.close();
  near.connection!.write(Uint8Array.of(5));
  await far.until(() => far.receivedBytes === 1);
});

test("a process out of file descriptors keeps running, and accepts again later (STO-7)", async (t) => {
  const program = `
    import { TcpNet } from ${JSON.stringify(import.meta.resolve("./tcp-net.ts"))};
    const ear = { handleOpen() {}, handleBytes() {}, handleSent() {}, handleClose() {} };
    const accept = (connection) => { connection.write(Uint8Array.of(1)); return ear; };
    const listener = await new TcpNet().listen({ host: "127.0.0.1", port: 0, accept });
    console.log(listener.local.port);
  `;
  const command = `ulimit -n 64; exec "$0" --input-type=module -e "$1"`;
  const child = spawn("sh", ["-c", command, process.execPath, program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const port = Number(line);
  const served = (socket: net.Socket): Promise<boolean> =>
    new Promise((resolve) => {
      socket.on("data", () => resolve(true));
      socket.on("close", () => resolve(false));
      socket.on("error", () => resolve(false));
    });
  const crowd = Array.from({ length: 100 }, () => net.connect(port, "127.0.0.1"));
  const answers = await Promise.all(crowd.map(served));
  assert.ok(answers.includes(true));
  assert.ok(answers.includes(false), "the limit was reached");
  for (const socket of crowd) socket.destroy();
  // The child notices the ends in its own time; each try gets an end, and one of them is served.
  let late = false;
  for (let tries = 0; !late && tries < 1000; tries += 1) {
    const socket = net.connect(port, "127.0.0.1");
    late = await served(socket);
    socket.destroy();
  }
  assert.ok(late);
  assert.equal(child.exitCode, null);
});
