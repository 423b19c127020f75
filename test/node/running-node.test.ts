import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type NodeStatus, nodeStatusSchema } from "../../src/api/node.ts";
import { NODE_PATH, NODE_RELOAD_PATH } from "../../src/api/paths.ts";
import { loadConfig, originsOf } from "../../src/config/load-config.ts";
import type { Preset } from "../../src/config/presets.ts";
import { type RunningNode, runNode } from "../../src/daemon/run-node.ts";
import { SocketCalls } from "../../src/platform/socket-calls.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

// The one composition with other services on than a hub has, on real sockets and a real disk.

const PORTS = { port: 0, engine: { port: 0, host: "127.0.0.1" }, tracker: { udpPort: 0 } };

async function start(
  t: TestContext,
  folder: string,
  preset: Preset,
  more: Record<string, unknown> = {},
): Promise<RunningNode> {
  const overrides = { ...PORTS, dataDir: join(folder, "state"), ...more };
  const config = loadConfig({ preset, env: {}, overrides });
  const socket = join(folder, "run", "control.sock");
  const asked = { config, preset, socket, origins: new Map(), configFile: undefined };
  const node = await runNode(asked, SILENT_LOG);
  t.after(() => node.stop());
  return node;
}

async function call(
  folder: string,
  method: "GET" | "POST",
  path: string,
): Promise<{ status: number; body: string }> {
  const { status, body } = await new SocketCalls(join(folder, "run", "control.sock")).send({
    method,
    url: `http://localhost${path}`,
    headers: {},
    body: undefined,
    timeoutMs: 5_000,
    bytesMax: 65_536,
    signal: new AbortController().signal,
  });
  return { status, body: Buffer.from(body!).toString() };
}

async function ask(folder: string): Promise<NodeStatus> {
  const { status, body } = await call(folder, "GET", NODE_PATH);
  assert.equal(status, 200);
  return nodeStatusSchema.parse(JSON.parse(body));
}

function statesOf({ services }: NodeStatus): Record<string, string> {
  return Object.fromEntries(services.map(({ name, state }) => [name, state]));
}

test("a node is the composition of a hub without site and tracker, and answers on its socket", async (t) => {
  const folder = temporaryFolder(t, "everseed-node-");
  const node = await start(t, folder, "node");
  assert.equal(node.site, undefined);
  const status = await ask(folder);
  assert.deepEqual([status.preset, status.webPort, status.udpPort], ["node", null, null]);
  assert.ok(status.peerPort > 0);
  const states = statesOf(status);
  assert.deepEqual([states["peers"], states["site"], states["tracker"]], ["works", "off", "off"]);
});

test("the defaults of a node reach its peers, those of a hub this machine only", () => {
  const of = (preset: Preset) => loadConfig({ preset, env: {}, overrides: {} });
  assert.equal(of("node").engine.host, "0.0.0.0");
  assert.equal(of("hub").engine.host, undefined);
  const given = loadConfig({
    preset: "node",
    file: { path: "everseed.yaml", text: "engine: { host: 127.0.0.1 }\nservices: { site: true }" },
    env: { EVERSEED_SERVICES_TRACKER: "true" },
    overrides: {},
  });
  assert.equal(given.engine.host, "127.0.0.1");
  assert.deepEqual([given.services.site, given.services.tracker], [true, true]);
});

test("STO-10 a second node on the same state names the first", async (t) => {
  const folder = temporaryFolder(t, "everseed-node-");
  await start(t, folder, "node");
  await assert.rejects(start(t, folder, "node"), {
    code: "data-in-use",
    message: new RegExp(`process ${process.pid} `),
  });
});

test("a second node with another state but the same socket names the first, and leaves nothing behind", async (t) => {
  const folder = temporaryFolder(t, "everseed-node-");
  await start(t, folder, "node");
  const dataDir = join(folder, "other");
  await assert.rejects(start(t, folder, "node", { dataDir }), {
    code: "data-in-use",
    message: new RegExp(`process ${process.pid} `),
  });
  assert.equal((await ask(folder)).dataFolder, join(folder, "state"));
});

test("a tracker without a site answers announces on the web port, and nothing else", async (t) => {
  const folder = temporaryFolder(t, "everseed-node-");
  const services = { tracker: true };
  const tracker = { ...PORTS.tracker, open: true };
  await start(t, folder, "node", { services, tracker });
  const { webPort } = await ask(folder);
  const query = `info_hash=${"%01".repeat(20)}&peer_id=-XX0001-abcdefghijkl&port=6881&left=0`;
  const answer = await fetch(`http://127.0.0.1:${webPort}/announce?${query}`);
  assert.match(await answer.text(), /^d8:complete/);
  assert.equal((await fetch(`http://127.0.0.1:${webPort}/`)).status, 404);
});

test("a hub without a tracker has its site, and names no tracker", async (t) => {
  const folder = temporaryFolder(t, "everseed-node-");
  const node = await start(t, folder, "hub", { services: { tracker: false } });
  const status = await ask(folder);
  assert.deepEqual([statesOf(status)["site"], statesOf(status)["tracker"]], ["works", "off"]);
  const announce = await fetch(`${node.site?.url}/announce?info_hash=x`, { redirect: "manual" });
  assert.notEqual(announce.status, 200);
});

test("BDR-2.2.4 a running node takes over what can hold at once, and says what holds after a restart", async (t) => {
  const folder = temporaryFolder(t, "everseed-node-");
  let text = "engine: { upBytesPerSecond: 0 }\n";
  const load = async () => {
    const overrides = { ...PORTS, dataDir: join(folder, "state") };
    const sources = { preset: "node", file: { path: "f.yaml", text }, env: {}, overrides } as const;
    return { config: loadConfig(sources), origins: originsOf(sources) };
  };
  const node = await runNode(
    {
      ...(await load()),
      preset: "node",
      reload: load,
      configFile: "f.yaml",
      socket: join(folder, "run", "control.sock"),
    },
    SILENT_LOG,
  );
  t.after(() => node.stop());
  const reload = async (): Promise<{ status: number; answer: Record<string, unknown> }> => {
    const { status, body } = await call(folder, "POST", NODE_RELOAD_PATH);
    return { status, answer: JSON.parse(body) as Record<string, unknown> };
  };
  assert.deepEqual((await reload()).answer, { atOnce: [], afterRestart: [] });
  text = "engine: { upBytesPerSecond: 5000, encryption: require }\nservices: { tracker: true }\n";
  const changed = {
    atOnce: ["engine.upBytesPerSecond", "engine.encryption"],
    afterRestart: ["services.tracker"],
  };
  const { answer } = await reload();
  assert.deepEqual(
    [(answer["atOnce"] as string[]).toSorted(), answer["afterRestart"]],
    [changed.atOnce.toSorted(), changed.afterRestart],
  );
  // A value that holds already is no change any more; one that waits still waits.
  assert.deepEqual((await reload()).answer, { atOnce: [], afterRestart: ["services.tracker"] });
  text = "engine: { prot: 1 }\n";
  const refused = await reload();
  assert.equal(refused.status, 409);
  assert.match(JSON.stringify(refused.answer), /f\.yaml line 1 has an unknown key/);
});
