import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test, type TestContext } from "node:test";
import type { HopJudge } from "../ports/net.ts";
import type { RangeHead, RangeLine, RangeRequest } from "../ports/web-ranges.ts";
import { openRangeLine } from "./node-web-ranges.ts";
import { directSockets } from "./open-socket.ts";

const CONTENT = Buffer.from(Array.from({ length: 1000 }, (_, index) => index & 0xff));

interface Served {
  readonly url: string;
  readonly seen: http.IncomingMessage[];
  readonly sockets: Set<Socket>;
}

async function serve(t: TestContext, answer: http.RequestListener): Promise<Served> {
  const seen: http.IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = http
    .createServer((request, response) => {
      seen.push(request);
      sockets.add(request.socket);
      answer(request, response);
    })
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, sockets };
}

const sendRange: http.RequestListener = (request, response) => {
  const [, first, last] = /^bytes=([0-9]+)-([0-9]+)$/.exec(request.headers.range ?? "")!;
  const part = CONTENT.subarray(Number(first), Number(last) + 1);
  response
    .writeHead(206, { "content-range": `bytes ${first}-${last}/${CONTENT.length}` })
    .end(part);
};

/** Everybody may be connected to. */
const allow: HopJudge = ({ addresses }) => addresses;

function lineTo(
  t: TestContext,
  judge: HopJudge = allow,
  hosts: Record<string, string[]> = {},
): RangeLine {
  const line = openRangeLine(
    {
      userAgent: "Everseed/test",
      lookUp: async (host) => hosts[host] ?? Promise.reject(new Error("no such name")),
    },
    () => judge,
  );
  t.after(() => line.close());
  return line;
}

interface Fetched {
  readonly head?: RangeHead;
  readonly body: Buffer;
  readonly failure?: string;
}

function fetchRange(line: RangeLine, request: RangeRequest): Promise<Fetched> {
  return new Promise((resolve) => {
    const body: Buffer[] = [];
    let head: RangeHead | undefined;
    let isInside = true;
    const outside = (): void => assert.ok(!isInside, "no event inside the call");
    line.get(request, {
      handleHead: (given) => {
        outside();
        head = given;
      },
      handleBytes: (chunk) => void body.push(Buffer.from(chunk)),
      handleEnd: () => resolve({ head: head!, body: Buffer.concat(body) }),
      handleFailure: ({ kind, message }) => {
        outside();
        resolve({
          ...(head && { head }),
          body: Buffer.concat(body),
          failure: `${kind}: ${message}`,
        });
      },
    });
    isInside = false;
  });
}

const part = (url: string): RangeRequest => ({ url, range: { first: 10, last: 19 } });

test("ranges arrive over one connection that is kept, as they are", async (t) => {
  const { url, seen, sockets } = await serve(t, sendRange);
  const line = lineTo(t);
  for (let count = 0; count < 5; count += 1) {
    const { head, body, failure } = await fetchRange(line, part(`${url}/a`));
    assert.deepEqual(
      [failure, head!.status, head!.contentRange],
      [undefined, 206, "bytes 10-19/1000"],
    );
    assert.deepEqual(body, CONTENT.subarray(10, 20));
  }
  assert.equal(sockets.size, 1);
  assert.equal(seen[0]!.headers["accept-encoding"], "identity");
  assert.equal(seen[0]!.headers["user-agent"], "Everseed/test");
});

test("redirects are followed, and remembered by file until they lead nowhere", async (t) => {
  const store = await serve(t, (request, response) => {
    if (request.url === "/gone") response.writeHead(404).end();
    else sendRange(request, response);
  });
  let target = "/1";
  const named = await serve(t, (_request, response) => {
    response.writeHead(302, { location: store.url + target, "content-length": "5" }).end("moved");
  });
  const line = lineTo(t);
  for (let count = 0; count < 3; count += 1) {
    assert.deepEqual(
      (await fetchRange(line, part(`${named.url}/a`))).body,
      CONTENT.subarray(10, 20),
    );
  }
  assert.equal(named.seen.length, 1, "the second request goes there at once");
  assert.equal(store.sockets.size, 1);
  target = "/gone";
  assert.equal((await fetchRange(line, part(`${named.url}/b`))).head!.status, 404);
  assert.equal(named.seen.length, 2);
  target = "/2";
  assert.equal((await fetchRange(line, part(`${named.url}/b`))).head!.status, 206);
  assert.equal(named.seen.length, 3, "what led nowhere is forgotten");
});

test("five redirects are followed, six are not, and none leaves http and https (HUB-7)", async (t) => {
  const { url } = await serve(t, (request, response) => {
    const left = Number(request.url!.slice(1));
    if (Number.isNaN(left)) response.writeHead(302, { location: "file:///etc/passwd" }).end();
    else if (left > 0) response.writeHead(307, { location: `/${left - 1}` }).end();
    else sendRange(request, response);
  });
  const line = lineTo(t);
  assert.equal((await fetchRange(line, part(`${url}/5`))).head?.status, 206);
  assert.match(
    (await fetchRange(line, part(`${url}/6`))).failure!,
    /^refused: .* more than 5 times/,
  );
  assert.match(
    (await fetchRange(line, part(`${url}/x`))).failure!,
    /^refused: .* no http or https/,
  );
  assert.match((await fetchRange(line, part("ftp://127.0.0.1/"))).failure!, /^refused/);
});

test("HUB-7: every hop is judged with the addresses of its name, and nothing else is connected to", async (t) => {
  const inner = await serve(t, sendRange);
  const { port } = new URL(inner.url);
  const outer = await serve(t, (_request, response) => {
    response.writeHead(301, { location: `http://inner.example:${port}/a` }).end();
  });
  const judged: string[] = [];
  const judge: HopJudge = ({ url, addresses }) => {
    judged.push(`${url.hostname} ${addresses.join(",")}`);
    return url.hostname === "inner.example" ? { refused: "it is inside" } : addresses;
  };
  const hosts = { "outer.example": ["127.0.0.1"], "inner.example": ["127.0.0.1"] };
  const url = `http://outer.example:${new URL(outer.url).port}/a`;
  const { failure } = await fetchRange(lineTo(t, judge, hosts), part(url));
  assert.equal(failure, "refused: it is inside");
  assert.equal(inner.seen.length, 0);
  assert.deepEqual(judged, [
    "outer.example 127.0.0.1",
    "outer.example 127.0.0.1",
    "inner.example 127.0.0.1",
  ]);
  const nowhere: HopJudge = () => ["127.0.0.2"];
  const elsewhere = await fetchRange(lineTo(t, nowhere, { "a.example": ["127.0.0.1"] }), {
    ...part(`http://a.example:${port}/a`),
  });
  assert.match(elsewhere.failure!, /^unreachable/, "the judged address is used, not the name's");
});

test("a kept connection that the server closes is opened again", async (t) => {
  const { url, seen } = await serve(t, sendRange);
  const line = lineTo(t);
  await fetchRange(line, part(`${url}/a`));
  seen[0]!.socket.destroy();
  assert.equal((await fetchRange(line, part(`${url}/a`))).failure, undefined);
});

test("an answer that ends too early is a failure, and names the host only (rule 10)", async (t) => {
  const { url } = await serve(t, (_request, response) => {
    response.writeHead(206, { "content-length": "100", "content-range": "bytes 10-109/1000" });
    response.write("0123456789", () => response.destroy());
  });
  const { failure, body } = await fetchRange(lineTo(t), part(`${url}/secret?key=1`));
  assert.match(failure!, /^cut: 127\.0\.0\.1:[0-9]+ ended the connection too early$/);
  assert.equal(body.toString(), "0123456789");
  const dead = await fetchRange(lineTo(t), part("http://127.0.0.1:1/secret"));
  assert.match(dead.failure!, /^unreachable: no answer from 127\.0\.0\.1:1: no program listens/);
  const unknown = await fetchRange(lineTo(t), part("http://unknown.example/secret"));
  assert.equal(unknown.failure, "unreachable: unknown.example has no address");
});

test("a line that is closed says nothing more, and can be used again", async (t) => {
  const { url } = await serve(t, (request, response) => {
    if (request.url === "/slow") response.writeHead(200).write("x");
    else sendRange(request, response);
  });
  const line = lineTo(t);
  const said: string[] = [];
  const first = Promise.withResolvers<void>();
  line.get(part(`${url}/slow`), {
    handleHead: () => undefined,
    handleBytes: () => {
      said.push("bytes");
      line.close();
      first.resolve();
    },
    handleEnd: () => said.push("end"),
    handleFailure: () => said.push("failure"),
  });
  await first.promise;
  assert.equal((await fetchRange(line, part(`${url}/a`))).head?.status, 206);
  assert.deepEqual(said, ["bytes"]);
});

test("WIR-27: connections that are opened in a chosen way are kept too, and none is opened without it", async (t) => {
  const { url, seen, sockets } = await serve(t, sendRange);
  const chosen: { address: string | undefined } = { address: "127.0.0.3" };
  const line = openRangeLine(
    { userAgent: "Everseed/test", openSocket: directSockets(() => chosen.address) },
    () => allow,
  );
  t.after(() => line.close());
  for (let count = 0; count < 3; count += 1) {
    assert.deepEqual((await fetchRange(line, part(`${url}/a`))).body, CONTENT.subarray(10, 20));
  }
  assert.equal(sockets.size, 1);
  assert.equal(seen[0]!.socket.remoteAddress, "127.0.0.3");
  chosen.address = undefined;
  const other = await serve(t, sendRange);
  const { failure } = await fetchRange(line, part(`${other.url}/a`));
  assert.match(failure!, /^unreachable: .*the chosen interface has no IPv4 address/);
  assert.equal(other.seen.length, 0);
});
