import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const ENV = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };
const STATUS = ["hub", "status", "--data", "data"];

async function initialised(context: TestContext): Promise<string> {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "pw"), "seven lamps on a pier\n", { mode: 0o600 });
  const args = ["hub", "init", "--data", "data", "--admin", "ann", "--password-file", "pw"];
  const made = await everseed(context, args, { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  return folder;
}

async function startHub(context: TestContext, folder: string): Promise<string> {
  const args = ["hub", "start", "--data", "data", "--port", "0", "--json"];
  const hub = new EverseedProcess(context, args, { cwd: folder, env: ENV });
  return `http://127.0.0.1:${await hub.port()}`;
}

test("hub status shows a running hub to whoever owns its data folder, and leaves no token", async (context) => {
  const folder = await initialised(context);
  const site = await startHub(context, folder);
  const words = await everseed(context, STATUS, { cwd: folder });
  assert.equal(words.exit, 0, words.stderr);
  assert.match(words.stdout, /^Web site {3}http:\/\/127\.0\.0\.1:\d+, everseed /);
  assert.match(words.stdout, /^Published {2}0 torrents, 0 B$/m);
  assert.match(words.stdout, /^Everseed {3}0 peers connected, 0 B sent, 0 B received$/m);
  assert.match(words.stdout, /^Tracker {4}0 peers in 0 swarms; UDP port \d+$/m);
  assert.match(words.stdout, /^Router {5}The setting router\.mapPorts turns it off\.$/m);
  assert.match(words.stdout, /^DHT {8}The setting discovery\.dht turns it off\./m);
  const json = await everseed(context, [...STATUS, "--json"], { cwd: folder });
  const told = JSON.parse(json.stdout) as Record<string, unknown> & {
    reach: Record<string, { state: string }>;
  };
  assert.equal(told["url"], site);
  assert.equal(told["torrents"], 0);
  assert.deepEqual(told["everseed"], { uploaded: 0, downloaded: 0, peers: 0 });
  assert.equal(told.reach["router"]?.state, "off");
  assert.equal(told.reach["port"]?.state, "warns");
  const tokens = await tokensOf(site);
  assert.deepEqual(tokens, []);
});

async function tokensOf(site: string): Promise<unknown[]> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name: "ann", password: "seven lamps on a pier" });
  const answer = await fetch(`${site}/api/v1/session`, { method: "POST", headers, body });
  const cookie = answer.headers
    .getSetCookie()
    .map((each) => each.split(";")[0]!)
    .join("; ");
  const list = await fetch(`${site}/api/v1/tokens`, { headers: { cookie } });
  return ((await list.json()) as { tokens: unknown[] }).tokens;
}

test("hub status says what is missing: a hub, its administrator, its run", async (context) => {
  const folder = temporaryFolder(context);
  const none = await everseed(context, STATUS, { cwd: folder });
  assert.equal(none.exit, 3);
  assert.match(none.stderr, /There is no hub in/);
  await startHub(context, folder);
  const nobody = await everseed(context, STATUS, { cwd: folder });
  assert.equal(nobody.exit, 5);
  assert.match(nobody.stderr, /has no administrator yet/);
  const idle = await everseed(context, STATUS, { cwd: await initialised(context) });
  assert.equal(idle.exit, 6);
  assert.match(idle.stderr, /is not running/);
});
