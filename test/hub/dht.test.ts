import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fromHex, toLatin1 } from "../../src/base/bytes.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { initHub } from "../../src/daemon/init-hub.ts";
import { type RunningHub, runHub } from "../../src/daemon/run-hub.ts";
import { getItem, type ItemSearchResult } from "../../src/dht/item-search.ts";
import { decodePointer } from "../../src/dht/mutable-torrent.ts";
import { parsePublicationLink } from "../../src/metainfo/magnet.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { decodeState } from "../../src/dht/saved-state.ts";
import { type Log, SILENT_LOG } from "../../src/ports/log.ts";
import { everseed } from "../cli/everseed-process.ts";
import { bootstrapNode } from "../fixtures/bootstrap-node.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { until } from "../interop/process.ts";
import { tus } from "./hub-world.ts";

// The whole hub on real sockets, and one DHT node of ours that it begins with.

const PASSWORD = "a harbour full of fog";
const signatures = new NodeSignatures();

/** Publishes 100,000 bytes. @returns The id and the infohash. */
async function publish(
  hub: RunningHub,
  token: string,
  how: { readonly name: string; readonly private: boolean },
): Promise<{ readonly id: string; readonly infohash: string }> {
  const headers = { authorization: `Bearer ${token}` };
  const files = [{ path: how.name, size: 100_000 }];
  const declared = await fetch(`${hub.url}/api/v1/drafts`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ ...how, folder: false, files }),
  });
  const draft = (await declared.json()) as { id: string; uploadPath: string };
  const sent = await fetch(hub.url + draft.uploadPath, {
    method: "PATCH",
    headers: { ...headers, ...tus(0) },
    body: new Uint8Array(100_000).fill(how.private ? 1 : 2),
  });
  assert.equal(sent.status, 204, await sent.text());
  const page = await fetch(`${hub.url}/api/v1/torrents/${draft.id}`, { headers });
  const { infohashV1 } = (await page.json()) as { infohashV1: string };
  return { id: draft.id, infohash: infohashV1 };
}

async function start(
  t: TestContext,
  dataDir: string,
  discovery: { readonly dht?: boolean; readonly dhtBootstrap?: string[] },
  log: Log = SILENT_LOG,
): Promise<RunningHub> {
  const ports = { port: 0, engine: { port: 0 }, tracker: { udpPort: 0 } };
  const config = loadConfig({ env: {}, overrides: { dataDir, ...ports, discovery } });
  const hub = await runHub(config, log);
  t.after(() => hub.stop());
  return hub;
}

test("DHT-6: a hub keeps its DHT node over a restart, without the bootstrap node and after a broken file", async (t) => {
  const dataDir = temporaryFolder(t, "everseed-hub-dht-");
  const first = await bootstrapNode(t);
  const hub = await start(t, dataDir, { dhtBootstrap: [first.address] });
  assert.equal(hub.dht().port, hub.peerPort, "peers expect the DHT at the number of the peer port");
  await until("the hub has joined", () => hub.dht().state === "works");
  assert.deepEqual(hub.dht().networks, [{ family: 4, nodes: 1, joined: true, outerAddress: null }]);
  assert.match(hub.dht().words, /^DHT nodes that answer: 1 over IPv4\./);
  await hub.stop();

  const file = join(dataDir, "dht-nodes");
  const idOf = async () => decodeState(await readFile(file)).get(4)!.id;
  const id = await idOf();
  // It begins with the node it saved: nobody else is named.
  const again = await start(t, dataDir, { dht: true });
  await until("the hub has joined again", () => again.dht().state === "works");
  await again.stop();
  assert.deepEqual(await idOf(), id, "it is the same node");

  await writeFile(file, "d4:ipv4le");
  const warned: string[] = [];
  const log = { ...SILENT_LOG, warn: (message: string) => warned.push(message) };
  const anew = await start(t, dataDir, { dht: true }, log);
  assert.match(warned.join(), /The saved state of the DHT cannot be read/);
  assert.equal(anew.dht().state, "waits");
  await anew.stop();
  assert.notDeepEqual(await idOf(), id, "a whole state is there again");
});

test("BTFS-T5, DHT-7: a sleeping torrent of a hub is found by its infohash alone; a private one is never named", async (t) => {
  const dataDir = temporaryFolder(t, "everseed-hub-dht-");
  const made = await initHub({ dataDir, adminName: "ann", password: PASSWORD, wantsToken: true });
  const { address, queries } = await bootstrapNode(t);
  const hub = await start(t, dataDir, { dhtBootstrap: [address] });
  const secret = await publish(hub, made.token!, { name: "secret.bin", private: true });
  const open = await publish(hub, made.token!, { name: "open.bin", private: false });
  await until("the DHT has it", () => hub.dht().catalogue!.announced === 1);
  assert.equal(hub.dht().catalogue!.infohashes, 1);
  // The everseed's copy is asleep: nothing but its row is known.
  const folder = temporaryFolder(t, "everseed-hub-dht-");
  const options = ["--dht-bootstrap", address, "--listen", "127.0.0.1:0", "--json"];
  const got = await everseed(t, ["get", `magnet:?xt=urn:btih:${open.infohash}`, ...options], {
    cwd: folder,
  });
  assert.equal(got.exit, 0, got.stderr);
  assert.equal((await readFile(join(folder, "open.bin"))).length, 100_000);
  assert.ok(
    queries.some(
      ({ method, infohash }) => method === "announce_peer" && infohash === open.infohash,
    ),
  );

  // Nor after a restart, which reads the whole catalogue, nor while it is awake.
  await hub.stop();
  queries.length = 0;
  const again = await start(t, dataDir, { dhtBootstrap: [address] });
  await until("the DHT has it again", () => again.dht().catalogue!.announced === 1);
  const peer = `127.0.0.1:${again.peerPort}`;
  const fetched = await everseed(
    t,
    ["get", `${again.url}/t/${secret.id}.torrent`, "--peer", peer, "--listen", "127.0.0.1:0"],
    { cwd: folder },
  );
  assert.equal(fetched.exit, 0, fetched.stderr);
  assert.deepEqual(
    [...new Set(queries.map(({ infohash }) => infohash))].filter(Boolean),
    [open.infohash],
    "nothing else is named",
  );
});

test("a hub that only this machine reaches uses no DHT unless somebody says so", async (t) => {
  const hub = await start(t, temporaryFolder(t, "everseed-hub-dht-"), {});
  const { state, words, remedy, port } = hub.dht();
  assert.deepEqual([state, port], ["off", null]);
  assert.match(words, /only this machine reaches the port for peers at 127\.0\.0\.1/);
  assert.match(remedy!, /engine\.host/);
});

test("BEP 46: a hub keeps the link of a publication alive for a publisher who is gone, over a restart too", async (t) => {
  const dataDir = temporaryFolder(t, "everseed-hub-dht-");
  const made = await initHub({ dataDir, adminName: "ann", password: PASSWORD, wantsToken: true });
  const folder = temporaryFolder(t, "everseed-hub-dht-");
  await writeFile(join(folder, "token"), made.token!);
  await writeFile(join(folder, "talk.txt"), "the first version");
  const before = await bootstrapNode(t);
  const hub = await start(t, dataDir, { dhtBootstrap: [before.address] });
  const args = ["publish", "talk.txt", "--mutable", "--to", hub.url, "--token-file", "token"];
  const published = await everseed(t, [...args, "--json"], { cwd: folder });
  assert.equal(published.exit, 0, published.stderr);
  const { version, infohashV1 } = JSON.parse(published.stdout) as {
    version: { link: string };
    infohashV1: string;
  };
  assert.match(version.link, /^magnet:\?xs=urn:btpk:[0-9a-f]{64}$/);
  const secret = (await readFile(join(folder, "talk.txt.key"), "latin1")).trim();
  await hub.stop();
  const database = await readFile(join(dataDir, "everseed.db"), "latin1");
  assert.ok(!database.includes(secret) && !database.includes(toLatin1(fromHex(secret)!)));

  // Another network, where nobody has ever heard of it.
  const after = await bootstrapNode(t);
  await start(t, dataDir, { dhtBootstrap: [after.address] });
  await until("the DHT has the version", () => after.service.dht.status().itemsStored === 1);
  const { publication } = parsePublicationLink(version.link)!;
  const search = { place: { kind: "mutable", ...publication }, signatures } as const;
  const { item } = await new Promise<ItemSearchResult>((onDone) =>
    getItem(after.service.dht, search, onDone),
  );
  assert.deepEqual(decodePointer(item!.value), { v1: fromHex(infohashV1), v2: undefined });
});

test("a hub fetches a torrent by its infohash alone: its DHT node finds who has it", async (t) => {
  const { address, queries } = await bootstrapNode(t);
  const hubs = await Promise.all(
    [1, 2].map(async () => {
      const dataDir = temporaryFolder(t, "everseed-hub-dht-");
      const { token } = await initHub({
        dataDir,
        adminName: "ann",
        password: PASSWORD,
        wantsToken: true,
      });
      const hub = await start(t, dataDir, { dhtBootstrap: [address] });
      return { hub, token: token!, headers: { authorization: `Bearer ${token}` } };
    }),
  );
  const [theirs, ours] = hubs as [(typeof hubs)[0], (typeof hubs)[0]];
  const { infohash } = await publish(theirs.hub, theirs.token, { name: "a.bin", private: false });
  await until("the DHT has it", () => theirs.hub.dht().catalogue!.announced === 1);
  const asked = await fetch(`${ours.hub.url}/api/v1/fetches`, {
    method: "POST",
    headers: { ...ours.headers, "content-type": "application/json" },
    body: JSON.stringify({ magnet: infohash }),
  });
  const { id } = (await asked.json()) as { id: string };
  await until("it is published here", async () => {
    const page = await fetch(`${ours.hub.url}/api/v1/torrents/${id}`);
    await page.body?.cancel();
    return page.status === 200;
  });
  const methods = queries.filter((query) => query.infohash === infohash);
  assert.ok(methods.some(({ method }) => method === "get_peers"));
});
