import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { HUB_DATABASE } from "../../src/commands/hub-folder.ts";
import type { Finding } from "../../src/commands/health.ts";
import { examineNode } from "../../src/daemon/examine-node.ts";
import { loadNodeConfig } from "../../src/daemon/node-config.ts";
import { runNode } from "../../src/daemon/run-node.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { openStore } from "../../src/store/open-store.ts";
import { everseed } from "../cli/everseed-process.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";

// Each thing that keeps a node from working, as `everseed doctor` finds it: on a real disk, real ports, and real nodes.

/** A home of its own for the node. @param yaml - Its settings. */
function open(t: TestContext, yaml = ""): string {
  const home = temporaryFolder(t, "everseed-doctor-");
  const before = { ...process.env };
  process.env["EVERSEED_HOME"] = home;
  process.env["EVERSEED_ENGINE_HOST"] = "127.0.0.1";
  t.after(() => {
    process.env = before;
  });
  writeFileSync(join(home, "everseed.yaml"), yaml);
  return home;
}

async function examine(trackers: readonly string[] = []): Promise<Map<string, Finding>> {
  const { signal } = new AbortController();
  const found = new Map<string, Finding>();
  for await (const finding of examineNode({
    isSystem: false,
    trackers,
    signal,
    log: SILENT_LOG,
  })) {
    // Of several of one kind the worst counts.
    if (found.get(finding.check)?.state !== "fail") found.set(finding.check, finding);
    assert.equal(finding.state === "ok" || finding.remedy !== undefined, true, finding.words);
  }
  return found;
}

async function assertFound(
  check: string,
  state: Finding["state"],
  words: RegExp,
  trackers: readonly string[] = [],
): Promise<void> {
  const finding = (await examine(trackers)).get(check);
  assert.ok(finding, check);
  assert.equal(finding.state, state, finding.words);
  assert.match(finding.words, words);
}

async function listening(t: TestContext, server: Server, at: number | string): Promise<number> {
  if (typeof at === "string") server.listen(at);
  else server.listen(at, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return typeof at === "string" ? 0 : (server.address() as AddressInfo).port;
}

/** A tracker that refuses every torrent, at a time of its own. */
function trackerAt(t: TestContext, offMs: number): Promise<number> {
  const server = createHttpServer((_request, response) => {
    response.sendDate = false;
    response.setHeader("date", new Date(Date.now() + offMs).toUTCString());
    response.end("d14:failure reason7:unknowne");
  });
  return listening(t, server, 0);
}

async function startNode(t: TestContext): Promise<void> {
  const asked = await loadNodeConfig(false, { engine: { port: 0 } });
  const node = await runNode({ ...asked, preset: "node", configFile: asked.file }, SILENT_LOG);
  t.after(() => node.stop());
}

test("without a node: it says so, and what is well", async (t) => {
  open(t, "engine: { port: 0 }\n");
  const found = await examine();
  assert.deepEqual(
    [...found].map(([check, { state }]) => `${check} ${state}`),
    [
      "configuration ok",
      "node warn",
      "state ok",
      "content ok",
      "database ok",
      "descriptors ok",
      "port ok",
      "clock ok",
    ],
  );
});

test("CLI-7 what stands in the place of the socket", async (t) => {
  const home = open(t, "engine: { port: 0 }\n");
  const socket = join(home, "run/control.sock");
  mkdirSync(join(home, "run"));
  writeFileSync(socket, "a file");
  await assertFound("node", "fail", /control\.sock is no socket, but a file/);
  truncateSync(socket);
});

test("a foreign program on the socket, which speaks or is silent", async (t) => {
  const home = open(t, "engine: { port: 0 }\n");
  mkdirSync(join(home, "run"));
  const speaks = createHttpServer((_request, response) => response.end("hello"));
  await listening(t, speaks, join(home, "run/control.sock"));
  await assertFound("node", "fail", /no everseed/);
  // A node that must not take it says whom it has met, and touches nothing.
  const asked = await loadNodeConfig(false);
  await assert.rejects(
    runNode({ ...asked, preset: "node", configFile: asked.file }, SILENT_LOG),
    /another program answers on .*control\.sock/,
  );
  await assertFound("node", "fail", /no everseed/);
});

test("settings that cannot be used, and folders that cannot be written", async (t) => {
  const home = open(t, "engine: { prot: 1 }\n");
  await assertFound("configuration", "fail", /unknown key "engine\.prot"/);
  // Even root cannot write there (STO-5).
  writeFileSync(join(home, "everseed.yaml"), "transfers: { folder: /proc/media }\n");
  await assertFound("content", "fail", /^Cannot write to \/proc/);
  writeFileSync(join(home, "everseed.yaml"), "dataDir: /proc/state\n");
  await assertFound("state", "fail", /^Cannot write to \/proc/);
  mkdirSync(join(home, "state"));
  chmodSync(join(home, "state"), 0o755);
  writeFileSync(join(home, "everseed.yaml"), "");
  await assertFound("state", "warn", /Other users may look into .* \(mode 755\)/);
});

test("STO-3 the database: damaged inside, cut, of a newer version", async (t) => {
  const home = open(t, "engine: { port: 0 }\n");
  mkdirSync(join(home, "state"), { mode: 0o700 });
  const path = join(home, "state", HUB_DATABASE);
  const store = await openStore(path);
  await store.close();
  await assertFound("database", "ok", /is in order/);
  const whole = readFileSync(path);
  const damaged = Buffer.from(whole);
  damaged.fill(0x55, whole.length - 3 * 4096, whole.length - 4096);
  writeFileSync(path, damaged);
  await assertFound("database", "fail", /is damaged/);
  writeFileSync(path, whole.subarray(0, whole.length >> 1));
  await assertFound("database", "fail", /is damaged/);
  writeFileSync(path, whole);
  const newer = await openStore(path);
  const values = { name: "9999-later", timestamp: "2030" };
  await newer.db
    .insertInto("schema_migrations" as never)
    .values(values)
    .execute();
  await newer.close();
  await assertFound("database", "fail", /written by a newer Everseed/);
});

test("the port for peers: taken by another program, not one of this machine", async (t) => {
  const home = open(t);
  const port = await listening(t, createServer(), 0);
  writeFileSync(join(home, "everseed.yaml"), `engine: { port: ${port} }\n`);
  await assertFound("port", "fail", /^TCP port \d+ for peers cannot be taken\. Another program/);
  process.env["EVERSEED_ENGINE_HOST"] = "192.0.2.1";
  writeFileSync(join(home, "everseed.yaml"), "engine: { port: 50999 }\n");
  await assertFound("port", "fail", /not one of this machine/);
});

test("trackers that answer, and one that does not; the clock by theirs", async (t) => {
  open(t, "engine: { port: 0 }\n");
  const url = (port: number): string => `http://127.0.0.1:${port}/secret/announce`;
  const right = url(await trackerAt(t, 0));
  await assertFound("clock", "ok", /agrees with http:\/\/127\.0\.0\.1:\d+\.$/, [right]);
  await assertFound("tracker", "ok", /answers\.$/, [right]);
  const late = url(await trackerAt(t, -5 * 60_000));
  await assertFound("clock", "warn", /is 5 min ahead of/, [late]);
  const dead = createServer();
  const port = await listening(t, dead, 0);
  dead.close();
  await once(dead, "close");
  await assertFound("tracker", "warn", /^The tracker http:\/\/127\.0\.0\.1:\d+ does not answer/, [
    url(port),
  ]);
});

test("with a node: its services, its port, the trackers of its torrents; the exit code and one object", async (t) => {
  const home = open(t, "engine: { port: 0 }\n");
  const tracker = `http://127.0.0.1:${await trackerAt(t, 3 * 3_600_000)}/announce`;
  await startNode(t);
  const env = { EVERSEED_HOME: home, EVERSEED_ENGINE_HOST: "127.0.0.1" };
  const magnet = `magnet:?xt=urn:btih:${"9d3c".repeat(10)}&tr=${encodeURIComponent(tracker)}`;
  const added = await everseed(t, ["add", magnet, "--stopped"], { env });
  assert.equal(added.exit, 0, added.stderr);
  const found = await examine();
  assert.equal(found.get("node")?.state, "ok");
  assert.match(found.get("port")!.words, /^Peers reach port \d+ on this machine, over TCP and UDP/);
  assert.equal(found.get("tracker")?.state, "ok");
  assert.match(found.get("clock")!.words, /is 3 h behind/);
  const json = await everseed(t, ["doctor", "--json"], { env });
  assert.equal(json.exit, 1, "the clock fails");
  const { ok, findings } = JSON.parse(json.stdout) as { ok: boolean; findings: Finding[] };
  assert.equal(ok, false);
  assert.ok(findings.some(({ check, state }) => check === "clock" && state === "fail"));
  const words = await everseed(t, ["doctor"], { env });
  assert.match(words.stdout, /^ok {4}everseed .* runs as process/m);
  assert.match(words.stdout, /^FAIL {2}The clock is 3 h behind .* Fix: timedatectl set-ntp true/m);
});
