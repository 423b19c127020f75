import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { mock, test, type TestContext } from "node:test";
import { openHubServer } from "../../src/daemon/hub-server.ts";
import type { WebHandler } from "../../src/ports/web.ts";
import { breakOff } from "../../src/hub/break-off.ts";
import { UNCOUNTED } from "../../src/ports/outside-faults.ts";

// The server in front of the hub, with short time limits.

const UPLOAD = "/api/v1/drafts/k3f9k3f9/content";
const LONG = 60_000;
const SHORT = 60;
const PATIENT = {
  headersMs: LONG,
  bodyMs: LONG,
  idleMs: LONG,
  keepAliveMs: LONG,
  checkIntervalMs: 20,
};

async function serve(t: TestContext, handle: WebHandler, patience: Partial<typeof PATIENT> = {}) {
  const options = { host: "127.0.0.1", port: 0, proxies: [], faults: UNCOUNTED };
  const server = await openHubServer(options, { ...PATIENT, ...patience });
  t.after(() => server.close());
  server.serve(handle);
  return server.port;
}

/** The answer to raw bytes, until the other side ends. */
async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(text);
  let got = "";
  socket.on("data", (chunk: Buffer) => (got += chunk.toString("latin1")));
  await new Promise((resolve) => socket.once("close", resolve));
  return got;
}

async function readAll(request: Request): Promise<number> {
  let bytes = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
  }
  return bytes;
}

const slow: [who: string, patience: Partial<typeof PATIENT>, text: string][] = [
  ["says nothing", { headersMs: SHORT }, ""],
  ["never ends its headers", { headersMs: SHORT }, "GET / HTTP/1.1\r\nhost: a\r\nx: "],
  [
    "never ends a form",
    { bodyMs: SHORT },
    "POST /login HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nname=",
  ],
  [
    "asks once and stays",
    { keepAliveMs: SHORT },
    "GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n",
  ],
  [
    "falls silent in an upload",
    { idleMs: SHORT },
    `PATCH ${UPLOAD} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nbytes`,
  ],
];
for (const [who, patience, text] of slow) {
  test(`HUB-25: a connection that ${who} is closed, and the reader of its body is told`, async (t) => {
    const read: Promise<unknown>[] = [];
    const port = await serve(
      t,
      async (request) => {
        const reading = readAll(request);
        read.push(reading.catch((error: unknown) => error));
        await reading;
        return new Response("read");
      },
      patience,
    );
    await raw(port, text);
    for (const outcome of await Promise.all(read)) {
      if (text.includes("content-length")) assert.ok(outcome instanceof Error, String(outcome));
    }
  });
}

test("HUB-25: an address may have 256 connections; a proxy and this machine may have as many as they need", async (t) => {
  const open = async (proxies: string[], speaksForMany?: () => boolean) => {
    const server = await openHubServer(
      { host: "127.0.0.1", port: 0, proxies, faults: UNCOUNTED },
      PATIENT,
      speaksForMany,
    );
    server.serve(async () => new Response("here"));
    const sockets = Array.from({ length: 256 }, () => connect(server.port, "127.0.0.1"));
    t.after(async () => {
      for (const socket of sockets) socket.destroy();
      await server.close();
    });
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    const ask = () => raw(server.port, "GET / HTTP/1.0\r\n\r\n");
    return { ask, sockets };
  };
  const stranger = await open([], () => false);
  assert.equal(await stranger.ask(), "");
  stranger.sockets[0]!.destroy();
  let answer = "";
  while (answer === "") answer = await stranger.ask();
  assert.match(answer, /here$/);
  for (const known of [await open(["127.0.0.1"], () => false), await open([])]) {
    assert.match(await known.ask(), /here$/);
  }
});

test("HUB-25: only silence ends an upload, not its duration", async (t) => {
  const port = await serve(t, async (request) => new Response(String(await readAll(request))), {
    bodyMs: 1,
    headersMs: SHORT,
  });
  const headers = { "content-length": 20 };
  const upload = httpRequest({ port, path: UPLOAD, method: "PATCH", headers });
  const answered = new Promise<number | undefined>((resolve, reject) => {
    upload.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
  });
  for (let sent = 0; sent < 20; sent += 1) {
    upload.write("x");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  upload.end();
  assert.equal(await answered, 200);
});

test("an upload arrives byte by byte as it was sent, even when its reader is slow and returns memory", async (t) => {
  const bytes = randomBytes(5_000_000);
  const port = await serve(t, async (request) => {
    const hash = createHash("sha256");
    for await (const chunk of request.body as AsyncIterable<Uint8Array<ArrayBuffer>>) {
      await new Promise(setImmediate);
      hash.update(chunk);
      if (chunk.buffer.byteLength === chunk.length) chunk.buffer.transfer(0);
    }
    return new Response(hash.digest("hex"));
  });
  const response = await fetch(`http://127.0.0.1:${port}${UPLOAD}`, {
    method: "PATCH",
    body: bytes,
  });
  assert.equal(await response.text(), createHash("sha256").update(bytes).digest("hex"));
});

test("HUB-8: an upload that is refused unread gets its answer, and its bytes are not collected", async (t) => {
  const port = await serve(t, async () => new Response("no", { status: 413 }));
  const headers = { "content-length": 10 ** 9 };
  const upload = httpRequest({ port, path: UPLOAD, method: "PATCH", headers });
  let sent = 0;
  const ended = new Promise<void>((resolve) => upload.on("close", resolve));
  upload.on("error", () => undefined);
  const answered = new Promise<number | undefined>((resolve) => {
    upload.on("response", (response) => resolve(response.resume().statusCode));
  });
  const part = new Uint8Array(100_000);
  const push = (): void => {
    while (!upload.destroyed && sent < 10 ** 9) {
      sent += part.length;
      if (!upload.write(part)) return void upload.once("drain", push);
    }
  };
  push();
  assert.equal(await answered, 413);
  await ended;
  assert.ok(sent < 100_000_000, `${sent}`);
});

test("HUB-16: an answer that cannot be finished ends with its connection, and nothing bypasses our log", async (t) => {
  const written = mock.method(console, "error", () => undefined);
  t.after(() => written.mock.restore());
  const port = await serve(t, async (_request, context) => {
    let isFirst = true;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (!isFirst) return breakOff(controller, context, new Error("the disk is gone"));
        isFirst = false;
        return controller.enqueue(new Uint8Array([97, 98, 99]));
      },
    });
    return new Response(stream, { headers: { "content-length": "1000" } });
  });
  const got = await raw(port, "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  assert.doesNotMatch(got, /disk is gone|\r\n0\r\n/);
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()));
  assert.deepEqual(written.mock.calls, []);
});
