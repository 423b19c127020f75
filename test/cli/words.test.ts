import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { everseed, EverseedProcess, LAUNCHER, temporaryFolder } from "./everseed-process.ts";
import { startSeed, talks } from "./talks.ts";

const LISTEN = ["--listen", "127.0.0.1:0"] as const;
const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };
const V1 = "0123456789abcdef0123456789abcdef01234567";
const V2 = V1 + "0123456789abcdef01234567";
/** The size of V1 in bytes. */
const BASE32 = "AERUKZ4JVPG66AJDIVTYTK6N54ASGRLH";

/** A port that another program uses. */
async function takenPort(context: TestContext): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return (server.address() as { port: number }).port;
}

for (const [name, infohash, link] of [
  ["40 hexadecimal digits", V1, `btih:${V1}`],
  ["32 base32 digits", BASE32, `btih:${V1}`],
  ["base32 in small letters", BASE32.toLowerCase(), `btih:${V1}`],
  ["64 hexadecimal digits", V2.toUpperCase(), `btmh:1220${V2}`],
] as const) {
  test(`show accepts an infohash of ${name}`, async (context) => {
    const { exit, stdout, stderr } = await everseed(context, ["show", infohash, "--json"]);
    assert.equal(exit, 0, stderr);
    const { magnet } = JSON.parse(stdout) as { magnet: string };
    assert.equal(magnet, `magnet:?xt=urn:${link}`);
  });
}

test("get accepts an infohash, and says so when it has nowhere to look for peers", async (context) => {
  const { folder, created } = await talks(context);
  const infohash = String(created["infohashV1"]);
  const alone = await everseed(context, ["get", infohash, "-o", "copy"], { cwd: folder });
  assert.equal(alone.exit, 6, alone.stderr);
  assert.match(
    alone.stderr,
    /^everseed: There is nowhere to look for peers\. No tracker and no peer is known, and the DHT is off\.\n {2}Try: --dht on asks the DHT, --lsd on the neighbours; --tracker URL or --peer HOST:PORT names one/,
  );
  const { peer } = await startSeed(context, folder);
  const args = ["get", infohash, "-o", "copy", "--peer", peer, ...LISTEN];
  const got = await everseed(context, args, { cwd: folder });
  assert.equal(got.exit, 0, got.stderr);
});

test("get asks the trackers of its option, and those of EVERSEED_TRACKERS", async (context) => {
  const { folder, created } = await talks(context);
  const tracker = "http://127.0.0.1:9/announce";
  const infohash = String(created["infohashV1"]);
  const args = ["get", infohash, "-o", "copy", ...LISTEN];
  const cases = [
    { args: [...args, "--tracker", tracker], env: {} },
    { args, env: { EVERSEED_TRACKERS: ` ${tracker} ` } },
  ];
  for (const { args: words, env } of cases) {
    const get = new EverseedProcess(context, words, { cwd: folder, env });
    await get.waitFor(/No peer is there yet.*\n {2}http:\/\/127\.0\.0\.1:9/);
    get.child.kill("SIGTERM");
    assert.equal((await get.finished).exit, 143, "terminated");
  }
  const wrong = await everseed(context, args, { env: { EVERSEED_TRACKERS: "gopher://x" } });
  assert.equal(wrong.exit, 2);
  assert.match(wrong.stderr, /EVERSEED_TRACKERS holds "gopher:\/\/x"/);
});

test("seed creates a torrent of a folder or file and seeds it; the next time it uses that torrent", async (context) => {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "in/talks"), { recursive: true });
  await writeFile(join(folder, "in/talks/a"), "a".repeat(100_000));
  await writeFile(join(folder, "in/one.bin"), "b".repeat(100_000));
  const args = ["seed", "in/talks", "in/one.bin", ...LISTEN, "--json"];
  const first = new EverseedProcess(context, args, { cwd: folder });
  const peer = `127.0.0.1:${await first.port()}`;
  for (const name of ["talks", "one.bin"]) {
    const get = ["get", `${name}.torrent`, "-o", "copy", "--peer", peer, ...LISTEN];
    const got = await everseed(context, get, { cwd: folder });
    assert.equal(got.exit, 0, got.stderr);
  }
  assert.equal(await readFile(join(folder, "copy/talks/a"), "utf8"), "a".repeat(100_000));
  first.child.kill("SIGTERM");
  const { exit, stdout } = await first.finished;
  assert.equal(exit, 0);
  assert.equal(stdout.match(/"event":"made"/g)?.length, 2);
  const again = new EverseedProcess(context, args, { cwd: folder });
  await again.port();
  again.child.kill("SIGINT");
  assert.doesNotMatch((await again.finished).stdout, /"event":"made"/);
});

test("everseed help shows the same as --help", async (context) => {
  for (const words of [[], ["get"], ["hub", "start"]]) {
    const [help, option] = await Promise.all([
      everseed(context, ["help", ...words]),
      everseed(context, [...words, "--help"]),
    ]);
    assert.equal(help.exit, 0, help.stderr);
    assert.equal(help.stdout, option.stdout);
  }
  const unknown = await everseed(context, ["help", "gte"]);
  assert.equal(unknown.exit, 2);
  assert.match(unknown.stderr, /There is no command "gte"\. Known are hub, .*publish/);
});

test("an unknown scheme, and a missing folder, are named", async (context) => {
  const folder = temporaryFolder(context);
  await writeFile(join(folder, "content"), "x");
  const scheme = await everseed(context, ["get", "ftp://host.example/x.torrent"], { cwd: folder });
  assert.equal(scheme.exit, 2);
  assert.match(scheme.stderr, /"ftp" is no scheme known here\.\n {2}Try: an http or https address/);
  const missing = await everseed(context, ["create", "content", "-o", "no/such/x.torrent"], {
    cwd: folder,
  });
  assert.equal(missing.exit, 3);
  assert.match(
    missing.stderr,
    /Cannot write no\/such\/x\.torrent\. There is no folder no\/such\.\n {2}Try: .*mkdir -p no\/such$/m,
  );
});

test("the message for a port in use names its option or key", async (context) => {
  const folder = temporaryFolder(context);
  const port = String(await takenPort(context));
  const cases = [
    { args: ["get", V1, "--listen", `127.0.0.1:${port}`], env: {}, words: /--listen HOST:PORT/ },
    {
      args: ["hub", "start", "--data", "d", "--port", port],
      env: PORTS,
      words: /--port or the key port/,
    },
    {
      args: ["hub", "start", "--data", "d", "--port", "0"],
      env: { ...PORTS, EVERSEED_ENGINE_PORT: port },
      words: /the key engine\.port/,
    },
  ];
  for (const { args, env, words } of cases) {
    const refused = await everseed(context, args, { cwd: folder, env });
    assert.equal(refused.exit, 4, refused.stderr);
    assert.match(
      refused.stderr,
      new RegExp(`^everseed: Port ${port} is in use by another program\\.`, "m"),
    );
    assert.match(refused.stderr, words);
  }
});

test("show --json omits the hashes of pieces unless they are requested", async (context) => {
  const { folder } = await talks(context, "--kind", "hybrid");
  const show = async (...flags: string[]): Promise<Record<string, unknown>> => {
    const args = ["show", "talks.torrent", "--json", ...flags];
    const shown = await everseed(context, args, { cwd: folder });
    return JSON.parse(shown.stdout) as Record<string, unknown>;
  };
  const short = await show();
  assert.ok(!("pieceHashes" in short) && !("pieceLayers" in short));
  assert.equal(typeof short["pieces"], "number");
  const long = await show("--pieces");
  assert.ok(Array.isArray(long["pieceHashes"]) && typeof long["pieceLayers"] === "object");
});

test("a file that is not regular is read up to a limit: endless devices, and pipes that end", async (context) => {
  const { folder } = await talks(context);
  await writeFile(join(folder, "password"), "a harbour full of fog\n", { mode: 0o600 });
  const init = ["hub", "init", "--data", "d", "--admin", "ann", "--password-file"];
  const cases = [
    {
      args: ["show", "/dev/zero"],
      exit: 7,
      words: /\/dev\/zero is not a torrent: it is not a file/,
    },
    { args: ["get", "/dev/zero"], exit: 7, words: /is not a torrent/ },
    { args: ["check", "/dev/zero", "."], exit: 7, words: /is not a torrent/ },
    { args: ["seed", "/dev/zero"], exit: 7, words: /is not a torrent/ },
    { args: ["create", "/dev/zero"], exit: 2, words: /neither a file nor a folder/ },
    { args: [...init, "/dev/zero"], exit: 2, words: /does not hold one line/ },
    {
      args: ["hub", "start", "--data", "d", "--config", "/dev/zero"],
      exit: 2,
      words: /holds no settings/,
    },
  ];
  // A command that reads without a bound fails here, and does not take the memory of the machine.
  const by = join(folder, "bounded");
  await writeFile(by, '#!/bin/sh\nulimit -d 2000000 || exit 99\nexec "$@"\n', { mode: 0o700 });
  for (const { args, exit, words } of cases) {
    const refused = await everseed(context, args, { cwd: folder, by });
    assert.equal(refused.exit, exit, `${args.join(" ")}: ${refused.stderr}`);
    assert.match(refused.stderr, words);
  }
  const script = 'cat talks.torrent | "$1" show /dev/stdin --json';
  const piped = spawnSync("sh", ["-c", script, "sh", LAUNCHER], { cwd: folder, encoding: "utf8" });
  assert.equal(piped.status, 0, piped.stderr);
  assert.match(piped.stdout, /"name":"talks"/);
});

test("a hub without --data says which data folder it uses, and that it is new", async (context) => {
  const folder = temporaryFolder(context);
  const env = { ...PORTS, XDG_DATA_HOME: join(folder, "home") };
  const start = async () => {
    const hub = new EverseedProcess(context, ["hub", "start", "--port", "0"], { env });
    await hub.waitFor(/^ready after/m);
    hub.child.kill("SIGTERM");
    return hub.finished;
  };
  const data = join(folder, "home/everseed");
  const first = await start();
  assert.equal(first.exit, 0, "a hub ends by a signal");
  assert.ok(
    first.stderr.includes(`No --data was given: a new hub begins in ${data}.`),
    first.stderr,
  );
  assert.ok(first.stdout.includes(`Data      ${data} (new)\n`), first.stdout);
  const second = await start();
  assert.doesNotMatch(second.stderr, /a new hub begins/);
  assert.ok(second.stdout.includes(`Data      ${data}\n`), second.stdout);
});

test("a data folder that others can read causes a warning at the start", async (context) => {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "data"));
  const start = async (mode: number): Promise<string> => {
    await chmod(join(folder, "data"), mode);
    const args = ["hub", "start", "--data", "data", "--port", "0"];
    const hub = new EverseedProcess(context, args, { cwd: folder, env: PORTS });
    await hub.waitFor(/^ready after/m);
    hub.child.kill("SIGINT");
    return (await hub.finished).stderr;
  };
  assert.match(
    await start(0o755),
    /warning: others on this machine can look into .*data: chmod 700/,
  );
  assert.doesNotMatch(await start(0o700), /others on this machine/);
});

test("an alias bomb in the configuration is reported as what it is", async (context) => {
  const folder = temporaryFolder(context);
  await mkdir(join(folder, "data"), { mode: 0o700 });
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 9; level += 1) {
    const aliases = Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ");
    lines.push(`a${level}: &a${level} [${aliases}]`);
  }
  await writeFile(join(folder, "data/everseed.yaml"), `${lines.join("\n")}\n`);
  const refused = await everseed(context, ["hub", "start", "--data", "data"], { cwd: folder });
  assert.equal(refused.exit, 2, refused.stderr);
  assert.match(refused.stderr, /everseed\.yaml cannot be used\. Its aliases .* stand for too much/);
});

test("a log is lines of JSON without a terminal, and plain text on a terminal", async (context) => {
  const folder = temporaryFolder(context);
  const port = await takenPort(context);
  const env = { EVERSEED_ENGINE_PORT: "0", EVERSEED_LOG_LEVEL: "debug", XDG_DATA_HOME: folder };
  const args = ["hub", "start", "--data", "data", "--port", "0"];
  const hub = new EverseedProcess(context, args, { cwd: folder, env });
  await hub.waitFor(/^ready after/m);
  hub.child.kill("SIGTERM");
  const { stderr } = await hub.finished;
  for (const line of stderr.split("\n").filter((text) => text.startsWith("{"))) JSON.parse(line);
  assert.ok(port > 0);
});
