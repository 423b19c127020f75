import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const repository = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** What npm told this process about its own run would confuse the one we start. */
const env: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)),
);
env["npm_config_loglevel"] = "error";

let folder = "";

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "everseed-package-"));
  const options = { cwd: repository, env };
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], options);
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as { filename: string }[];
  await writeFile(join(folder, "package.json"), '{ "private": true }');
  const install = [
    "install",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    `./${packed!.filename}`,
  ];
  await run("npm", install, { cwd: folder, env });
});

after(() => rm(folder, { recursive: true, force: true }));

function npx(...args: string[]) {
  return run("npx", ["--no-install", "everseed", ...args], { cwd: folder, env });
}

test("the installed package is one bundle, and holds no sources and no tests", async () => {
  const files = await readdir(join(folder, "node_modules/everseed"), { recursive: true });
  assert.ok(!files.includes("src"));
  assert.deepEqual(
    files.filter((file) => /\.(test\.\w+|ts|tsx)$/.test(file)),
    [],
  );
  for (const file of [
    "bin/everseed",
    "bin/vtorrent",
    "dist/program/everseed.cjs",
    "web/dist",
    "LICENSE",
  ]) {
    assert.ok(files.includes(file), file);
  }
  // It would make the bundle look for sources.
  assert.ok(!files.includes("dist/program/sources"));
  assert.ok(files.some((file) => /^dist\/program\/main-.*\.code$/.test(file)));
});

test("it keeps the licence of every package in the bundle", async () => {
  const file = join(folder, "node_modules/everseed/dist/THIRD-PARTY-NOTICES.txt");
  const notices = (await readFile(file, "utf8")).split(`${"-".repeat(78)}\n`).slice(1);
  const licences = new Map<string, string>();
  for (let part = 0; part < notices.length; part += 2) {
    licences.set(notices[part]!.split(" ")[0]!, notices[part + 1]!);
  }
  for (const name of [
    "better-auth",
    "commander",
    "hono",
    "kysely",
    "pino",
    "string-width",
    "zod",
  ]) {
    assert.ok(licences.has(name), name);
  }
  for (const [name, text] of licences) {
    assert.match(
      text,
      /permission is hereby granted|permission to use|redistribution|Apache License|Blue Oak/i,
      name,
    );
  }
});

test("npx everseed makes, shows and checks a torrent", async () => {
  await writeFile(join(folder, "hello.txt"), "hello\n");
  const created = await npx("create", "hello.txt", "--json");
  const { infohashV1 } = JSON.parse(created.stdout) as { infohashV1: string };
  const shown = await npx("show", "hello.txt.torrent", "--json");
  assert.equal((JSON.parse(shown.stdout) as { infohashV1: string }).infohashV1, infohashV1);
  const checked = await npx("check", "hello.txt.torrent", ".");
  assert.match(checked.stdout, /^All good: 1 piece /);
});

test("VT-12 VT-13 the package installs vtorrent too", async () => {
  const { stdout } = await run("npx", ["--no-install", "vtorrent", "--version"], {
    cwd: folder,
    env,
  });
  assert.match(stdout, /^vtorrent v\d/);
});

test("npx everseed tells a wrong word with the exit code of the table", async () => {
  await assert.rejects(npx("chekc"), (error: { code: number; stderr: string }) => {
    assert.equal(error.code, 2);
    assert.match(error.stderr, /^everseed: Unknown command "chekc"/);
    return true;
  });
});
