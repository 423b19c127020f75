import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type TestContext, test } from "node:test";
import { TRANSFERS_PATH, transferPath } from "../../src/api/paths.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { type RunningNode, runNode } from "../../src/daemon/run-node.ts";
import { assembleTorrent } from "../../src/metainfo/assemble-torrent.ts";
import { SocketCalls } from "../../src/platform/socket-calls.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { makeSimTorrent } from "../../src/sim/sim-torrent.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

// A watch folder, a program and a webhook of whole nodes, on real sockets and a real disk.

const LIMIT_MS = 20_000;
/** A shell would run it. */
const NAME = "-$(touch owned)\n.bin";

async function start(
  t: TestContext,
  folder: string,
  more: { readonly transfers?: object; readonly webhook?: object } = {},
): Promise<RunningNode> {
  const overrides = {
    engine: { port: 0, host: "127.0.0.1" },
    discovery: { dht: false, lsd: false },
    dataDir: join(folder, "state"),
    ...more,
    transfers: { folder: join(folder, "downloads"), ...more.transfers },
  };
  const config = loadConfig({ preset: "node", env: {}, overrides });
  const socket = join(folder, "control.sock");
  const asked = { config, preset: "node", socket, origins: new Map() } as const;
  const node = await runNode({ ...asked, configFile: undefined }, SILENT_LOG);
  t.after(() => node.stop());
  return node;
}

async function call(
  folder: string,
  method: "GET" | "POST" | "PATCH",
  path: string,
  body?: unknown,
) {
  const isFile = body instanceof Uint8Array;
  const type = isFile ? "application/x-bittorrent" : "application/json";
  const answer = await new SocketCalls(join(folder, "control.sock")).send({
    method,
    url: `http://localhost${path}`,
    headers: body === undefined ? {} : { "content-type": type },
    body: isFile || body === undefined ? body : JSON.stringify(body),
    timeoutMs: LIMIT_MS,
    bytesMax: 1_000_000,
    signal: new AbortController().signal,
  });
  const json = JSON.parse(Buffer.from(answer.body!).toString()) as Record<string, unknown>;
  return { status: answer.status, json };
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  while (!(await holds())) {
    assert.ok(!signal.aborted, `not in time: ${what}`);
    await setTimeout(50);
  }
}

test("HUB-14: a dropped torrent is fetched, a program and a webhook are told, and no name becomes a command", async (t) => {
  const top = temporaryFolder(t, "everseed-tells-");
  const [here, there, drop] = ["here", "there", "drop"].map((name) => join(top, name));
  for (const folder of [here!, there!, drop!]) mkdirSync(folder);
  const made = makeSimTorrent({
    random: seededRandom(9),
    name: NAME,
    size: 400_000,
    pieceLength: 65_536,
    kind: "v1",
  });
  const { infoBytes } = made.metainfo.info;
  const file = assembleTorrent({ infoBytes, pieceLayers: new Map(), trackers: [] });
  const seeder = await start(t, here!);
  const [shown = ""] = made.metainfo.info.files[0]!.path;
  writeFileSync(join(here!, shown), made.bytes);
  const query = `?folder=${encodeURIComponent(here!)}`;
  const added = await call(here!, "POST", `${TRANSFERS_PATH}/torrent${query}`, file);
  const id = String(added.json["id"]);

  const posts: { readonly signature: unknown; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      posts.push({ signature: request.headers["x-everseed-signature"], body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const secretFile = join(top, "secret");
  writeFileSync(secretFile, "owl\n");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const told = join(top, "told");
  const script = 'printf "%s|%s" "$1" "$EVERSEED_NAME" > "$0"';
  const more = {
    transfers: { watchFolders: [drop!], whenFinished: ["/bin/sh", "-c", script, told, "{path}"] },
    webhook: { url, secretFile },
  };
  chmodSync(secretFile, 0o644);
  await assert.rejects(start(t, there!, more), /may read the secret/);
  chmodSync(secretFile, 0o600);
  const node = await start(t, there!, more);
  writeFileSync(join(drop!, "a.torrent"), file);
  await until("it is taken", () => existsSync(join(drop!, "a.torrent.added")));
  const services = node.status().services.filter(({ name }) => name === "watch folders");
  assert.deepEqual(
    services.map(({ state, words }) => [state, words]),
    [["works", "1 files taken from 1 folders."]],
  );
  const peer = `127.0.0.1:${seeder.status().peerPort}`;
  await call(there!, "PATCH", transferPath(id), { addPeers: [peer] });
  await until("the program has run", () => existsSync(told) && readFileSync(told, "utf8") !== "");
  const [path, name] = readFileSync(told, "utf8").split("|");
  assert.deepEqual(readFileSync(path!), Buffer.from(made.bytes));
  assert.equal(name, made.metainfo.info.name);
  assert.equal(existsSync("/owned"), false);
  await until("both deliveries came", () => posts.length === 2);
  const bodies = posts.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  assert.deepEqual(
    bodies.map(({ event }) => event),
    ["added", "finished"],
  );
  const mac = createHmac("sha256", "owl").update(posts[1]!.body).digest("hex");
  assert.equal(posts[1]!.signature, `sha256=${mac}`);

  // Only the file says which program is run: no request does.
  for (const [method, where, body] of [
    ["PATCH", `${TRANSFERS_PATH}/settings`, { whenFinished: ["/bin/true"] }],
    ["PATCH", transferPath(id), { whenFinished: ["/bin/true"] }],
    ["POST", TRANSFERS_PATH, { source: "1".repeat(40), whenFinished: ["/bin/true"] }],
  ] as const) {
    assert.equal((await call(there!, method, where, body)).status, 400);
  }
});
