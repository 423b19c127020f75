import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { assertSameBytes } from "../fixtures/same-bytes.ts";
import { nodeStatusSchema } from "../../src/api/node.ts";
import { NODE_PATH } from "../../src/api/paths.ts";
import { type Config, PEER_PORT } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { type RunningHub, runHub } from "../../src/daemon/run-hub.ts";
import { SocketCalls } from "../../src/platform/socket-calls.ts";
import { openStore } from "../../src/store/open-store.ts";
import { type Log, SILENT_LOG } from "../../src/ports/log.ts";
import { tus } from "./hub-world.ts";
import { folder, initialised, PASSWORD, start } from "./whole-hub.ts";

// The whole hub on real sockets and a real disk, in this process.

async function declare(hub: RunningHub, token: string, size: number) {
  const response = await fetch(`${hub.url}/api/v1/drafts`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: "a.bin", folder: false, files: [{ path: "a.bin", size }] }),
  });
  const draft = (await response.json()) as { id: string; uploadPath: string; offset: number };
  assert.equal(response.status, 201, JSON.stringify(draft));
  return draft;
}

async function publish(
  hub: RunningHub,
  token: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const draft = await declare(hub, token, bytes.length);
  const response = await fetch(hub.url + draft.uploadPath, {
    method: "PATCH",
    headers: { authorization: `Bearer ${token}`, ...tus(0) },
    body: bytes,
  });
  assert.equal(response.status, 204, await response.text());
  return draft.id;
}

test("HUB-1 the owner of a hub asks it on its socket, without a password and before the setup", async (t) => {
  const hub = await start(t, folder(t));
  const path = join(hub.dataDir, "run", "control.sock");
  const asked = { method: "GET", url: `http://localhost${NODE_PATH}`, headers: {} } as const;
  const limits = { timeoutMs: 5_000, bytesMax: 65_536, signal: new AbortController().signal };
  const { status, body } = await new SocketCalls(path).send({
    ...asked,
    ...limits,
    body: undefined,
  });
  assert.equal(status, 200);
  const node = nodeStatusSchema.parse(JSON.parse(Buffer.from(body!).toString()));
  assert.equal(node.pid, process.pid);
  assert.deepEqual([node.webPort, node.peerPort], [hub.webPort, hub.peerPort]);
  assert.equal(node.socket, path);
  await hub.stop();
  await assert.rejects(stat(path), { code: "ENOENT" });
});

test("a hub whose folder has too long a path for a socket says so, and runs without one", async (t) => {
  const warned: string[] = [];
  const log: Log = { ...SILENT_LOG, warn: (message) => warned.push(message) };
  const hub = await start(t, join(folder(t), "d".repeat(100)), {}, log);
  assert.deepEqual(warned, ["there is no control socket"]);
  assert.ok(hub.webPort > 0);
});

/** The answer to raw bytes, until the other side ends. */
async function raw(hub: RunningHub, text: string): Promise<string> {
  const socket = connect(hub.webPort, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(text);
  let got = "";
  socket.on("data", (chunk: Buffer) => (got += chunk.toString("latin1")));
  await new Promise((resolve) => socket.once("close", resolve));
  return got;
}

test("HUB-2: everything listens on loopback unless told otherwise", async (t) => {
  const { dataDir } = await initialised(t);
  const hub = await start(t, dataDir);
  const bound = await readFile("/proc/self/net/tcp", "latin1");
  for (const port of [hub.webPort, hub.peerPort]) {
    const hex = port.toString(16).toUpperCase().padStart(4, "0");
    const lines = bound.split("\n").filter((line) => line.includes(`:${hex} 00000000:0000`));
    assert.ok(lines.length > 0 && lines.every((line) => line.includes(`0100007F:${hex} `)), hex);
  }
});

test("STO-10: a second hub on the same data is refused, naming the process", async (t) => {
  const { dataDir } = await initialised(t);
  const hub = await start(t, dataDir);
  const config = loadConfig({ env: {}, overrides: { dataDir, port: 0 } });
  await assert.rejects(runHub(config, SILENT_LOG), {
    code: "data-in-use",
    message: new RegExp(`process ${process.pid} `),
  });
  await hub.stop();
  const again = await start(t, dataDir);
  assert.equal((await fetch(again.url)).status, 200);
});

test("a port in use is refused, and leaves nothing running: the folder is free again", async (t) => {
  const { dataDir } = await initialised(t);
  const other = await start(t, (await initialised(t)).dataDir);
  for (const more of [{ port: other.webPort }, { engine: { port: other.webPort } }]) {
    await assert.rejects(start(t, dataDir, more), { code: "port-taken" });
  }
  await start(t, dataDir);
});

test("STO-3: a damaged database is refused and kept; a damaged session key is moved aside", async (t) => {
  const { dataDir } = await initialised(t);
  const key = join(dataDir, "keys/session");
  await truncate(key, 10);
  const hub = await start(t, dataDir);
  assert.equal((await fetch(`${hub.url}/login`)).status, 200);
  assert.equal((await stat(`${key}.unreadable`)).size, 10);
  assert.equal((await stat(key)).size, 65);
  await hub.stop();
  const database = join(dataDir, "everseed.db");
  await truncate(database, 10_000);
  await assert.rejects(start(t, dataDir), { code: "corrupt" });
  assert.equal((await stat(database)).size, 10_000);
});

test("PUB-5.3: publications exist after a restart, and the log says what a lost .torrent file means", async (t) => {
  const { dataDir, token } = await initialised(t);
  const first = await start(t, dataDir);
  const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
  const id = await publish(first, token, bytes);
  await first.stop();
  const second = await start(t, dataDir);
  const file = await fetch(`${second.url}/t/${id}/files/0/a.bin`);
  assertSameBytes(new Uint8Array(await file.arrayBuffer()), bytes);
  const range = await fetch(`${second.url}/t/${id}/files/0/a.bin`, {
    headers: { range: "bytes=299990-" },
  });
  assert.equal(range.status, 206);
  assertSameBytes(new Uint8Array(await range.arrayBuffer()), bytes.slice(-10));
  const detail = await fetch(`${second.url}/api/v1/torrents/${id}`);
  const { infohashV1, swarm } = (await detail.json()) as {
    infohashV1: string;
    swarm: { seeds: number };
  };
  assert.equal(swarm.seeds, 1, "the everseed");
  await second.stop();
  await rm(join(dataDir, "torrents"), { recursive: true });
  const third = await start(t, dataDir);
  assert.equal((await fetch(`${third.url}/t/${id}/a-bin`)).status, 500);
  const list = (await (await fetch(`${third.url}/api/v1/torrents`)).json()) as {
    torrents: { infohashV1: string }[];
  };
  assert.equal(list.torrents[0]?.infohashV1, infohashV1);
});

test("STO-13: a stop during an upload and live views ends in time; the upload resumes after the next start", async (t) => {
  const { dataDir, token } = await initialised(t);
  const hub = await start(t, dataDir);
  const id = await publish(hub, token, new Uint8Array([1, 2, 3]));
  const live = await fetch(`${hub.url}/api/v1/torrents/${id}/live`);
  const draft = await declare(hub, token, 40_000_000);
  const socket = connect(hub.webPort, "127.0.0.1");
  socket.on("error", () => undefined);
  const headers = { authorization: `Bearer ${token}`, ...tus(0), "content-length": "40000000" };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`PATCH ${draft.uploadPath} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join("")}\r\n`);
  socket.write(new Uint8Array(5_000_000));
  await offsetReaches(hub, token, draft.id, 5_000_000);
  const before = process.hrtime.bigint();
  await hub.stop();
  const seconds = Number(process.hrtime.bigint() - before) / 1e9;
  assert.ok(seconds < 10, `${seconds}`);
  socket.destroy();
  await live.body!.cancel().catch(() => undefined);
  const next = await start(t, dataDir);
  const again = await declare(next, token, 40_000_000);
  assert.equal(again.id, draft.id);
  assert.equal(again.offset, 5_000_000);
});

async function offsetReaches(hub: RunningHub, token: string, id: string, wanted: number) {
  for (;;) {
    const response = await fetch(`${hub.url}/api/v1/drafts/${id}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    if (((await response.json()) as { offset: number }).offset >= wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Sends the beginning, then the same part over and over. @returns Bytes that the system accepted before the cut. */
async function pour(hub: RunningHub, head: string, part: string): Promise<number> {
  const socket = connect(hub.webPort, "127.0.0.1");
  socket.on("error", () => undefined).resume();
  socket.write(head);
  const piece = part.repeat(Math.ceil(65_536 / part.length));
  const ended = once(socket, "close");
  while (!socket.closed && socket.bytesWritten < POURED_MAX) {
    const taken = new Promise<void>((resolve) => void socket.write(piece, () => resolve()));
    await Promise.race([taken, ended]);
  }
  socket.destroy();
  return socket.bytesWritten;
}

const POURED_MAX = 256 * 1024 * 1024;
/** The capacity of two sockets' buffers on this kernel, and some for the hub. */
const TAKEN_MAX = 24 * 1024 * 1024;

test("HUB-25: endless headers and bodies are cut off, and take no memory", async (t) => {
  const { dataDir } = await initialised(t);
  const hub = await start(t, dataDir);
  const host = "host: 127.0.0.1\r\n";
  const chunked = `${host}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
  const chunk = `400\r\n${"x".repeat(1024)}\r\n`;
  const cases: [why: string, head: string, part: string][] = [
    ["headers", `GET / HTTP/1.1\r\n${host}`, "x: yyyyyyyy\r\n"],
    ["one header", `GET / HTTP/1.1\r\n${host}x: `, "y"],
    ["an address", "GET /", "y"],
    ["a body of the API", `POST /api/v1/setup HTTP/1.1\r\n${chunked}`, chunk],
    ["a form", `POST /login HTTP/1.1\r\n${chunked}`, chunk],
  ];
  for (const [why, head, part] of cases) {
    const taken = await pour(hub, head, part);
    assert.ok(taken < TAKEN_MAX, `${why}: ${taken} bytes were taken`);
  }
  assert.equal((await fetch(hub.url)).status, 200);
});

test("HUB-25, TRK-12: invalid headers, requests and bodies get 4xx", async (t) => {
  const { dataDir } = await initialised(t);
  const hub = await start(t, dataDir);
  const cases: [why: string, text: string, status: RegExp][] = [
    [
      "headers of 100 kB",
      `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${"x".repeat(100_000)}\r\n\r\n`,
      / 431 /,
    ],
    [
      "an address of 100 kB",
      `GET /${"x".repeat(100_000)} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
      / 4[13][14] /,
    ],
    [
      "two lengths",
      "POST /login HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      / 400 /,
    ],
    ["no host", "GET / HTTP/1.1\r\n\r\n", / 400 /],
    [
      "two hosts",
      "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
      / 4\d\d |127/,
    ],
    [
      "another scheme",
      "GET http://evil.example/ HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
      / 4\d\d /,
    ],
    ["no HTTP", "\x13BitTorrent protocol", / 400 |^$/],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", / 400 |^$/],
  ];
  for (const [why, text, status] of cases) assert.match(await raw(hub, text), status, why);
  assert.equal((await fetch(hub.url)).status, 200);
});

test("HUB-15: a site name with newlines, quotes and = stays a name, and the only setting", async (t) => {
  const dataDir = folder(t);
  const siteName = 'a"b\nport: 1\r\nc=d\u0027; --';
  const hub = await start(t, dataDir);
  const key = new URL(hub.setupLink!).hash.slice(1);
  const made = await fetch(`${hub.url}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key, name: "ann", password: PASSWORD, siteName }),
  });
  assert.equal(made.status, 201);
  await hub.stop();
  const store = await openStore(join(dataDir, "everseed.db"));
  const rows = await store.db.selectFrom("settings").selectAll().execute();
  assert.equal(await store.settings.get("site-name"), siteName);
  await store.close();
  // What it counts about its transfers, and by itself.
  const counted = ["transfer-speed", "transfer-totals", "up-time"];
  assert.deepEqual(rows.map((row) => row.key).toSorted(), ["local-url", "site-name", ...counted]);
  const again = await start(t, dataDir);
  assert.equal((await fetch(again.url)).status, 200);
  assert.ok((await readdir(dataDir)).every((name) => !name.endsWith(".yaml")));
});

test("HUB-16: no password, session, token or setup key ever appears in the log", async (t) => {
  const dataDir = folder(t);
  const lines: string[] = [];
  const note = (message: string, fields: unknown) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log = { debug: note, info: note, warn: note, error: note };
  const ports = { port: 0, engine: { port: 0 }, tracker: { udpPort: 0 } };
  const config = loadConfig({ env: {}, overrides: { dataDir, ...ports } });
  const hub = await runHub(config, log);
  t.after(() => hub.stop());
  const post = (path: string, json: unknown, headers: Record<string, string> = {}) =>
    fetch(hub.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(json),
    });
  const key = new URL(hub.setupLink!).hash.slice(1);
  const wrongKey = "n0t-the-key-at-all";
  const person = { name: "ann", password: PASSWORD };
  assert.equal((await post("/api/v1/setup", { ...person, key: wrongKey })).status, 403);
  assert.equal((await post("/api/v1/setup", { ...person, key })).status, 201);
  const wrong = "wr0ng-password-here";
  assert.equal((await post("/api/v1/session", { ...person, password: wrong })).status, 401);
  const session = await post("/api/v1/session", person);
  const cookie = session.headers.getSetCookie().map((text) => text.split(";")[0]!);
  const headers = { cookie: cookie.join("; "), origin: hub.url };
  const wanted = { name: "t", scope: "publish", expiresInDays: 1 };
  const made = await post("/api/v1/tokens", wanted, headers);
  const { token } = (await made.json()) as { token: string };
  await publish(hub, token, new Uint8Array(1000));
  await fetch(`${hub.url}/api/v1/session`, { headers: { authorization: `Bearer ${token}x` } });
  await fetch(`${hub.url}/announce?info_hash=x&key=${token}`);
  await hub.stop();
  const secrets = [
    PASSWORD,
    wrong,
    key,
    wrongKey,
    token,
    ...cookie.map((text) => text.split("=")[1]!),
  ];
  for (const secret of secrets) {
    assert.ok(secret.length > 8, "the secrets are what they seem");
    assert.deepEqual(
      lines.filter((line) => line.includes(secret)),
      [],
    );
  }
});

test("HUB-25: hundreds of silent connections keep nobody out", async (t) => {
  const { dataDir } = await initialised(t);
  const hub = await start(t, dataDir);
  const silent: Socket[] = [];
  for (let count = 0; count < 300; count += 1) {
    const socket = connect(hub.webPort, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(count % 2 === 0 ? "GET / HT" : "");
    silent.push(socket);
  }
  t.after(() => silent.forEach((socket) => socket.destroy()));
  await Promise.all(silent.map((socket) => once(socket, "connect")));
  assert.equal((await fetch(hub.url)).status, 200);
});

test("HUB-1, TRK-2: a visitor behind a proxy does not count as somebody on this machine", async (t) => {
  const dataDir = folder(t);
  const hub = await start(t, dataDir, { proxies: ["127.0.0.1"] });
  const hops = ["127.0.0.1, 203.0.113.9", "127.0.0.1, unknown", "", "unix:", "203.0.113.9:4711"];
  const all: Record<string, string>[] = hops.map((hop) => ({ "x-forwarded-for": hop }));
  for (const headers of [{}, ...all]) {
    const response = await fetch(`${hub.url}/setup`, { headers });
    assert.equal(response.status, 403);
    assert.ok(!(await response.text()).includes(dataDir));
  }
  await hub.stop();
  const direct = await start(t, dataDir);
  assert.equal((await fetch(`${direct.url}/setup`)).status, 200);
});

test("HUB-1, TRK-2: a proxy on this machine that is not configured opens setup to nobody, and the log says so once", async (t) => {
  const dataDir = folder(t);
  const said: string[] = [];
  const log: Log = { ...SILENT_LOG, error: (message) => said.push(message) };
  const hub = await start(t, dataDir, {}, log);
  const key = new URL(hub.setupLink!).hash.slice(1);
  for (const headers of [
    { "x-forwarded-for": "203.0.113.9" },
    { "x-forwarded-for": "127.0.0.1" },
    { forwarded: "for=203.0.113.9" },
    { "x-real-ip": "203.0.113.9" },
    { "x-forwarded-host": "hub.example" },
    { "x-forwarded-proto": "https" },
  ]) {
    const page = await fetch(`${hub.url}/setup`, { headers: { ...headers, accept: "text/html" } });
    assert.equal(page.status, 403);
    const text = await page.text();
    assert.match(text, /came through a proxy that the hub was not told of/);
    assert.ok(!text.includes(dataDir));
    const setup = await fetch(`${hub.url}/api/v1/setup`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify({ key, name: "mallory", password: "a harbour full of fog" }),
    });
    assert.equal(setup.status, 403);
    assert.match(await setup.text(), /proxies: \[127\.0\.0\.1\]/);
  }
  const announce =
    "/announce?info_hash=aaaaaaaaaaaaaaaaaaaa&peer_id=bbbbbbbbbbbbbbbbbbbb&port=6881&left=0";
  const told = await fetch(hub.url + announce, { headers: { "x-forwarded-for": "203.0.113.9" } });
  assert.match(await told.text(), /14:failure reason\d+:this tracker does not know your address/);
  assert.equal(said.length, 1);
  assert.match(said[0]!, /a proxy at 127\.0\.0\.1 .* Try: proxies: \[127\.0\.0\.1\]$/);
  assert.equal((await fetch(`${hub.url}/setup`)).status, 200, "the machine itself may");
});

test("the hub warns at the start when publicUrl needs a proxy and proxies is empty", async (t) => {
  const warned = async (settings: Partial<Config>): Promise<string[]> => {
    const said: string[] = [];
    const log: Log = { ...SILENT_LOG, warn: (message) => said.push(message) };
    const hub = await start(t, folder(t), settings, log);
    await hub.stop();
    return said.filter((message) => message.includes("proxies"));
  };
  assert.match(
    (await warned({ publicUrl: "https://hub.example" })).join(),
    /proxies: \[127\.0\.0\.1\]/,
  );
  assert.equal((await warned({ publicUrl: "http://hub.example" })).length, 1);
  assert.deepEqual(await warned({ publicUrl: "https://hub.example", proxies: ["127.0.0.1"] }), []);
  assert.deepEqual(await warned({}), []);
});

test("STO-4: a folder that cannot be written gives one clear error", async (t) => {
  const path = join(folder(t), "file");
  await writeFile(path, "");
  await assert.rejects(start(t, path), { name: "CommandError" });
});

test("when the peer port is in use the log names it and the key once, and the everseed uses a free port", async (t) => {
  // A separate address: other hubs on this machine may have the port on theirs.
  const host = "127.84.21.1";
  const taken = createServer();
  taken.on("error", () => undefined);
  taken.listen(PEER_PORT, host);
  // If it is not available, another program has it on every address, which is the same to the hub.
  await Promise.race([
    once(taken, "listening"),
    new Promise((resolve) => taken.once("error", resolve)),
  ]);
  t.after(() => taken.close());
  const said: string[] = [];
  const log: Log = { ...SILENT_LOG, warn: (message) => said.push(message) };
  const hub = await start(t, folder(t), { engine: { host } }, log);
  assert.equal(said.length, 1, said.join("\n"));
  assert.match(
    said[0]!,
    new RegExp(`^port ${PEER_PORT} for peers is taken by another program: .*engine\\.port`),
  );
  assert.notEqual(hub.peerPort, PEER_PORT);
  const peer = connect(hub.peerPort, host);
  await once(peer, "connect");
  peer.destroy();
  await hub.stop();
  assert.equal(said.length, 1);
});
