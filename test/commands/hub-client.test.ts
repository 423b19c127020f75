import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { z } from "zod";
import { HubClient } from "../../src/commands/hub-client.ts";
import { NodeHttpCalls } from "../../src/platform/node-http-calls.ts";

function client(base: string): HubClient {
  return new HubClient(new NodeHttpCalls(), {
    base,
    token: "secret",
    signal: new AbortController().signal,
  });
}

for (const [path, url] of [
  ["/api/v1/uploads/x", "http://hub.example:8420/api/v1/uploads/x"],
  ["http://hub.example:8420/x", "http://hub.example:8420/x"],
  ["//evil.example/x", "http://hub.example:8420//evil.example/x"],
  ["x", "http://hub.example:8420/x"],
  [".evil.example/x", "http://hub.example:8420/.evil.example/x"],
  ["@evil.example/x", "http://hub.example:8420/@evil.example/x"],
] as const) {
  test(`a path of the hub: ${path}`, () => {
    assert.equal(client("http://hub.example:8420").url(path), url);
  });
}

for (const path of [
  "http://evil.example/x",
  "https://hub.example:8420/x",
  "http://hub.example:8421/x",
  "http://u:p@hub.example:8420/x",
  "http://hub.example:8420@evil.example/",
  "file:///etc/passwd",
]) {
  test(`the token is sent to no other server: ${path}`, () => {
    assert.throws(() => client("http://hub.example:8420").url(path), {
      code: "unreachable",
      message: /another server/,
    });
  });
}

test("a redirect is reported, and the token does not follow it", async (t) => {
  const asked: http.IncomingMessage[] = [];
  const server = http.createServer((request, reply) => {
    asked.push(request);
    reply.writeHead(307, { location: `http://localhost:${port}/there` }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const hub = client(`http://127.0.0.1:${port}`);
  for (const body of [undefined, { name: "x" }]) {
    await assert.rejects(hub.ask("/api", z.object({}), body), {
      code: "unreachable",
      message: new RegExp(`redirects to http://localhost:${port}`),
    });
  }
  assert.deepEqual(
    asked.map(({ url }) => url),
    ["/api", "/api"],
  );
});

test("HUB-45: reading an endless answer stops, and an answer that breaks off is reported", async (t) => {
  let sent = 0;
  const server = http.createServer((request, reply) => {
    reply.on("error", () => undefined);
    if (request.url === "/cut") {
      reply.writeHead(200, { "content-length": "1000" });
      reply.write("{", () => reply.destroy());
      return;
    }
    const part = Buffer.alloc(1024 * 1024, " ");
    const more = (): void => {
      if (reply.destroyed) return;
      sent += part.length;
      reply.write(part, () => setImmediate(more));
    };
    more();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const hub = client(`http://127.0.0.1:${port}`);
  await assert.rejects(hub.ask("/endless", z.object({})), {
    code: "unreachable",
    message: /Its answer is longer than a hub sends/,
  });
  assert.ok(sent < 256 * 1024 * 1024, `${sent} bytes`);
  await assert.rejects(hub.ask("/cut", z.object({})), {
    code: "unreachable",
    message: /does not answer/,
  });
});
