import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { everseed, type Finished, temporaryFolder } from "./everseed-process.ts";

function configIn(context: TestContext, env: Readonly<Record<string, string>> = {}) {
  const home = temporaryFolder(context);
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    everseed(context, ["config", ...args], { env: { EVERSEED_HOME: home, ...env, ...more } });
  return { home, file: join(home, "everseed.yaml"), run };
}

function json({ exit, stdout, stderr }: Finished): Record<string, unknown> {
  assert.equal(exit, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

test("BDR-2.2.2 config set writes the commented file, get says the value and who gave it, path where", async (context) => {
  const { file, run } = configIn(context);
  assert.deepEqual(json(await run(["path", "--json"])), { path: file, exists: false });
  const set = await run(["set", "engine.port", "6881"]);
  assert.equal(set.exit, 0, set.stderr);
  assert.match(set.stdout, /holds from the next start on/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, "utf8"), /^engine:\n(?:# .*\n|#.*\n|\n)*  port: 6881$/m);
  const given = json(await run(["get", "engine.port", "--json"]));
  assert.deepEqual(given, { key: "engine.port", value: 6881, origin: "file", where: file });
  const variable = json(await run(["get", "engine.port", "--json"], { EVERSEED_ENGINE_PORT: "7" }));
  assert.deepEqual([variable["value"], variable["where"]], [7, "EVERSEED_ENGINE_PORT"]);
  const all = await run(["get"]);
  assert.match(all.stdout, /^engine\.host +0\.0\.0\.0$/m);
});

test("BDR-2.2.5 a wrong key names the nearest, a wrong value what it takes, and neither is written", async (context) => {
  const { file, run } = configIn(context);
  writeFileSync(file, "port: 80 # mine\n");
  const key = await run(["set", "engine.prot", "1"]);
  assert.equal(key.exit, 2);
  assert.match(key.stderr, /no key "engine\.prot".*\n.*write "engine\.port"/);
  const value = await run(["set", "engine.port", "many"]);
  assert.equal(value.exit, 2);
  assert.match(
    value.stderr,
    /"engine\.port" does not take "many"\. It takes a whole number from 0/,
  );
  assert.equal(readFileSync(file, "utf8"), "port: 80 # mine\n");
  writeFileSync(file, "host: a\nengine:\n  prot: 1\n");
  const check = await run(["check"]);
  assert.equal(check.exit, 2);
  assert.match(check.stderr, /everseed\.yaml line 3 has an unknown key "engine\.prot"/);
});

test("config edit checks what the editor wrote, and never loses it", async (context) => {
  const { home, file, run } = configIn(context);
  writeFileSync(file, "# mine\nport: 80\n");
  const edit = (script: string) => run(["edit"], { EDITOR: `sh -c '${script}' sh`, VISUAL: "" });
  const same = await edit("true");
  assert.match(same.stdout, /Nothing was changed/);
  const good = await edit('echo "host: 127.0.0.2" >> "$1"');
  assert.equal(good.exit, 0, good.stderr);
  assert.equal(readFileSync(file, "utf8"), "# mine\nport: 80\nhost: 127.0.0.2\n");
  assert.deepEqual(readdirSync(home), ["everseed.yaml"]);
  const bad = await edit('echo "prot: 1" >> "$1"');
  assert.equal(bad.exit, 2);
  assert.match(bad.stderr, /line 4 has an unknown key "prot"/);
  const kept = /kept in (\S+\.yaml)\./.exec(bad.stderr)?.[1] ?? "";
  assert.match(readFileSync(kept, "utf8"), /^prot: 1$/m);
  assert.doesNotMatch(readFileSync(file, "utf8"), /prot/);
});

test("config --data is about the hub in that folder", async (context) => {
  const { home, run } = configIn(context);
  const data = join(home, "hub");
  assert.equal(
    json(await run(["path", "--data", data, "--json"]))["path"],
    join(data, "everseed.yaml"),
  );
  const got = json(await run(["get", "services.site", "--data", data, "--json"]));
  assert.deepEqual([got["value"], got["origin"]], [true, "default"]);
  assert.equal(existsSync(data), false);
});
