import assert from "node:assert/strict";
import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { until } from "../fixtures/until.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const HOOK = import.meta.resolve("../cli/loaded-modules.ts");

/** A separate checkout, in which `prepare` has bundled the program. */
const root = fs.mkdtempSync(path.join(tmpdir(), "everseed-bundle-"));
const program = path.join(root, "dist/program");
const work = path.join(root, "work");

before(() => {
  for (const part of ["bin", "src", "tools", "package.json", "package-lock.json"]) {
    fs.cpSync(path.join(repository, part), path.join(root, part), { recursive: true });
  }
  for (const part of ["node_modules", "web"]) {
    fs.symlinkSync(path.join(repository, part), path.join(root, part));
  }
  const built = build();
  assert.equal(built.status, 0, built.stderr);
  // Neither a reason why the bundle was not built, nor one why its code was not recorded.
  assert.match(built.stdout, /^program: [\d.]+ MB in one bundle\n$/);
  assert.equal(built.stderr, "");
  fs.mkdirSync(path.join(work, "content"), { recursive: true });
  fs.writeFileSync(path.join(work, "content/tides.bin"), Buffer.alloc(300_000, "tide"));
  fs.writeFileSync(path.join(work, "content/講演.txt"), "high water\n");
});

after(() => fs.rmSync(root, { recursive: true }));

/** The way `prepare` does it: Debian's own libraries are not enough for our Node, and tools/run knows that. */
function build(): SpawnSyncReturns<string> {
  const words = ["node", path.join(root, "tools/build-program.ts")];
  return spawnSync(path.join(root, "tools/run"), words, { encoding: "utf8", env: environment() });
}

/** The environment of a user's shell: neither npm's nor the tests' own variables. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: work, ...more };
}

function everseed(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
): SpawnSyncReturns<string> {
  return spawnSync(path.join(root, "bin/everseed"), args, {
    cwd: work,
    encoding: "utf8",
    env: environment(env),
  });
}

/** @returns The files of the checkout that the main thread loaded, starting at `root`. */
function loadedBy(args: readonly string[]): string[] {
  const list = path.join(work, "loaded");
  fs.writeFileSync(list, "");
  const ran = everseed(args, { NODE_OPTIONS: `--import=${HOOK}`, EVERSEED_TEST_LOADED: list });
  assert.equal(ran.status, 0, ran.stderr);
  const place = `${path.join(fs.realpathSync(root), "/")}`;
  const urls = fs.readFileSync(list, "utf8").trim().split("\n");
  return urls.flatMap((url) => (url.includes(place) ? [url.split(place)[1]!] : []));
}

const CHECK = ["check", "content.torrent", "."];

/** An answer without the parts that differ from run to run. */
function answer(args: readonly string[], env?: Readonly<Record<string, string>>) {
  const { status, stdout, stderr } = everseed(args, env);
  const steady = stdout
    .replace(/[\d.]+ [KMG]iB\/s/, "SPEED")
    .replace(/"seconds":[\d.]+/, "SECONDS");
  return { status, stdout: steady, stderr };
}

test("the bundle answers like the sources, and is what runs", () => {
  for (const args of [
    ["--help"],
    ["--version"],
    ["get", "--help"],
    ["help", "hub", "start"],
    [],
    ["chekc"],
    ["get", "--down", "fast", "x.torrent"],
    ["create", "content", "-o", "content.torrent", "--no-date", "--overwrite"],
    ["create", "content", "-o", "content.torrent", "--no-date", "--kind", "hybrid", "--json"],
    ["create", "content", "-o", "content.torrent", "--no-date"],
    ["show", "content.torrent"],
    ["show", "content.torrent", "--json"],
    ["show", "content/tides.bin"],
    ["show", "nothing.torrent", "--json"],
    CHECK,
    [...CHECK, "--json"],
    ["hub", "start", "--data", "hub", "--port", "none"],
  ]) {
    const answers = [{}, { EVERSEED_TEST_SOURCES: "1" }].map((env) => {
      if (args[0] === "create") fs.rmSync(path.join(work, "content.torrent"), { force: true });
      return answer(args, env);
    });
    assert.deepEqual(answers[0], answers[1], args.join(" "));
  }
  assert.deepEqual(loadedBy(CHECK), ["dist/program/everseed.cjs"]);
});

test("users do not see Node's warnings about the bundle", () => {
  fs.writeFileSync(path.join(work, "password"), "correct horse battery", { mode: 0o600 });
  const args = ["hub", "init", "--data", "warned", "--admin", "ann", "--password-file", "password"];
  const { status, stderr } = everseed(args);
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /Warning|--trace/);
});

test("a thread of the bundle runs its own chunk, and no part of the command line", () => {
  const chunks = fs.readdirSync(program).filter((file) => /^disk-worker-.*\.cjs$/.test(file));
  assert.equal(chunks.length, 1);
  assert.ok(!fs.readFileSync(path.join(program, chunks[0]!), "utf8").includes('require("./'));
});

/** Preloaded into a process and its threads: each writes which modules of Node it has loaded. */
const LIST_BUILTINS = `
  const { isMainThread } = require("node:worker_threads");
  const { writeFileSync } = require("node:fs");
  const name = isMainThread ? "main" : "thread";
  setInterval(() => writeFileSync(name + ".builtins", process.moduleLoadList.join("\\n")), 20).unref();`;

/** @returns Which of the modules a process or its threads have loaded, as of now or a moment later. */
async function loadedBuiltins(name: "main" | "thread", asked: readonly string[]) {
  const list = path.join(work, `${name}.builtins`);
  fs.rmSync(list, { force: true });
  await until("modules are listed", () => fs.existsSync(list) && fs.statSync(list).size > 0);
  const loaded = new Set(fs.readFileSync(list, "utf8").split("\n"));
  return asked.filter((module) => loaded.has(`NativeModule ${module}`));
}

test("a seed has neither threads nor modules that it does not need, and stores and serves by threads", async () => {
  const listen = ["--listen", "127.0.0.1:0"];
  fs.writeFileSync(path.join(work, "list-builtins.cjs"), LIST_BUILTINS);
  const env = environment({ NODE_OPTIONS: "--require=./list-builtins.cjs" });
  const seed = spawn(
    path.join(root, "bin/everseed"),
    ["seed", "content.torrent", "--data", ".", ...listen, "--json"],
    { cwd: work, env, stdio: ["ignore", "pipe", "inherit"] },
  );
  const threads = (): string[] =>
    fs
      .readdirSync(`/proc/${seed.pid}/task`)
      .map((id) => fs.readFileSync(`/proc/${seed.pid}/task/${id}/comm`, "utf8").trim());
  try {
    let port = 0;
    for await (const line of createInterface({ input: seed.stdout })) {
      const told = JSON.parse(line) as { event: string; port: number };
      if (told.event === "ready") port = told.port;
      if (port > 0) break;
    }
    assert.ok(!threads().includes("everseed-disk"), "nobody has asked for anything");
    const rarely = ["http", "http2", "https", "readline", "sqlite", "tls", "zlib"];
    assert.deepEqual(await loadedBuiltins("main", ["net", ...rarely]), ["net"]);
    const peer = ["--peer", `127.0.0.1:${port}`];
    const got = everseed(["get", "content.torrent", "-o", "got", ...listen, ...peer]);
    assert.equal(got.status, 0, got.stderr);
    for (const file of ["content/tides.bin", "content/講演.txt"]) {
      const bytes = fs.readFileSync(path.join(work, "got", file));
      assert.ok(bytes.equals(fs.readFileSync(path.join(work, file))), file);
    }
    assert.ok(threads().includes("everseed-disk"));
    assert.deepEqual(await loadedBuiltins("thread", [...rarely, "child_process", "net"]), []);
  } finally {
    const ended = once(seed, "close");
    seed.kill();
    await ended;
  }
});

test("code that was compiled for another Node, or is damaged, is compiled again", () => {
  const whole = answer(CHECK);
  assert.equal(whole.status, 0, whole.stderr);
  const files = fs
    .readdirSync(program)
    .filter((file) => file.endsWith(".code"))
    .map((file) => path.join(program, file));
  assert.ok(files.some((file) => path.basename(file).startsWith("disk-worker-")));
  const damages: readonly [what: string, damage: (code: Buffer) => Buffer][] = [
    ["empty", () => Buffer.alloc(0)],
    ["cut off", (code) => code.subarray(0, code.length >> 1)],
    ["a wrong bit in the middle of the first copy", (code) => flipped(code, code.length >> 2)],
    ["a wrong bit in the second copy", (code) => flipped(code, (code.length * 3) >> 2)],
    ["zeros, as a power cut leaves them", (code) => Buffer.alloc(code.length)],
    ["text, twice", () => Buffer.from("no code at all; ".repeat(100))],
    ["that of other flags", otherFlags],
  ];
  for (const [what, damage] of damages) {
    const kept = files.map((file) => fs.readFileSync(file));
    for (const [index, file] of files.entries()) fs.writeFileSync(file, damage(kept[index]!));
    assert.deepEqual(answer(CHECK), whole, what);
    for (const [index, file] of files.entries()) fs.writeFileSync(file, kept[index]!);
  }
  for (const file of files) fs.renameSync(file, file.replace("v26.", "v25."));
  assert.deepEqual(answer(CHECK), whole);
  for (const file of files) fs.renameSync(file.replace("v26.", "v25."), file);
});

function flipped(code: Buffer, offset: number): Buffer {
  const other = Buffer.from(code);
  other[offset] = other[offset]! ^ 0x55;
  return other;
}

/** V8 writes a hash of its flags at byte 12: makes both copies look as if made with other flags. */
function otherFlags(code: Buffer): Buffer {
  return flipped(flipped(code, 12), (code.length >> 1) + 12);
}

test("the recorded code is used: no part of the program is compiled at its start", () => {
  const chunk = fs.readdirSync(program).find((file) => /^main-.*\.cjs$/.test(file))!;
  const script = `
    const { Script, constants } = require("node:vm");
    const { readFileSync } = require("node:fs");
    const file = process.argv[1];
    const both = readFileSync(file + "." + process.version + "-" + process.arch + ".code");
    const cachedData = both.subarray(0, both.length / 2);
    const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    const options = { filename: file, cachedData, importModuleDynamically };
    console.log(new Script(readFileSync(file, "utf8"), options).cachedDataRejected);`;
  const flags = ["--max-semi-space-size=4", "-e", script, path.join(program, chunk)];
  const { stdout } = spawnSync(process.execPath, flags, { encoding: "utf8" });
  assert.equal(stdout, "false\n");
});

test("a changed source runs instead of the bundle, until the bundle is built again", () => {
  const words = path.join(root, "src/cli/program.ts");
  const text = fs.readFileSync(words, "utf8");
  fs.writeFileSync(
    words,
    text.replace("Publish, track, seed and fetch", "Publish, track and keep"),
  );
  assert.match(everseed(["--help"]).stdout, /^Publish, track and keep torrents\.$/m);
  assert.equal(build().status, 0);
  assert.deepEqual(loadedBy(["--help"]), ["dist/program/everseed.cjs"]);
  assert.match(everseed(["--help"]).stdout, /^Publish, track and keep torrents\.$/m);

  // The code of the threads, which the main thread never loads; older than the bundle, as `cp -p` leaves it.
  const thread = path.join(root, "src/platform/disk/disk-worker.ts");
  fs.appendFileSync(thread, "// Changed.\n");
  fs.utimesSync(thread, 1_000_000_000, 1_000_000_000);
  assert.ok(loadedBy(CHECK).includes("src/cli/main.ts"));
  // The list of commands is in the first chunk, whose sources are unchanged; it checks no others.
  for (const args of [["--help"], ["--version"], ["help"]]) {
    assert.deepEqual(loadedBy(args), ["dist/program/everseed.cjs"], args.join(" "));
  }
});
