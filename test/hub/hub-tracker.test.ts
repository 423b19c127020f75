import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { loadConfig } from "../../src/config/load-config.ts";
import { openHubServer } from "../../src/daemon/hub-server.ts";
import type { WebServer } from "../../src/platform/web-server.ts";
import { UNCOUNTED } from "../../src/ports/outside-faults.ts";
import { type HubTracker, openHubTracker } from "../../src/daemon/hub-tracker.ts";
import { type RunningHub, runHub } from "../../src/daemon/run-hub.ts";
import { type Log, type LogFields, SILENT_LOG } from "../../src/ports/log.ts";
import { SleepingMarks } from "../../src/mse/sleeping-marks.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeFiles } from "../../src/platform/node-files.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { openStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { OpenTotals } from "../../src/tracker/swarm-totals.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { UdpFriend } from "../tracker/udp-friend.ts";
import { HASH, PEER_ID, peersOf } from "../tracker/tracker-world.ts";

// The tracker on the web port, as raw sockets see it: on real sockets, in this process.

const HOST = "host: 127.0.0.1\r\n";
const QUERY = `info_hash=${HASH}&peer_id=${PEER_ID}&uploaded=0&downloaded=0&left=1&compact=1`;
const ANNOUNCE = `/announce?${QUERY}&port=6881`;

async function startHub(
  t: TestContext,
  tracker: Record<string, unknown> = {},
  log = SILENT_LOG,
): Promise<RunningHub> {
  const dataDir = temporaryFolder(t, "everseed-tracker-");
  const config = loadConfig({
    env: {},
    overrides: {
      dataDir,
      port: 0,
      engine: { port: 0 },
      tracker: { udpPort: 0, open: true, ...tracker },
    },
  });
  const hub = await runHub(config, log);
  t.after(() => hub.stop());
  return hub;
}

function open(t: TestContext, port: number, from = "127.0.0.1"): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

/** The answer to raw bytes, until the other side ends. */
async function raw(t: TestContext, port: number, text: string, from?: string): Promise<string> {
  const socket = open(t, port, from);
  let got = "";
  socket.on("data", (chunk: Buffer) => (got += chunk.toString("latin1")));
  socket.write(Buffer.from(text, "latin1"));
  await closed(socket);
  return got;
}

/** Unlike `once`, this also resolves on a reset. */
async function closed(socket: Socket): Promise<void> {
  // It may have ended while something else was awaited.
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
}

function get(target: string, more = ""): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}connection: close\r\n${more}\r\n`;
}

test("PUB-3.2, PUB-3.5: HTTP/1.0 without a host gets text/plain, bencoded", async (t) => {
  const hub = await startHub(t);
  for (const target of [ANNOUNCE, `/scrape?info_hash=${HASH}`, "/announce?info_hash=x"]) {
    const reply = await raw(t, hub.webPort, `GET ${target} HTTP/1.0\r\n\r\n`);
    const [head = "", body = ""] = reply.split("\r\n\r\n");
    assert.match(head, /^HTTP\/1\.[01] 200 OK\r\n/, target);
    assert.match(head, /^content-type: text\/plain$/im, target);
    assert.match(head, /^cache-control: no-store$/im, target);
    assert.match(head, /^x-content-type-options: nosniff$/im, target);
    assert.match(head, new RegExp(`^content-length: ${body.length}$`, "im"), target);
    assert.match(body, /^d.*e$/s, target);
  }
});

test("TRK-11: an address that asks faster than the configuration allows gets 429", async (t) => {
  const hub = await startHub(t, { requestsPerSecondMax: 1 });
  const storm = `GET ${ANNOUNCE} HTTP/1.1\r\n${HOST}\r\n`.repeat(30) + get(ANNOUNCE);
  const replies = (await raw(t, hub.webPort, storm)).split(/(?=HTTP\/1\.1 )/);
  assert.equal(replies.length, 31);
  const refused = replies.filter((reply) => reply.startsWith("HTTP/1.1 429 "));
  assert.ok(refused.length >= 15, `${refused.length} of 31`);
  assert.match(refused[0]!, /d14:failure reason\d+:too many requests/);
  assert.match(await raw(t, hub.webPort, get(ANNOUNCE), "127.0.0.2"), /^HTTP\/1\.1 200 /);
});

/** A client that is still sending may see a reset connection instead of the answer. */
const TOO_LARGE = /^HTTP\/1\.1 431 |^$/;
const smuggled = `GET ${ANNOUNCE.replace("6881", "6666")} HTTP/1.1\r\n${HOST}\r\n`;
const refusedBytes: readonly (readonly [what: string, text: string, status: RegExp])[] = [
  [
    "a query of 9 kB",
    get(`${ANNOUNCE}&x=${"a".repeat(9_000)}`),
    /^HTTP\/1\.1 414 [^]*failure reason/,
  ],
  ["a query of 100 kB", get(`${ANNOUNCE}&x=${"a".repeat(100_000)}`), TOO_LARGE],
  [
    "1 000 parameters",
    get(ANNOUNCE + "&a=b".repeat(1_000)),
    /^HTTP\/1\.1 200 [^]*too many parameters/,
  ],
  ["10 000 parameters", get(ANNOUNCE + "&a=b".repeat(10_000)), TOO_LARGE],
  ["headers of 100 kB", get(ANNOUNCE, `x: ${"x".repeat(100_000)}\r\n`), TOO_LARGE],
  ["3 000 headers", get(ANNOUNCE, "x: y\r\n".repeat(3_000)), TOO_LARGE],
  [
    "CL and TE",
    `${get(ANNOUNCE, "content-length: 4\r\ntransfer-encoding: chunked\r\n")}0\r\n\r\n${smuggled}`,
    /^HTTP\/1\.1 400 /,
  ],
  [
    "an unknown coding",
    `${get(ANNOUNCE, "transfer-encoding: xchunked\r\n")}0\r\n\r\n${smuggled}`,
    /^HTTP\/1\.1 400 /,
  ],
  [
    "chunked, but not at last",
    `${get(ANNOUNCE, "transfer-encoding: chunked, identity\r\n")}0\r\n\r\n${smuggled}`,
    /^HTTP\/1\.1 400 /,
  ],
  [
    "two lengths",
    `${get(ANNOUNCE, "content-length: 0\r\ncontent-length: 5\r\n")}${smuggled}`,
    /^HTTP\/1\.1 400 /,
  ],
  [
    "a length with a sign",
    `${get(ANNOUNCE, "content-length: +5\r\n")}${smuggled}`,
    /^HTTP\/1\.1 400 /,
  ],
  [
    "a space before the colon",
    `${get(ANNOUNCE, "content-length : 5\r\n")}${smuggled}`,
    /^HTTP\/1\.1 400 /,
  ],
  ["a folded header", get(ANNOUNCE, "x: a\r\n b\r\n"), /^HTTP\/1\.1 400 /],
  ["bare line feeds", get(ANNOUNCE).replaceAll("\r", ""), /^HTTP\/1\.1 400 /],
  ["NUL in a header", get(ANNOUNCE, "x: a\0b\r\n"), /^HTTP\/1\.1 400 /],
  ["NUL in the address", get(`${ANNOUNCE}\0`), /^HTTP\/1\.1 400 /],
  [
    "bytes that are not escaped",
    get(`/announce?info_hash=${"\xff".repeat(20)}`),
    /^HTTP\/1\.1 400 /,
  ],
];

test("TRK-12: invalid or oversized requests on raw sockets get 4xx, and nothing after them is read", async (t) => {
  const hub = await startHub(t);
  for (const [what, text, status] of refusedBytes) {
    const reply = await raw(t, hub.webPort, text);
    assert.match(reply, status, what);
    assert.ok(reply.split("HTTP/1.1 ").length <= 2, `${what}: one answer`);
  }
  const peers = peersOf(await raw(t, hub.webPort, get(`/announce?${QUERY}&port=1`)));
  assert.ok(!peers.includes("127.0.0.1:6666"), "nothing smuggled was obeyed either");
});

test("TRK-12: pipelined requests are answered one by one, in order", async (t) => {
  const hub = await startHub(t, { peersPerAddressInSwarm: 200 });
  const ports = Array.from({ length: 200 }, (_, index) => 1_000 + index);
  const asks = ports.map((port) => `/announce?${QUERY}&port=${port}&numwant=0`);
  const text = asks.map((target) => `GET ${target} HTTP/1.1\r\n${HOST}\r\n`).join("");
  const got = await raw(t, hub.webPort, text + get(`/scrape?info_hash=${HASH}`));
  const replies = got.split(/(?=HTTP\/1\.1 )/);
  assert.equal(replies.length, 201);
  for (const [index, reply] of replies.slice(0, 200).entries()) {
    assert.match(reply, new RegExp(`10:incompletei${index + 1}e`), `${index}`);
  }
  assert.match(replies[200]!, /10:incompletei200e/);
});

/** A server with short time limits. */
async function hasty(t: TestContext): Promise<WebServer> {
  const server = await openHubServer(
    { host: "127.0.0.1", port: 0, proxies: [], faults: UNCOUNTED },
    { headersMs: 100, bodyMs: 100, idleMs: 400, keepAliveMs: 100, checkIntervalMs: 20 },
  );
  t.after(() => server.close());
  server.serve(async () => new Response("de", { headers: { "content-type": "text/plain" } }));
  return server;
}

const slow: readonly (readonly [what: string, begin: string, drip: string, reply: RegExp])[] = [
  ["a request that comes byte by byte", "GET /announce?a=", "b", /^HTTP\/1\.1 408 |^$/],
  [
    "headers without an end",
    `GET /announce HTTP/1.1\r\n${HOST}`,
    "x: y\r\n",
    /^HTTP\/1\.1 408 |^$/,
  ],
  ["a connection that says nothing", "", "", /^HTTP\/1\.1 408 |^$/],
  [
    "a body nobody asked for",
    `GET /announce HTTP/1.1\r\n${HOST}content-length: 1000000\r\n\r\n`,
    "z",
    /^HTTP\/1\.1 200 /,
  ],
  [
    "a chunked body nobody asked for",
    `GET /announce HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`,
    "1\r\nz\r\n",
    /^HTTP\/1\.1 200 /,
  ],
  [
    "an answered connection that is kept and says nothing more",
    `GET /announce HTTP/1.1\r\n${HOST}\r\n`,
    "",
    /^HTTP\/1\.1 200 /,
  ],
];

for (const [what, begin, drip, reply] of slow) {
  test(`TRK-12: ${what} ends, and keeps nobody else out`, async (t) => {
    const server = await hasty(t);
    const socket = open(t, server.port);
    let got = "";
    socket.on("data", (chunk: Buffer) => (got += chunk.toString("latin1")));
    socket.write(begin);
    const dripping = setInterval(() => drip !== "" && socket.write(drip), 20);
    t.after(() => clearInterval(dripping));
    assert.match(await raw(t, server.port, get("/announce")), /^HTTP\/1\.1 200 /);
    await closed(socket);
    assert.match(got, reply);
  });
}

/** A table whose calls all throw once it is shut, except those of `open`. */
function shuttable<Table extends object>(table: Table, isShut: () => boolean, open: string): Table {
  return new Proxy(table, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (isShut() && name !== open) throw new Error(`the database was asked: ${String(name)}`);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

const row = (byte: number, infohash_v2: Uint8Array | null) => ({
  id: `t${byte}`,
  infohash_v1: new Uint8Array(20).fill(byte),
  infohash_v2,
  kind: infohash_v2 ? ("hybrid" as const) : ("v1" as const),
  name: `Torrent ${byte}`,
  folder: 0,
  size: 1000,
  file_count: 1,
  piece_size: 16384,
  piece_count: 1,
  private: 0,
  comment: null,
  content_path: `c/${byte}`,
  metainfo_path: `t/${byte}`,
  publisher_id: "u1",
  published_at: 1,
  checked_at: 1,
  trackers: null,
});

test("TRK-22: neither an announce nor a scrape asks the database, by HTTP or UDP, for any torrent", async (t) => {
  const store = await openStore(":memory:");
  t.after(() => store.close());
  await store.torrents.insert(row(1, null), { words: "" });
  await store.torrents.insert(row(2, new Uint8Array(32).fill(3)), { words: "" });
  const done = { completed: 7, uploaded: 8, downloaded: 9 };
  await store.swarmTotals.save([{ infohash: new Uint8Array(20).fill(1), ...done }]);
  for (const [byte, problem] of [
    [4, null],
    [5, "its pieces disagree"],
  ] as const) {
    await store.fetches.insert({
      id: `f${byte}`,
      owner_id: "u1",
      magnet: null,
      infohash: new Uint8Array(20).fill(byte),
      name: "on its way",
      problem,
      torrent_id: null,
      created_at: 1,
    });
  }
  let isShut = false;
  const shut = <Table extends object>(table: Table, open = ""): Table =>
    shuttable(table, () => isShut, open);
  const tables = Object.fromEntries(
    Object.entries(store).map(([name, table]) => [
      name,
      typeof table === "object" ? shut(table, name === "swarmTotals" ? "save" : "") : table,
    ]),
  ) as unknown as Store;
  const config = loadConfig({ env: {}, overrides: { tracker: { udpPort: 0, fullScrape: true } } });
  const dataDir = temporaryFolder(t, "everseed-tracker-");
  const files = new NodeFiles(dataDir);
  const tracker = await openHubTracker(
    { ...config, host: "127.0.0.1" },
    {
      store: tables,
      files,
      dataDir,
      clock: new NodeClock(),
      random: new NodeRandom(),
      log: SILENT_LOG,
      faults: UNCOUNTED,
      webPort: 0,
      peerPort: 6882,
      outer: () => undefined,
      sleeping: new SleepingMarks({ clock: new NodeClock(), all: () => [] }),
      dht: {
        handlePublished: () => undefined,
        handleRemoved: () => undefined,
        setWhole: () => undefined,
      },
    },
  );
  isShut = true;
  try {
    await askEverything(t, tracker);
  } finally {
    await tracker.close();
    files.close();
  }
});

async function askEverything(t: TestContext, tracker: HubTracker): Promise<void> {
  const ask = async (target: string): Promise<string> => {
    const context = { remoteAddress: "127.0.0.1", localAddress: "127.0.0.1" };
    const response = await tracker.handle(new Request(`http://127.0.0.1${target}`), context);
    assert.ok(response);
    return Buffer.from(await response.arrayBuffer()).toString("latin1");
  };
  const hash = (byte: number): string => `%0${byte}`.repeat(20);
  const announceTo = (byte: number): Promise<string> =>
    ask(`/announce?${QUERY.replace(HASH, hash(byte))}&port=6881`);
  const scrapeOf = (byte: number): Promise<string> => ask(`/scrape?info_hash=${hash(byte)}`);
  assert.match(await scrapeOf(1), /8:completei1e10:downloadedi7e/, "with what it did before");
  assert.match(await ask("/scrape"), /10:downloadedi7e/);
  assert.match(await announceTo(1), /8:completei1e10:downloadedi7e/);
  await announceTo(2);
  assert.match(await announceTo(3), /10:incompletei1e/, "both infohashes of a hybrid are known");
  assert.match(await announceTo(4), /8:completei0e/, "what is on its way");
  for (const byte of [5, 6]) assert.match(await announceTo(byte), /not registered here/);

  const udp = await UdpFriend.connect(t, tracker.udpPort);
  for (const [byte, action] of [
    [1, 1],
    [3, 1],
    [4, 1],
    [5, 3],
    [6, 3],
  ] as const) {
    const infohash = new Uint8Array(20).fill(byte);
    assert.equal((await udp.announce(infohash)).readUInt32BE(0), action, `torrent ${byte}`);
    assert.equal((await udp.scrape(infohash)).readUInt32BE(0), 2);
  }

  // Changes arrive without it, too.
  tracker.unregister({ v1: new Uint8Array(20).fill(1) });
  assert.match(await announceTo(1), /not registered here/);
  assert.doesNotMatch(await scrapeOf(1), /complete/);
  tracker.register({ v1: new Uint8Array(20).fill(1) });
  assert.match(await announceTo(1), /8:completei1e10:downloadedi7e/, "nothing was forgotten");
  tracker.setFetched(new Uint8Array(20).fill(6), true);
  assert.match(await announceTo(6), /8:completei0e/);
}

/** Every line of a log, with its fields. */
function keepingLog(lines: string[]): Log {
  const keep = (message: string, fields?: LogFields): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { debug: keep, info: keep, warn: keep, error: keep };
}

test("TRK-13, BDR-4.2.6: a hub refuses unknown passkeys and devices, by path, query and BEP 41, and logs none of them", async (t) => {
  const lines: string[] = [];
  const hub = await startHub(t, { open: false }, keepingLog(lines));
  const secret = "5ecretOfSomebody0123456789";
  const rest = `${QUERY}&port=6881`;
  for (const [target, status, reason] of [
    [`/${secret}/announce?${rest}`, 200, /this passkey is not known here/],
    [`/announce/${secret}?${rest}`, 200, /this passkey is not known here/],
    [`/announce?${rest}&passkey=${secret}`, 200, /this passkey is not known here/],
    [`/${secret}/scrape?info_hash=${HASH}`, 200, /this passkey is not known here/],
    [`/scrape?info_hash=${HASH}&passkey=${secret}`, 200, /this passkey is not known here/],
    [`/device/${secret}/announce?${rest}`, 403, /this device is not known here/],
    [`/announce?${rest}&device=${secret}`, 403, /this device is not known here/],
    [`/scrape?info_hash=${HASH}&device=${secret}`, 403, /this device is not known here/],
    [`/announce?${rest}&passkey=${secret}&passkey=${secret}x`, 200, /this passkey is not known/],
    [`/announce?${rest}`, 200, /this torrent is not registered here/],
    // The site handles wrong methods and paths that only resemble the tracker's.
    [`/x/${secret}/announce?${rest}`, 303, /^/],
  ] as const) {
    const reply = await raw(t, hub.webPort, get(target));
    assert.match(reply, new RegExp(`^HTTP/1\\.1 ${status} `), target);
    const body = reply.slice(reply.indexOf("\r\n\r\n") + 4);
    if (status !== 303)
      assert.match(body, /^d14:failure reason\d+:[^:]*(: sign in[^:]*)?e$/, target);
    assert.match(body, reason, target);
    assert.ok(!reply.includes(secret), target);
  }
  await raw(t, hub.webPort, get(`/${secret}/announce`).replace("GET", "POST"));
  const udp = await UdpFriend.connect(t, hub.udpPort);
  for (const [url, reason] of [
    [`udp://t/${secret}/announce`, /this passkey is not known here/],
    [`udp://t/announce?passkey=${secret}`, /this passkey is not known here/],
    [`udp://t/device/${secret}/announce`, /this device is not known here/],
    ["udp://t/elsewhere", /this torrent is not registered here/],
  ] as const) {
    const reply = await udp.announce(new Uint8Array(20).fill(0xaa), url);
    assert.equal(reply.readUInt32BE(0), 3, url);
    assert.match(reply.toString("latin1", 8), reason, url);
    assert.ok(!reply.includes(secret));
  }
  await hub.stop();
  const told = lines.join("\n");
  assert.match(told, /this passkey is not known here/, "what is refused is told at level debug");
  assert.ok(!told.includes(secret.slice(0, 5)), "no more than four characters of a secret");
});

test("TRK-13: an open tracker ignores credentials", async (t) => {
  const hub = await startHub(t);
  for (const target of [
    `/5ecretOfSomebody0123456789/announce?${QUERY}&port=1`,
    `/announce?${QUERY}&port=2&passkey=?`,
    `/announce?${QUERY}&port=3&device=5ecretOfSomebody0123456789`,
  ]) {
    assert.match(await raw(t, hub.webPort, get(target)), /8:completei0e/, target);
  }
});

test("TRK-17, PUB-3.7: totals are in the database once flushed, and counting continues from there", async () => {
  const store = await openStore(":memory:");
  const infohash = new Uint8Array(20).fill(1);
  const before = new OpenTotals(store.swarmTotals, 1, { clock: new NodeClock(), log: SILENT_LOG });
  before.open(0, infohash, true);
  before.add(0, { completed: 1, uploaded: 10, downloaded: Number.MAX_SAFE_INTEGER });
  assert.equal(before.close(0), false, "not saved yet");
  await before.flush();
  assert.equal(before.close(0), true);
  const after = new OpenTotals(store.swarmTotals, 2, { clock: new NodeClock(), log: SILENT_LOG });
  after.open(3, infohash, true);
  after.add(3, { completed: 1, uploaded: 1, downloaded: 1 });
  await after.flush();
  const expected = { completed: 2, uploaded: 11, downloaded: Number.MAX_SAFE_INTEGER };
  assert.deepEqual([...store.swarmTotals.all()], [{ infohash, ...expected }]);
  await store.close();
});
