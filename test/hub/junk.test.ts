import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { mock, test, type TestContext } from "node:test";
import { loadConfig } from "../../src/config/load-config.ts";
import { initHub } from "../../src/daemon/init-hub.ts";
import { type RunningHub, runHub } from "../../src/daemon/run-hub.ts";
import type { Log, LogFields } from "../../src/ports/log.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { tus } from "./hub-world.ts";

// What strangers throw at a running hub must not cause a log line that wakes its owner.

interface Line {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: LogFields;
}

const PASSWORD = "a harbour full of fog";

async function startHub(t: TestContext) {
  const dataDir = temporaryFolder(t, "everseed-junk-");
  const made = await initHub({ dataDir, adminName: "ann", password: PASSWORD, wantsToken: true });
  const lines: Line[] = [];
  const at =
    (level: keyof Log) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const log: Log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const ports = { port: 0, engine: { port: 0 }, tracker: { udpPort: 0 } };
  const hub = await runHub(loadConfig({ env: {}, overrides: { dataDir, ...ports } }), log);
  t.after(() => hub.stop());
  // Libraries may write without our log.
  const written = (["log", "info", "warn", "error"] as const).map(
    (name) => mock.method(console, name, () => undefined).mock,
  );
  t.after(() => mock.restoreAll());
  const loud = () => lines.filter(({ level }) => level === "warn" || level === "error");
  return { hub, lines, loud, token: made.token!, written };
}

/** Sends bytes and waits until the other side has ended. */
async function send(port: number, bytes: string, after?: (socket: Socket) => void): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  socket.write(bytes, "latin1");
  socket.resume();
  after?.(socket);
  await closed;
}

async function datagram(port: number, bytes: string): Promise<void> {
  const socket = createSocket("udp4");
  await new Promise((resolve) =>
    socket.send(Buffer.from(bytes, "latin1"), port, "127.0.0.1", resolve),
  );
  socket.close();
}

/** Connects like a client, and asks for a torrent that the tracker does not know. */
async function refusedDatagram(port: number): Promise<void> {
  const socket = createSocket("udp4");
  const answer = async (packet: Buffer): Promise<Buffer> => {
    const [reply] = await new Promise<[Buffer]>((resolve) => {
      socket.once("message", (message) => resolve([message]));
      socket.send(packet, port, "127.0.0.1");
    });
    return reply;
  };
  const connected = await answer(Buffer.from("000004172710198000000000" + "01020304", "hex"));
  const refused = await answer(
    Buffer.concat([connected.subarray(8, 16), Buffer.from("0000000901020304", "hex")]),
  );
  assert.equal(refused.readUInt32BE(0), 3, "an error");
  socket.close();
}

/** Waits for something that happens behind a socket. */
async function until(condition: () => boolean, what: () => string): Promise<void> {
  for (let turn = 0; turn < 1_000; turn += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(what());
}

const head = (line: string, headers: Record<string, string> = {}) =>
  `${line} HTTP/1.1\r\nhost: 127.0.0.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`;
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JSON_TYPE = { "content-type": "application/json" };
const leave = (socket: Socket) => void setTimeout(() => socket.resetAndDestroy(), 50);

async function draftPath(hub: RunningHub, token: string): Promise<string> {
  const response = await fetch(`${hub.url}/api/v1/drafts`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, ...JSON_TYPE },
    body: JSON.stringify({ name: "a", folder: false, files: [{ path: "a", size: 1_000_000 }] }),
  });
  return ((await response.json()) as { uploadPath: string }).uploadPath;
}

test("HUB-16: junk of ten kinds is counted and reported at debug level; nothing is at warn or error level", async (t) => {
  const { hub, lines, loud, token, written } = await startHub(t);
  const authorization = `Bearer ${token}`;
  const upload = await draftPath(hub, token);
  const { webPort, peerPort, udpPort } = hub;
  const junk: [what: string, fault: string, act: () => Promise<void>][] = [
    ["no HTTP", "broken-http", () => send(webPort, "\x13BitTorrent protocol and more\r\n\r\n")],
    ["TLS", "tls-on-http", () => send(webPort, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")],
    [
      "endless headers",
      "broken-http",
      () => send(webPort, `GET / HTTP/1.1\r\nx: ${"y".repeat(99_000)}`),
    ],
    [
      "a form that is cut",
      "cut-request",
      () =>
        send(webPort, `${head("POST /login", { ...FORM, "content-length": "100" })}name=`, leave),
    ],
    [
      "JSON that is cut",
      "cut-request",
      () =>
        send(
          webPort,
          `${head("POST /api/v1/session", { ...JSON_TYPE, "content-length": "100" })}{"n`,
          leave,
        ),
    ],
    [
      "a declaration that is cut, in chunks",
      "cut-request",
      () =>
        send(
          webPort,
          `${head("POST /api/v1/drafts", { authorization, ...JSON_TYPE, "transfer-encoding": "chunked" })}5\r\n{"nam\r\n`,
          leave,
        ),
    ],
    [
      "an upload that is cut",
      "cut-request",
      () =>
        send(
          webPort,
          head(`PATCH ${upload}`, { authorization, ...tus(0), "content-length": "1000000" }) +
            "x".repeat(9_000),
          leave,
        ),
    ],
    [
      "a body of broken chunks",
      "broken-http",
      () =>
        send(
          webPort,
          `${head("POST /login", { ...FORM, "transfer-encoding": "chunked" })}zz\r\nno chunk`,
        ),
    ],
    [
      "an announce of nothing",
      "bad-announce",
      () => send(webPort, head("GET /announce?info_hash=x&port=junk", { connection: "close" })),
    ],
    ["a packet of nothing", "bad-datagram", () => datagram(udpPort, "junk")],
    ["an announce over UDP that is refused", "bad-announce", () => refusedDatagram(udpPort)],
    ["a packet with a made-up id", "bad-datagram", () => datagram(udpPort, "x".repeat(98))],
    [
      "no handshake",
      "bad-peer",
      // More than the key and the longest pad of an encrypted handshake, which may begin with any bytes.
      () => send(peerPort, "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" + "z".repeat(999)),
    ],
  ];
  for (const [what, fault, act] of junk) {
    const count = () => (hub.faults() as Record<string, number>)[fault] ?? 0;
    const before = count();
    await act();
    await until(
      () => count() > before,
      () => `${what}: ${JSON.stringify(hub.faults())}`,
    );
  }
  // Answered, but not successful: wrong tokens, bodies of the wrong form.
  const post = (path: string, body: string, headers: Record<string, string>) =>
    fetch(hub.url + path, { method: "POST", headers, body });
  assert.equal((await post("/api/v1/session", "{no json", JSON_TYPE)).status, 400);
  assert.equal((await post("/login", "no form", JSON_TYPE)).status, 400);
  assert.equal((await fetch(`${hub.url}/t/zzzz.zip`)).status, 404);
  await fetch(`${hub.url}/api/v1/session`, { headers: { authorization: "Bearer ever_junk" } });
  assert.equal((await fetch(hub.url)).status, 200);
  await hub.stop();
  assert.deepEqual(loud(), []);
  assert.deepEqual(
    written.map(({ calls }) => calls.map((call) => call.arguments)),
    [[], [], [], []],
  );
  const sum = lines.findLast(({ message }) => message === "faults of others");
  assert.equal(sum?.level, "debug");
  assert.deepEqual(sum.fields["sinceStart"], hub.faults());
});

test("HUB-9: a failed sign-in is one line with the address, whichever way it came; it contains no password or token", async (t) => {
  const { hub, lines, loud } = await startHub(t);
  const signIn = async (name: string, password: string): Promise<number> => {
    const body = JSON.stringify({ name, password });
    const response = await fetch(`${hub.url}/api/v1/session`, {
      method: "POST",
      headers: JSON_TYPE,
      body,
    });
    return response.status;
  };
  const failed = () =>
    lines
      .filter(({ message }) => message === "a sign-in failed")
      .map(({ level, fields }) => ({ level, ...fields }));
  assert.equal(await signIn("ann", "wr0ng-password"), 401);
  const line = { level: "info", address: "127.0.0.1", why: "wrong name or password" };
  assert.deepEqual(failed(), [{ ...line, name: "ann" }]);
  assert.equal(await signIn(PASSWORD, "ann"), 401, "the password in the wrong field");
  assert.deepEqual(failed()[1], { ...line, nameCharacters: PASSWORD.length });
  const headers = { authorization: "Bearer ever_s3cret-that-was-revoked" };
  await fetch(`${hub.url}/api/v1/session`, { headers });
  assert.deepEqual(failed()[2], { ...line, why: "unknown or expired token" });
  assert.equal(await signIn("ann", PASSWORD), 200);
  for (let count = 0; count < 20; count += 1) await signIn("bob", "wr0ng-password");
  assert.equal(failed().length, 3);
  await hub.stop();
  const more = lines.filter(({ message }) => message.startsWith("more sign-ins failed"));
  assert.deepEqual(
    more.map(({ level, fields }) => ({ level, ...fields })),
    [{ level: "info", count: 20 }],
  );
  assert.deepEqual(loud(), []);
  assert.doesNotMatch(JSON.stringify(lines), /wr0ng|harbour|s3cret/);
});
