import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readZip } from "../hub/zip-reader.ts";
import { everseed, EverseedProcess, temporaryFolder } from "./everseed-process.ts";

const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };
const START = ["hub", "start", "--data", "data", "--port", "0", "--json"];
const FAULT_MS = 30_000;

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly torrentUrl: string;
  readonly swarm: { readonly fault: string | null };
}

async function prepare(context: TestContext): Promise<string> {
  const cwd = temporaryFolder(context);
  await mkdir(join(cwd, "media/talks/slides"), { recursive: true });
  await writeFile(join(cwd, "media/talks/a.bin"), randomBytes(700_000));
  // Not every system accepts this name, but this one has it.
  await writeFile(join(cwd, "media/talks/slides/what: when?.pdf"), randomBytes(40_000));
  await writeFile(join(cwd, "media/film.mp4"), randomBytes(300_000));
  await writeFile(join(cwd, "password"), "a harbour full of fog", { mode: 0o600 });
  const init = ["hub", "init", "--data", "data", "--admin", "ann", "--password-file", "password"];
  const made = await everseed(context, [...init, "--token-file", "token"], { cwd });
  assert.equal(made.exit, 0, made.stderr);
  return cwd;
}

function resultOf(stdout: string): {
  torrentId: string | null;
  wasHere: boolean;
  pageUrl: string | null;
  magnet: string | null;
} {
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as ReturnType<typeof resultOf>;
}

/** The state of everything that does not belong to the hub. */
async function looks(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  const facts = await Promise.all(
    entries.map(async (entry) => {
      const { size, mtimeMs, ino, mode } = await stat(join(folder, entry));
      return `${entry} ${size} ${mtimeMs} ${ino} ${mode}`;
    }),
  );
  return facts.toSorted();
}

test("publish --in-place serves files where they are: not copied, not touched, with and without a running hub; changes are reported", async (context) => {
  const cwd = await prepare(context);
  const before = await looks(join(cwd, "media"));
  const publish = (path: string): ReturnType<typeof everseed> =>
    everseed(context, ["publish", "--in-place", path, "--data", "data", "--json"], { cwd });
  const waiting = await publish("media/talks");
  assert.equal(waiting.exit, 0, waiting.stderr);
  assert.equal(resultOf(waiting.stdout).torrentId, null, "no hub runs");

  const hub = new EverseedProcess(context, START, { cwd, env: PORTS });
  const site = `http://127.0.0.1:${await hub.port()}`;
  const list = async (): Promise<Listed[]> => {
    const response = await fetch(`${site}/api/v1/torrents`);
    return ((await response.json()) as { torrents: Listed[] }).torrents;
  };
  assert.deepEqual(
    (await list()).map(({ name }) => name),
    ["talks"],
    "it accepts the waiting request",
  );
  const running = await publish("media/film.mp4");
  assert.equal(running.exit, 0, running.stderr);
  const { torrentId, pageUrl, magnet } = resultOf(running.stdout);
  assert.equal(pageUrl, `${site}/t/${torrentId}/film-mp4`);
  assert.match(magnet ?? "", /^magnet:\?xt=urn:btih:[0-9a-f]{40}&/);
  const listed = await list();
  assert.deepEqual(listed.map(({ name }) => name).toSorted(), ["film.mp4", "talks"]);
  assert.ok(listed.some(({ id }) => id === torrentId));
  const words = await everseed(
    context,
    ["publish", "--in-place", "media/film.mp4", "--data", "data"],
    { cwd },
  );
  assert.match(words.stdout, new RegExp(`^Was here already  ${pageUrl}\nMagnet     magnet:`));
  const again = await publish("media/film.mp4");
  assert.deepEqual(resultOf(again.stdout).wasHere, true);
  assert.equal(resultOf(again.stdout).torrentId, torrentId);

  const talks = listed.find(({ name }) => name === "talks")!;
  const got = await everseed(context, ["get", talks.torrentUrl, "-o", "out"], { cwd });
  assert.equal(got.exit, 0, got.stderr);
  const theirs = await readFile(join(cwd, "media/talks/a.bin"));
  assert.ok(theirs.equals(await readFile(join(cwd, "out/talks/a.bin"))));
  const zip = await fetch(`${site}/t/${talks.id}.zip`);
  const entries = readZip(Buffer.from(await zip.arrayBuffer()));
  assert.equal(entries.length, 2);
  const single = await fetch(`${site}/t/${talks.id}/files/1/x`);
  const pdf = await readFile(join(cwd, "media/talks/slides/what: when?.pdf"));
  assert.ok(Buffer.from(await single.arrayBuffer()).equals(pdf));
  assert.deepEqual(await looks(join(cwd, "media")), before, "nothing is touched");
  assert.equal(existsSync(join(cwd, "data/content")), false, "nothing is copied");

  // Same length, different bytes.
  const changed = Buffer.from(theirs);
  changed.fill(7, 300_000, 300_100);
  await writeFile(join(cwd, "media/talks/a.bin"), changed);
  const later = new Date(Date.now() + 5_000);
  await utimes(join(cwd, "media/talks/a.bin"), later, later);
  const until = Date.now() + FAULT_MS;
  let fault: string | null = null;
  while (fault === null && Date.now() < until) {
    await sleep(200);
    fault = (await list()).find(({ id }) => id === talks.id)!.swarm.fault;
  }
  assert.match(fault ?? "", /1 of [0-9]+ pieces is damaged/);
  // A peer that has everything connects; the hub must not repair files that are not its own.
  const seeder = new EverseedProcess(
    context,
    ["get", talks.torrentUrl, "-o", "out", "--seed", "forever"],
    { cwd },
  );
  await sleep(3_000);
  seeder.child.kill("SIGINT");
  await seeder.finished;
  assert.ok(
    changed.equals(await readFile(join(cwd, "media/talks/a.bin"))),
    "it stays as its owner left it",
  );
});

test("a file that was overwritten under its old date before the hub took it in is reported and not served", async (context) => {
  const cwd = await prepare(context);
  const path = join(cwd, "media/film.mp4");
  const long = new Date(Date.now() - 90 * 24 * 3600_000);
  await utimes(path, long, long);
  const args = ["publish", "--in-place", "media/film.mp4", "--data", "data", "--json"];
  const waiting = await everseed(context, args, { cwd });
  assert.equal(waiting.exit, 0, waiting.stderr);
  const other = await readFile(path);
  other.fill(7, 100_000, 100_100);
  await writeFile(path, other);
  await utimes(path, long, long);
  const hub = new EverseedProcess(context, START, { cwd, env: PORTS });
  const site = `http://127.0.0.1:${await hub.port()}`;
  const until = Date.now() + FAULT_MS;
  let listed: Listed | undefined;
  while (!listed?.swarm.fault && Date.now() < until) {
    const response = await fetch(`${site}/api/v1/torrents`);
    [listed] = ((await response.json()) as { torrents: Listed[] }).torrents;
    await sleep(200);
  }
  assert.match(listed?.swarm.fault ?? "", /1 of [0-9]+ pieces is damaged/);
  const download = await fetch(`${site}/t/${listed!.id}/files/0/film.mp4`);
  assert.equal(download.status, 500);
  assert.match(await download.text(), /Publishing the same files again/);
});

const wrong: [why: string, args: string[], words: RegExp, exit: number][] = [
  ["no data folder", ["publish", "--in-place", "x"], /--data/, 2],
  [
    "a hub elsewhere",
    ["publish", "--in-place", "x", "--to", "http://h", "--data", "d"],
    /own machine/,
    2,
  ],
  [
    "a folder that is no hub's",
    ["publish", "--in-place", ".", "--data", "d"],
    /not the data folder of a hub/,
    3,
  ],
  ["no hub", ["publish", "x"], /--to/, 2],
];
for (const [why, args, words, exit] of wrong) {
  test(`publish without ${why} says what is missing`, async (context) => {
    const cwd = temporaryFolder(context);
    await writeFile(join(cwd, "x"), "x");
    const result = await everseed(context, args, { cwd });
    assert.match(result.stderr, words);
    assert.equal(result.exit === 0, exit === 0);
  });
}

test("publish --in-place as root leaves requests that the hub's user can read and remove", async (context) => {
  if (process.getuid?.() !== 0) return context.skip("only root makes files for others");
  const cwd = await prepare(context);
  const nobody = 65_534;
  await chown(join(cwd, "data"), nobody, nobody);
  const made = await everseed(
    context,
    ["publish", "--in-place", "media/film.mp4", "--data", "data"],
    { cwd },
  );
  assert.equal(made.exit, 0, made.stderr);
  const folder = join(cwd, "data/in-place");
  const names = await readdir(folder);
  assert.deepEqual(names.map((name) => name.replace(/^[^.]*/, "")).toSorted(), [
    ".request",
    ".torrent",
  ]);
  for (const name of [".", ...names]) {
    const { uid, gid } = await stat(join(folder, name));
    assert.deepEqual([uid, gid], [nobody, nobody], name);
  }
});
