import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type FakeProxy, startHttpProxy, startSocksProxy } from "../fixtures/fake-proxy.ts";
import { until } from "../fixtures/until.ts";
import { bootstrapNode } from "../fixtures/bootstrap-node.ts";
import { everseed, EverseedProcess } from "./everseed-process.ts";
import { talks } from "./talks.ts";

const HOOK = import.meta.resolve("./network-trace.ts");

/** A seed, an HTTP tracker and a UDP tracker that know nobody, and a place for the trace of a command. */
async function world(context: TestContext) {
  const { folder } = await talks(context);
  const args = ["seed", "talks.torrent", "--data", ".", "--listen", "127.0.0.1:0", "--json"];
  const seed = new EverseedProcess(context, args, { cwd: folder });
  const announces = { http: [] as string[], udp: 0 };
  const tracker = http.createServer((request, response) => {
    announces.http.push(request.url!);
    response.end("d8:intervali1800e5:peers0:e");
  });
  tracker.listen(0, "127.0.0.1");
  const udp = dgram.createSocket("udp4", (packet, from) => {
    announces.udp += 1;
    // Connect, then announce: the transaction is in the same place of both, and of their answers.
    const isConnect = packet.length === 16;
    const reply = Buffer.alloc(isConnect ? 16 : 20);
    reply.writeUInt32BE(isConnect ? 0 : 1, 0);
    packet.copy(reply, 4, 12, 16);
    if (!isConnect) reply.writeUInt32BE(1800, 8);
    udp.send(reply, from.port, from.address);
  });
  udp.bind(0, "127.0.0.1");
  context.after(() => {
    tracker.close();
    tracker.closeAllConnections();
    udp.close();
  });
  await Promise.all([once(tracker, "listening"), once(udp, "listening")]);
  const file = join(folder, "trace");
  await writeFile(file, "");
  const trace = async (): Promise<string[]> =>
    (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return {
    folder,
    announces,
    peer: `127.0.0.1:${await seed.port()}`,
    names: {
      "tracker.test": (tracker.address() as AddressInfo).port,
      "udp.test": udp.address().port,
    },
    env: { NODE_OPTIONS: `--import=${HOOK}`, EVERSEED_TEST_TRACE: file },
    trace,
  };
}

const TRACKERS = [
  "--tracker",
  "http://tracker.test/announce?k=1",
  "--tracker",
  "udp://udp.test:6969",
];

/** All that the command did in the network, without what went to the proxy and its relay. */
function around(trace: readonly string[], proxy: FakeProxy): string[] {
  const allowed = new Set([`connect 127.0.0.1:${proxy.port}`]);
  for (const port of proxy.relayPorts) allowed.add(`send 127.0.0.1:${port}`);
  return trace.filter((line) => !allowed.has(line));
}

test("WIR-27: with a SOCKS5 proxy peers, trackers, the DHT and their names all go through it", async (context) => {
  const { folder, peer, names, env, trace, announces } = await world(context);
  const proxy = await startSocksProxy(context, { names, login: "me:secret" });
  const args = ["get", "talks.torrent", "-o", "copy", "--peer", peer, "--seed", "forever", "-v"];
  // Names have stand-ins out of this block, which lists of unused addresses contain. They are no addresses.
  await writeFile(join(folder, "unused"), "240.0.0.0/4\n");
  const get = new EverseedProcess(
    context,
    [...args, ...TRACKERS, "--dht-bootstrap", "node.test:6881", "--ip-filter", "unused"],
    { cwd: folder, env: { ...env, EVERSEED_PROXY: `socks5://me:secret@127.0.0.1:${proxy.port}` } },
  );
  await get.waitFor(/Done in/);
  await until("trackers and the DHT were asked", () => {
    return (
      announces.http.length > 0 && announces.udp > 1 && proxy.datagrams.includes("node.test:6881")
    );
  });
  get.child.kill("SIGINT");
  const { stderr, stdout } = await get.finished;
  assert.deepEqual(around(await trace(), proxy), []);
  // TCP and uTP race to it.
  assert.ok([...proxy.connects, ...proxy.datagrams].includes(peer));
  assert.ok(proxy.connects.includes("tracker.test:80"));
  assert.ok(proxy.datagrams.includes("udp.test:6969"));
  // Nobody can call back, and trackers take no port 0.
  assert.match(announces.http[0]!, /&port=1&/);
  assert.match(stderr, /All goes through the proxy socks5:\/\/127\.0\.0\.1:\d+: peers over TCP/);
  assert.ok(!/secret/.test(stderr + stdout), "house rule 10");
});

test("WIR-27: when the proxy dies nothing goes around it", async (context) => {
  const { folder, peer, names, env, trace } = await world(context);
  const proxy = await startSocksProxy(context, { names });
  const get = new EverseedProcess(
    context,
    ["get", "talks.torrent", "-o", "copy", "--peer", peer, "--down", "10K", ...TRACKERS].concat(
      ["--proxy", `socks5h://127.0.0.1:${proxy.port}`, "--dht", "on"],
      ["--dht-bootstrap", "127.0.0.1:9"],
    ),
    { cwd: folder, env },
  );
  await until("the peer was reached", () => [...proxy.connects, ...proxy.datagrams].includes(peer));
  proxy.kill();
  const before = (await trace()).length;
  await until("it was tried again", async () => (await trace()).length >= before + 3);
  get.child.kill("SIGINT");
  assert.equal((await get.finished).exit, 130);
  assert.deepEqual(around(await trace(), proxy), []);
});

test("WIR-27: an HTTP proxy carries peers and HTTP trackers; what it cannot carry is off, and told", async (context) => {
  const { folder, peer, names, env, trace, announces } = await world(context);
  const proxy = await startHttpProxy(context, { names, login: "me:secret" });
  const got = await everseed(
    context,
    ["get", "talks.torrent", "-o", "copy", "--peer", peer, ...TRACKERS].concat(
      ["--proxy", `http://me:secret@127.0.0.1:${proxy.port}`],
      ["--dht", "on", "--dht-bootstrap", "127.0.0.1:9"],
    ),
    { cwd: folder, env },
  );
  assert.equal(got.exit, 0, got.stderr);
  assert.deepEqual(around(await trace(), proxy), []);
  assert.ok(proxy.connects.includes(peer));
  assert.equal(announces.udp, 0);
  assert.match(
    got.stderr,
    /Off, because it carries no datagrams .*: uTP, UDP trackers and the DHT\./,
  );
  assert.ok(!/secret/.test(got.stderr + got.stdout), "house rule 10");
});

test("a torrent is fetched through the proxy too, and refusals of the proxy are told", async (context) => {
  const { folder, peer, env, trace } = await world(context);
  const torrent = await readFile(join(folder, "talks.torrent"));
  const web = http.createServer((_request, response) => response.end(torrent));
  web.listen(0, "127.0.0.1");
  context.after(() => web.close());
  await once(web, "listening");
  const names = { "web.test": (web.address() as AddressInfo).port };
  const proxy = await startSocksProxy(context, { names, relays: false });
  const get = (url: string) =>
    everseed(
      context,
      ["get", url, "-o", "copy", "--peer", peer, "--proxy", `socks5://127.0.0.1:${proxy.port}`],
      { cwd: folder, env },
    );
  const got = await get("http://web.test/talks.torrent");
  assert.equal(got.exit, 0, got.stderr);
  assert.match(
    got.stderr,
    /carries no datagrams \(the proxy did not get through: it does not do that\)/,
  );
  const none = await get("http://other.test/talks.torrent");
  assert.equal(none.exit, 6);
  assert.match(none.stderr, /the proxy did not get through: it does not reach that host/);
  assert.deepEqual(around(await trace(), proxy), []);
});

const REFUSED: readonly (readonly [
  what: string,
  args: readonly string[],
  exit: number,
  words: RegExp,
])[] = [
  [
    "no proxy",
    ["--proxy", "socks4://me:secret@127.0.0.1:1"],
    2,
    /That is no address of a proxy\. It takes/,
  ],
  [
    "nobody there",
    ["--proxy", "http://127.0.0.1:1"],
    6,
    /The proxy http:\/\/127\.0\.0\.1:1 cannot be reached/,
  ],
  [
    "nobody there",
    ["--proxy", "socks5://me:secret@127.0.0.1:1"],
    6,
    /^everseed: The proxy: no program listens/m,
  ],
  ["a wrong password", [], 5, /The proxy does not take this name and password\./],
  [
    "a peer by its name",
    ["--peer", "peer.test:1"],
    2,
    /The peer peer\.test has to be named by its address/,
  ],
];
for (const [what, args, exit, words] of REFUSED) {
  test(`a command with a proxy ends before it begins: ${what}`, async (context) => {
    const { folder } = await talks(context);
    const login = what === "a wrong password" ? "me:right" : undefined;
    const proxy = await startSocksProxy(context, login === undefined ? {} : { login });
    const env = { EVERSEED_PROXY: `socks5://me:wrong@127.0.0.1:${proxy.port}` };
    const got = await everseed(context, ["get", "talks.torrent", ...args], { cwd: folder, env });
    assert.equal(got.exit, exit, got.stderr);
    assert.match(got.stderr, words);
    assert.ok(!got.stderr.includes("secret"));
  });
}

test("WIR-27: dht goes through the proxy as get does, and says when the proxy carries no datagrams", async (context) => {
  const { folder, names, env, trace } = await world(context);
  const { address } = await bootstrapNode(context);
  const proxy = await startSocksProxy(context, { names });
  const lookup = ["dht", "lookup", "ab".repeat(20), "--bootstrap", address, "--proxy"];
  const found = await everseed(context, [...lookup, `socks5h://127.0.0.1:${proxy.port}`], {
    cwd: folder,
    env,
  });
  assert.equal(found.exit, 0, found.stderr);
  assert.ok(proxy.datagrams.includes(address));
  assert.deepEqual(around(await trace(), proxy), []);
  const web = await startHttpProxy(context, { names });
  const refused = await everseed(context, [...lookup, `http://127.0.0.1:${web.port}`], {
    cwd: folder,
    env,
  });
  assert.equal(refused.exit, 6, refused.stderr);
  assert.match(refused.stderr, /The proxy carries no datagrams, and the DHT has nothing else\./);
});
