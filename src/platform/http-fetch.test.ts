import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { NodeHttpFetch } from "./http-fetch.ts";

const LIMITS = { timeoutMs: 5000, bytesMax: 1000 };

const fetcher = new NodeHttpFetch({ userAgent: "Everseed/test" });

/** @returns The server's address, without a slash at its end. */
async function serve(t: TestContext, answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("what is no http or https URL is refused before anything is sent (TRK-19)", async () => {
  for (const url of [
    "",
    "x",
    "/a",
    "ftp://127.0.0.1/",
    "file:///etc/passwd",
    "udp://127.0.0.1:1/",
  ]) {
    await assert.rejects(fetcher.get(url, LIMITS), { code: "bad-url" }, url);
  }
});

test("redirects: five are followed, six are not, none leaves http and https (TRK-19)", async (t) => {
  const base = await serve(t, (request, response) => {
    const left = Number(request.url?.slice(1));
    if (Number.isNaN(left)) response.writeHead(302, { location: "file:///etc/passwd" }).end();
    else if (left > 0) response.writeHead(302, { location: `/${left - 1}` }).end("moved");
    else response.end("here");
  });
  const reply = await fetcher.get(`${base}/5`, LIMITS);
  assert.deepEqual([reply.status, Buffer.from(reply.body).toString()], [200, "here"]);
  await assert.rejects(fetcher.get(`${base}/6`, LIMITS), { code: "too-many-redirects" });
  await assert.rejects(fetcher.get(`${base}/file`, LIMITS), { code: "bad-url" });
});

test("a body past the limit ends the request while it arrives, packed or not (TRK-19)", async (t) => {
  const base = await serve(t, (request, response) => {
    if (request.url === "/bomb") {
      response
        .writeHead(200, { "content-encoding": "gzip" })
        .end(gzipSync(Buffer.alloc(5_000_000)));
      return;
    }
    // Never ends by itself: only the limit can end it.
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(500)));
    };
    response.on("drain", more);
    more();
  });
  for (const path of ["/endless", "/bomb"]) {
    await assert.rejects(fetcher.get(base + path, LIMITS), { code: "reply-too-long" }, path);
  }
});

test("gzip is unpacked; broken gzip and a cut reply are errors", async (t) => {
  const text = "d8:intervali720ee";
  const base = await serve(t, (request, response) => {
    if (request.url === "/cut") {
      response.writeHead(200, { "content-length": 100 }).write("abc", () => response.destroy());
      return;
    }
    const body = request.url === "/gzip" ? gzipSync(text) : Buffer.from("no gzip");
    response.writeHead(200, { "content-encoding": "gzip" }).end(body);
  });
  const reply = await fetcher.get(`${base}/gzip`, LIMITS);
  assert.equal(Buffer.from(reply.body).toString(), text);
  await assert.rejects(fetcher.get(`${base}/broken`, LIMITS), { code: "no-reply" });
  await assert.rejects(fetcher.get(`${base}/cut`, LIMITS), { code: "no-reply" });
});

test("other statuses come back with their body; the agent names itself", async (t) => {
  const base = await serve(t, (request, response) => {
    response.writeHead(404).end(request.headers["user-agent"]);
  });
  const reply = await fetcher.get(base, LIMITS);
  assert.deepEqual([reply.status, Buffer.from(reply.body).toString()], [404, "Everseed/test"]);
});

test("silence ends with the time limit, giving up with the signal; errors never show the path", async (t) => {
  const base = await serve(t, () => undefined);
  const secret = `${base}/secret-passkey/announce`;
  await assert.rejects(fetcher.get(secret, { ...LIMITS, timeoutMs: 30 }), (error: Error) => {
    assert.match(error.message, /did not reply in 30 ms$/);
    assert.ok(!error.message.includes("secret"));
    return true;
  });
  const controller = new AbortController();
  const given = fetcher.get(secret, { ...LIMITS, signal: controller.signal });
  controller.abort();
  await assert.rejects(given, { code: "aborted" });
});

test("nobody listens, or no such name: no-reply, in words", async () => {
  await assert.rejects(fetcher.get("http://127.0.0.1:1/", LIMITS), {
    code: "no-reply",
    message: "no reply from 127.0.0.1:1: nobody listens there",
  });
  await assert.rejects(fetcher.get("http://no-such-name.invalid/", LIMITS), { code: "no-reply" });
});

test("BEP 7: only addresses of the family that is asked for are connected to", async (t) => {
  const base = await serve(t, (request, response) => response.end(request.socket.remoteAddress));
  const url = `http://localhost:${new URL(base).port}/`;
  const reply = await fetcher.get(url, { ...LIMITS, family: 4 });
  assert.equal(Buffer.from(reply.body).toString(), "127.0.0.1");
  await assert.rejects(fetcher.get(url, { ...LIMITS, family: 6 }), { code: "no-reply" });
});

test("the guard sees literals, names and redirects (house rule 8)", async (t) => {
  const asked: string[] = [];
  const guarded = new NodeHttpFetch({
    userAgent: "Everseed/test",
    allowAddress: (address) => {
      asked.push(address);
      return false;
    },
  });
  const base = await serve(t, (_request, response) => response.end("inside"));
  const { port } = new URL(base);
  await assert.rejects(guarded.get(base, LIMITS), { code: "address-refused" });
  await assert.rejects(guarded.get(`http://localhost:${port}/`, LIMITS), {
    code: "address-refused",
  });
  assert.ok(asked.includes("127.0.0.1"));
});

test("a certificate nobody vouches for is refused (TRK-19)", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "everseed-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const keyFile = join(folder, "key.pem");
  const certificateFile = join(folder, "cert.pem");
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1";
  const names = ["-subj", "/CN=localhost", "-keyout", keyFile, "-out", certificateFile];
  try {
    execFileSync("openssl", [...request.split(" "), ...names], { stdio: "ignore" });
  } catch (cause) {
    t.skip(`no openssl to make a certificate with: ${String(cause)}`);
    return;
  }
  const identity = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const server = https.createServer(identity, (_request, response) => response.end("trusted"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await assert.rejects(fetcher.get(`https://localhost:${port}/`, LIMITS), {
    code: "no-reply",
    message: /certificate/,
  });
});
