import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadConfig } from "../../src/config/load-config.ts";
import { type RunningHub, runHub } from "../../src/daemon/run-hub.ts";
import { decodeState } from "../../src/dht/saved-state.ts";
import { type Log, SILENT_LOG } from "../../src/ports/log.ts";
import { bootstrapNode } from "../fixtures/bootstrap-node.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { until } from "../interop/process.ts";

// The whole hub on real sockets, and one DHT node of ours that it begins with.

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
  assert.equal(hub.dht().words, "DHT nodes that answer: 1 over IPv4.");
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

test("a hub that only this machine reaches uses no DHT unless somebody says so", async (t) => {
  const hub = await start(t, temporaryFolder(t, "everseed-hub-dht-"), {});
  const { state, words, remedy, port } = hub.dht();
  assert.deepEqual([state, port], ["off", null]);
  assert.match(words, /only this machine reaches the port for peers at 127\.0\.0\.1/);
  assert.match(remedy!, /engine\.host/);
});
