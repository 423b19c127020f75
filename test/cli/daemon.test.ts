import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { serviceManager } from "../fixtures/service-manager.ts";
import { killed } from "./killed.ts";
import { everseed, EverseedProcess, type Finished, temporaryFolder } from "./everseed-process.ts";

interface Told {
  readonly pid: number;
  readonly socket: string;
  readonly peerPort: number;
}

/** Commands about a node whose files are in a folder of the test. */
function nodeIn(context: TestContext) {
  const home = temporaryFolder(context);
  const env = {
    EVERSEED_HOME: home,
    EVERSEED_ENGINE_HOST: "127.0.0.1",
    EVERSEED_ENGINE_PORT: "0",
    PATH: process.env["PATH"] ?? "",
  };
  const daemon = (...args: readonly string[]): Promise<Finished> =>
    everseed(context, ["daemon", ...args], { env });
  return { home, env, daemon };
}

function told({ exit, stdout, stderr }: Finished): Told {
  assert.equal(exit, 0, stderr);
  return JSON.parse(stdout) as Told;
}

function failure({ stderr }: Finished): { code: string; message: string } {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  return (JSON.parse(line) as { error: { code: string; message: string } }).error;
}

test("BDR-2.1.1 STO-10 a node in the background: start, status, a second one, kill -9, start, stop", async (context) => {
  const { home, daemon } = nodeIn(context);
  const first = told(await daemon("start", "--json"));
  context.after(() => daemon("stop"));
  assert.equal(first.socket, join(home, "run", "control.sock"));
  assert.ok(first.peerPort > 0);
  assert.equal(statSync(home).mode & 0o777, 0o700);

  const status = await daemon("status");
  assert.equal(status.exit, 0, status.stderr);
  assert.match(status.stdout, new RegExp(`^Node +everseed .*, process ${first.pid}, since `));
  const second = await daemon("start", "--json");
  assert.equal(second.exit, 4);
  assert.match(failure(second).message, new RegExp(`process ${first.pid}\\.$`));

  await killed(first.pid);
  const away = await daemon("status", "--json");
  assert.equal(away.exit, 3);
  assert.equal(failure(away).message, "No node is running.");
  const again = told(await daemon("start", "--json"));
  assert.notEqual(again.pid, first.pid);

  assert.equal(told(await daemon("stop", "--json")).pid, again.pid);
  const logs = await daemon("logs");
  assert.match(
    logs.stdout,
    /the node is ready .*\n.*the node is ready .*\n.*the node is ending\n$/,
  );
  assert.equal(told(await daemon("stop", "--json")).pid, null);
});

test("a node that cannot start in the background says why, in its own sentence", async (context) => {
  const { home, daemon } = nodeIn(context);
  writeFileSync(join(home, "everseed.yaml"), "services: { trakker: true }\n");
  const misspelt = await daemon("start", "--json");
  assert.equal(misspelt.exit, 2);
  assert.match(
    failure(misspelt).message,
    /everseed\.yaml line 1 has an unknown key "services\.trakker"/,
  );
  writeFileSync(join(home, "everseed.yaml"), "");
  mkdirSync(join(home, "run"), { mode: 0o700 });
  writeFileSync(join(home, "run", "control.sock"), "a file of somebody");
  const blocked = await daemon("start", "--json");
  assert.equal(blocked.exit, 4);
  assert.match(failure(blocked).message, /control\.sock is no socket, but a file/);
});

test("STO-13 a node in the foreground says ready as one object, and ends when it is asked to", async (context) => {
  const { env, daemon } = nodeIn(context);
  const notify = join(env.EVERSEED_HOME, "notify");
  const hear = serviceManager(context, notify);
  const node = new EverseedProcess(context, ["daemon", "start", "--foreground", "--json"], {
    env: { ...env, NOTIFY_SOCKET: notify, WATCHDOG_USEC: "60000000" },
  });
  const [line] = await node.waitFor(/^\{"event":"ready".*\}$/m);
  const ready = JSON.parse(line) as Told & { webPort: number | null };
  assert.deepEqual(Object.keys(ready), ["event", "pid", "peerPort", "webPort", "socket"]);
  assert.equal(ready.webPort, null);
  const restart = await daemon("restart", "--json");
  assert.equal(restart.exit, 5);
  assert.match(failure(restart).message, /A service manager runs this node/);
  assert.equal(told(await daemon("stop", "--json")).pid, ready.pid);
  assert.equal((await node.finished).exit, 0);
  assert.equal(hear(), `READY=1\nSTATUS=peers on port ${ready.peerPort}`);
  assert.deepEqual([hear(), hear(), hear()], ["WATCHDOG=1", "STOPPING=1", undefined]);
});

test("a node with a site is a hub: it gives its setup link, in the background too", async (context) => {
  const { home, daemon } = nodeIn(context);
  const yaml = "services: { site: true }\nport: 0\n";
  writeFileSync(join(home, "everseed.yaml"), yaml);
  const ready = told(await daemon("start", "--json")) as Told & {
    webPort: number;
    setupLink: string;
  };
  context.after(() => daemon("stop"));
  const answer = await fetch(ready.setupLink.replace(/#.*/, ""));
  assert.equal(answer.status, 200);
  assert.match(ready.setupLink, new RegExp(`^http://127\\.0\\.0\\.1:${ready.webPort}/setup#`));
  assert.equal(readFileSync(join(home, "everseed.yaml"), "utf8"), yaml);
});

test("the service file names the launcher and the node's own home, and others' files stay", async (context) => {
  const { home, env } = nodeIn(context);
  const user = { ...env, XDG_CONFIG_HOME: home, PATH: "/usr/bin:/bin" };
  const run = (...args: readonly string[]): Promise<Finished> =>
    everseed(context, ["daemon", ...args], { env: user });
  const unit = join(home, "systemd", "user", "everseed.service");
  const installed = await run("install", "--json");
  assert.equal(installed.exit, 0, installed.stderr);
  assert.match(
    readFileSync(unit, "utf8"),
    /^ExecStart=\S*bin\/everseed daemon start --foreground/m,
  );
  assert.match(readFileSync(unit, "utf8"), new RegExp(`^Environment=EVERSEED_HOME=${home}$`, "m"));
  assert.equal((await run("uninstall")).exit, 0);
  writeFileSync(unit, "[Service]\n");
  for (const command of ["install", "uninstall"]) assert.equal((await run(command)).exit, 4);
  assert.equal(readFileSync(unit, "utf8"), "[Service]\n");
});
