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
import type { HttpReply } from "../ports/net.ts";
import { NodeHttpFetch } from "./http-fetch.ts";

const LIMITS = { timeoutMs: 5000, bytesMax: 1000 };

/** Both ways to read a reply keep the same promises. */
function both(
  name: string,
  run: (t: TestContext, fetcher: NodeHttpFetch, lenient: boolean) => Promise<void>,
): void {
  for (const lenient of [false, true]) {
    const fetcher = new NodeHttpFetch({ userAgent: "Everseed/test", lenient });
    test(`${name}, ${lenient ? "lenient" : "strict"}`, (t) => run(t, fetcher, lenient));
  }
}

/** @returns The server's address, without a trailing slash. */
async function serve(t: TestContext, answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

both(
  "anything but an http or https URL is refused before anything is sent (TRK-19)",
  async (_t, fetcher) => {
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
  },
);

both("a redirect to a magnet link is reported, not followed", async (t, fetcher) => {
  const base = await serve(t, (_request, response) => {
    response.writeHead(301, { location: "magnet:?xt=urn:btih:x" }).end();
  });
  const reply = await fetcher.get(base, LIMITS);
  assert.deepEqual([reply.status, reply.leadsTo], [301, "magnet:?xt=urn:btih:x"]);
});

both(
  "redirects: five are followed, six are not, none leaves http and https (TRK-19)",
  async (t, fetcher) => {
    const base = await serve(t, (request, response) => {
      const left = Number(request.url?.slice(1));
      if (Number.isNaN(left)) response.writeHead(302, { location: "file:///etc/passwd" }).end();
      else if (left > 0) response.writeHead(302, { location: `/${left - 1}` }).end("moved");
      else response.end("here");
    });
    const reply = await fetcher.get(`${base}/5`, LIMITS);
    assert.deepEqual([reply.status, Buffer.from(reply.body).toString()], [200, "here"]);
    await assert.rejects(fetcher.get(`${base}/6`, LIMITS), { code: "too-many-redirects" });
    const file = await fetcher.get(`${base}/file`, LIMITS);
    assert.deepEqual(
      [file.status, file.leadsTo],
      [302, "file:///etc/passwd"],
      "reported, not followed",
    );
  },
);

both(
  "a body past the limit ends the request while it arrives, packed or not (TRK-19)",
  async (t, fetcher) => {
    const base = await serve(t, (request, response) => {
      if (request.url === "/bomb") {
        response
          .writeHead(200, { "content-encoding": "gzip" })
          .end(gzipSync(Buffer.alloc(5_000_000)));
        return;
      }
      // Never ends by itself, so only the limit can end it.
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(500)));
      };
      response.on("drain", more);
      more();
    });
    for (const path of ["/endless", "/bomb"]) {
      await assert.rejects(fetcher.get(base + path, LIMITS), { code: "reply-too-long" }, path);
    }
  },
);

both(
  "gzip is unpacked; broken gzip and a cut reply are errors where it matters",
  async (t, fetcher, lenient) => {
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
    // Some trackers claim gzip for plain bytes, and promise more bytes than they send.
    const broken = (): Promise<HttpReply> => fetcher.get(`${base}/broken`, LIMITS);
    const cut = (): Promise<HttpReply> => fetcher.get(`${base}/cut`, LIMITS);
    if (lenient) {
      assert.equal(Buffer.from((await broken()).body).toString(), "no gzip");
      assert.equal(Buffer.from((await cut()).body).toString(), "abc");
    } else {
      await assert.rejects(broken(), { code: "no-reply" });
      await assert.rejects(cut(), { code: "no-reply" });
    }
  },
);

both("other statuses come back with their body; the agent names itself", async (t, fetcher) => {
  const base = await serve(t, (request, response) => {
    response.writeHead(404).end(request.headers["user-agent"]);
  });
  const reply = await fetcher.get(base, LIMITS);
  assert.deepEqual([reply.status, Buffer.from(reply.body).toString()], [404, "Everseed/test"]);
});

both(
  "silence ends with the time limit, and cancelling with the signal; errors never show the path",
  async (t, fetcher) => {
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
  },
);

both("nobody listens, or no such name: no-reply, in words", async (_t, fetcher) => {
  await assert.rejects(fetcher.get("http://127.0.0.1:1/", LIMITS), {
    code: "no-reply",
    message: "no reply from 127.0.0.1:1: no program listens there",
  });
  await assert.rejects(fetcher.get("http://no-such-name.invalid/", LIMITS), { code: "no-reply" });
});

both("BEP 7: only addresses of the requested family are connected to", async (t, fetcher) => {
  const base = await serve(t, (request, response) => response.end(request.socket.remoteAddress));
  const url = `http://localhost:${new URL(base).port}/`;
  const reply = await fetcher.get(url, { ...LIMITS, family: 4 });
  assert.equal(Buffer.from(reply.body).toString(), "127.0.0.1");
  await assert.rejects(fetcher.get(url, { ...LIMITS, family: 6 }), { code: "no-reply" });
});

test("the judge is asked once a hop with all addresses, and nothing else is connected to (house rule 8)", async (t) => {
  const base = await serve(t, (request, response) => {
    if (request.url === "/hop") response.writeHead(302, { location: `http://b.example:${port}/x` });
    response.end(request.socket.localAddress);
  });
  const { port } = new URL(base);
  for (const lenient of [false, true]) {
    const asked: (readonly string[])[] = [];
    let lookups = 0;
    const judged = new NodeHttpFetch({
      userAgent: "Everseed/test",
      lenient,
      lookUp: (host) => {
        lookups += 1;
        return Promise.resolve(host === "a.example" ? ["127.0.0.9", "127.0.0.1"] : ["127.0.0.1"]);
      },
      judge: ({ url, addresses }) => {
        asked.push([`${url.hostname}${url.pathname}`, ...addresses]);
        return addresses.filter((address) => address === "127.0.0.1");
      },
    });
    const reply = await judged.get(`http://a.example:${port}/hop`, LIMITS);
    assert.deepEqual([Buffer.from(reply.body).toString(), reply.from], ["127.0.0.1", "127.0.0.1"]);
    assert.deepEqual(asked, [
      ["a.example/hop", "127.0.0.9", "127.0.0.1"],
      ["b.example/x", "127.0.0.1"],
    ]);
    assert.equal(lookups, 2);
    await assert.rejects(judged.get(`http://127.0.0.2:${port}/`, LIMITS), { code: "no-reply" });
    assert.deepEqual(asked.at(-1), ["127.0.0.2/", "127.0.0.2"], "literal addresses are judged too");
  }
});

both("a certificate without a trusted issuer is refused (TRK-19)", async (t, fetcher) => {
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
