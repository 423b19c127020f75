import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

// The fields that programs which call us with `--json` may rely on. Fields are only ever added.

const BYTES = 3_100_000;
const LISTEN = ["--listen", "127.0.0.1:0", "--json"] as const;
const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };

type Json = Readonly<Record<string, unknown>>;
/** For each field a pattern of its text, its type, or its own fields. */
interface Shape {
  readonly [field: string]: RegExp | "number" | "boolean" | "array" | "object" | Shape;
}

const HEX_V1 = /^[0-9a-f]{40}$/;
const HEX_V2 = /^[0-9a-f]{64}$/;
const TEXT = /^./;
const URL_PATTERN = /^http:\/\/127\.0\.0\.1:\d+\//;
const MAGNET = /^magnet:\?xt=urn:btih:[0-9a-f]{40}&xt=urn:btmh:1220[0-9a-f]{64}&dn=talks/;

function assertShape(value: unknown, shape: Shape, where: string): asserts value is Json {
  assert.ok(typeof value === "object" && value !== null, where);
  for (const [field, expected] of Object.entries(shape)) {
    const found: unknown = (value as Json)[field];
    const place: string = `${where}.${field} is ${JSON.stringify(found)}`;
    if (expected instanceof RegExp) {
      assert.equal(typeof found, "string", place);
      assert.match(found as string, expected, place);
    } else if (typeof expected === "object") assertShape(found, expected, `${where}.${field}`);
    else if (expected === "array") assert.ok(Array.isArray(found), place);
    else assert.equal(typeof found, expected, place);
    if (expected === "number") assert.ok(Number.isFinite(found) && (found as number) >= 0, place);
  }
}

const CREATE: Shape = {
  file: /^talks\.torrent$/,
  infohashV1: HEX_V1,
  infohashV2: HEX_V2,
  magnet: MAGNET,
  pieceSize: "number",
  pieces: "number",
  bytes: "number",
};
const PUBLISH: Shape = {
  name: /^talks$/,
  infohashV1: HEX_V1,
  infohashV2: HEX_V2,
  magnet: MAGNET,
  torrentUrl: URL_PATTERN,
  pageUrl: URL_PATTERN,
  existed: "boolean",
  bytes: "number",
};
/** Every field of every torrent is in show-torrent.test.ts. */
const SHOW: Shape = {
  type: /^torrent$/,
  name: /^talks$/,
  kind: /^hybrid$/,
  infohashV1: HEX_V1,
  infohashV2: HEX_V2,
  magnet: MAGNET,
  pieceSize: "number",
  pieces: "number",
  bytes: "number",
  private: "boolean",
  folder: "boolean",
  createdBy: TEXT,
  metaVersion: "number",
  trackers: "array",
  webSeeds: "array",
  nodes: "array",
  paths: "array",
  files: "array",
  pieceHashes: "array",
  pieceLayers: "object",
  other: "object",
  warnings: "array",
};
const CHECK: Shape = {
  ok: "boolean",
  name: /^talks$/,
  pieces: "number",
  good: "number",
  bad: "number",
  bytes: "number",
  files: "array",
};
const CHECKED_FILE: Shape = {
  path: TEXT,
  length: "number",
  good: "number",
  bad: "number",
  badAlone: "number",
  missing: "boolean",
  unfinished: "boolean",
  size: "number",
};
const READY: Shape = { event: /^ready$/, port: "number" };
const STATS: Shape = {
  event: /^stats$/,
  uploaded: "number",
  downloaded: "number",
  peers: "number",
};
const GET_STATS: Shape = {
  ...STATS,
  webSeeds: "number",
  phase: /^(finding|checking|downloading|seeding)$/,
  doneBytes: "number",
  wantedBytes: "number",
  downloadBytesPerSecond: "number",
  uploadBytesPerSecond: "number",
};
const METADATA: Shape = {
  event: /^metadata$/,
  name: /^talks$/,
  files: "number",
  bytes: "number",
  root: TEXT,
};
const DONE: Shape = { event: /^done$/, bytes: "number", downloaded: "number", seconds: "number" };
const FAILURE: Shape = { error: { code: /^[a-z_]+$/, message: TEXT, hint: TEXT, path: TEXT } };

function eventsOf(stdout: string): Json[] {
  const lines = stdout.trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Json);
}

/** A folder `talks` of three files and, in the folder around it, its torrent. */
async function talks(context: TestContext): Promise<{ folder: string; created: Json }> {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "talks"));
  await writeFile(join(folder, "talks/a.bin"), randomBytes(3_000_000));
  await writeFile(join(folder, "talks/b.pdf"), randomBytes(100_000));
  await writeFile(join(folder, "talks/empty"), "");
  // A hybrid has every field.
  const args = ["create", "talks", "-o", "talks.torrent", "--kind", "hybrid", "--json"];
  const { stdout } = await everseed(context, args, { cwd: folder });
  return { folder, created: JSON.parse(stdout) as Json };
}

async function startSeed(context: TestContext, folder: string, ...more: string[]) {
  const args = ["seed", "talks.torrent", "--data", ".", ...LISTEN, ...more];
  const seed = new EverseedProcess(context, args, { cwd: folder });
  return { seed, peer: ["--peer", `127.0.0.1:${await seed.port()}`] };
}

test("--json: create, show, check and errors have the promised fields", async (context) => {
  const { folder, created } = await talks(context);
  assertShape(created, CREATE, "create");
  assert.equal(created["bytes"], BYTES);

  const run = async (exit: number, ...args: string[]): Promise<unknown> => {
    const done = await everseed(context, [...args, "--json"], { cwd: folder });
    assert.equal(done.exit, exit, done.stderr);
    return JSON.parse(done.stdout);
  };
  const shown = await run(0, "show", "talks.torrent", "--pieces");
  assertShape(shown, SHOW, "show");
  assert.deepEqual(shown["paths"], ["talks/a.bin", "talks/b.pdf", "talks/empty"]);
  const magnet = await run(0, "show", String(created["magnet"]));
  assertShape(magnet, { type: /^magnet$/, magnet: MAGNET, paths: "array" }, "show magnet");

  const good = await run(0, "check", "talks.torrent", ".");
  assertShape(good, CHECK, "check");
  assert.deepEqual([good["ok"], good["good"], good["bad"]], [true, created["pieces"], 0]);
  await truncate(join(folder, "talks/b.pdf"), 99_999);
  const bad = await run(7, "check", "talks.torrent", ".");
  assertShape(bad, CHECK, "check");
  assert.deepEqual([bad["ok"], bad["good"], bad["bad"]], [false, Number(created["pieces"]) - 1, 1]);
  const files = bad["files"] as Json[];
  for (const file of files) assertShape(file, CHECKED_FILE, "check.files");
  assert.deepEqual(
    files.map(({ path, bad: count }) => [path, Number(count) > 0]),
    [
      ["talks/a.bin", false],
      ["talks/b.pdf", true],
      ["talks/empty", false],
    ],
  );

  const refused = await everseed(context, ["show", "none.torrent", "--json"], { cwd: folder });
  assert.equal(refused.stdout, "");
  assertShape(JSON.parse(refused.stderr), FAILURE, "failure");
});

test("--json: hub start reports its address and state, publish what it published", async (context) => {
  const { folder, created } = await talks(context);
  await writeFile(join(folder, "password"), "a harbour full of fog", { mode: 0o600 });
  const init = ["hub", "init", "--data", "data", "--admin", "ann", "--password-file", "password"];
  const made = await everseed(context, [...init, "--token-file", "token"], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  const start = ["hub", "start", "--data", "data", "--port", "0", "--json"];
  const hub = new EverseedProcess(context, start, { cwd: folder, env: PORTS });
  const port = await hub.port();
  const to = ["--to", `http://127.0.0.1:${port}`, "--token-file", "token", "--json"];
  const published = await everseed(context, ["publish", "talks", "--kind", "hybrid", ...to], {
    cwd: folder,
  });
  assert.equal(published.exit, 0, published.stderr);
  const torrent: unknown = JSON.parse(published.stdout);
  assertShape(torrent, PUBLISH, "publish");
  assert.deepEqual(
    [torrent["infohashV1"], torrent["infohashV2"], torrent["bytes"]],
    [created["infohashV1"], created["infohashV2"], BYTES],
  );
  await hub.waitFor(/"event":"stats"/);
  hub.child.kill("SIGTERM");
  const events = eventsOf((await hub.finished).stdout);
  const ready = {
    ...READY,
    url: TEXT,
    data: TEXT,
    peerPort: "number",
    udpPort: "number",
  } as const;
  assertShape(events[0], ready, "hub ready");
  const stats = events.filter(({ event }) => event === "stats");
  assert.ok(stats.length > 0);
  for (const event of stats) assertShape(event, STATS, "hub stats");
});

test("--json: seed and get report their address, their progress each second, and the result", async (context) => {
  const { folder, created } = await talks(context);
  const { seed, peer } = await startSeed(context, folder);
  const args = ["get", String(created["magnet"]), "-o", "copy", "--down", "2M", ...peer, ...LISTEN];
  const got = await everseed(context, args, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  const events = eventsOf(got.stdout);
  assertShape(events[0], READY, "get ready");
  assertShape(
    events.find(({ event }) => event === "metadata"),
    METADATA,
    "get metadata",
  );
  const stats = events.filter(({ event }) => event === "stats");
  assert.ok(stats.length > 0, "3 MB at 2 MiB/s take more than a second");
  for (const event of stats) assertShape(event, GET_STATS, "get stats");
  assert.ok(
    stats.some(({ cause }) => cause === "own-limit"),
    "--down is why it takes so long",
  );
  const done = events.at(-1);
  assertShape(done, DONE, "get done");
  assert.deepEqual([done["bytes"], done["downloaded"]], [BYTES, BYTES]);

  await seed.waitFor(/"event":"stats","uploaded":3[1-9]\d{5},/);
  seed.child.kill("SIGINT");
  const told = eventsOf((await seed.finished).stdout);
  assertShape(told[0], READY, "seed ready");
  const connected = told.filter(({ event }) => event === "connected");
  assert.deepEqual(connected[0]?.["sources"], [{ source: "incoming", peers: 1 }]);
  for (const event of told.slice(1).filter(({ event }) => event !== "connected")) {
    assertShape(event, { ...STATS, uploadBytesPerSecond: "number" }, "seed stats");
  }
});

/** The bytes that a limit lets pass at once before it takes effect. */
const BURST_SECONDS = 0.5;

for (const side of ["--down", "--up"]) {
  test(`get ${side} limits: no more is fetched than the limit allows in the reported time`, async (context) => {
    const { folder } = await talks(context);
    const bytesPerSecond = 1_500_000;
    const limit = [side, String(bytesPerSecond)];
    const { peer } = await startSeed(context, folder, ...(side === "--up" ? limit : []));
    const args = ["get", "talks.torrent", "-o", "copy", ...peer, ...LISTEN];
    if (side === "--down") args.push(...limit);
    const got = await everseed(context, args, { cwd: folder });
    assert.equal(got.exit, 0, got.stderr);
    const { downloaded, seconds } = eventsOf(got.stdout).at(-1) as Record<string, number>;
    const most = bytesPerSecond * (seconds! + BURST_SECONDS);
    assert.ok(downloaded === BYTES && downloaded < most, `${downloaded} bytes in ${seconds} s`);
  });
}

test("get --seed RATIO continues until it has uploaded that much, and ends by itself", async (context) => {
  const { folder } = await talks(context);
  const { seed, peer } = await startSeed(context, folder);
  const args = ["get", "talks.torrent", "-o", "first", "--seed", "1", ...peer, ...LISTEN];
  const giver = new EverseedProcess(context, args, { cwd: folder });
  await giver.waitFor(/"event":"done"/);
  seed.child.kill("SIGINT");
  await seed.finished;
  const from = ["--peer", `127.0.0.1:${await giver.port()}`];
  const taker = ["get", "talks.torrent", "-o", "second", ...from, ...LISTEN];
  const got = await everseed(context, taker, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
  const { exit, stdout } = await giver.finished;
  assert.equal(exit, 0);
  const last = eventsOf(stdout).findLast(({ event }) => event === "stats")!;
  assert.equal(last["phase"], "seeding");
  assert.ok(Number(last["uploaded"]) >= BYTES, `${String(last["uploaded"])} bytes given`);
});

test("get --seed forever continues beyond any ratio, until it is stopped", async (context) => {
  const { folder } = await talks(context);
  const { peer } = await startSeed(context, folder);
  const args = ["get", "talks.torrent", "-o", "first", "--seed", "forever", ...peer, ...LISTEN];
  const giver = new EverseedProcess(context, args, { cwd: folder });
  await giver.waitFor(/"event":"done"/);
  const from = ["--peer", `127.0.0.1:${await giver.port()}`];
  for (const copy of ["second", "third"]) {
    const taker = ["get", "talks.torrent", "-o", copy, ...from, ...LISTEN];
    const got = await everseed(context, taker, { cwd: folder });
    assert.equal(got.exit, 0, got.stderr);
  }
  await giver.waitFor(/"phase":"seeding","uploaded":6[2-9]\d{5},/);
  giver.child.kill("SIGINT");
  assert.equal((await giver.finished).exit, 0);
});

test("HUB-16: no passkey in a tracker's URL is printed, however verbose the output", async (context) => {
  const { folder } = await talks(context);
  const passkey = "pa55keyOfSomebody";
  const tracker = `http://127.0.0.1:9/${passkey}/announce?key=${passkey}`;
  const create = ["create", "talks", "-o", "talks.torrent", "--force", "--private"];
  const made = await everseed(context, [...create, "--tracker", tracker], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  assert.ok((await readFile(join(folder, "talks.torrent"), "latin1")).includes(passkey));
  const listen = ["--listen", "127.0.0.1:0", "-v"];
  for (const [args, until] of [
    [["seed", "talks.torrent", "--data", ".", ...listen], /does not list us/],
    [["get", "talks.torrent", "-o", "copy", ...listen], /No peer is there yet/],
    [["get", "talks.torrent", "-o", "copy", ...listen, "--json"], /"event":"alone"/],
  ] as const) {
    const running = new EverseedProcess(context, args, { cwd: folder });
    await running.waitFor(until);
    running.child.kill("SIGINT");
    const { stdout, stderr } = await running.finished;
    assert.ok(!`${stdout}${stderr}`.includes(passkey), `${args.join(" ")}: ${stdout}${stderr}`);
  }
});
