import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { LAUNCHER, temporaryFolder } from "./everseed-process.ts";

/** Ports that the system chooses. */
const PORTS = { EVERSEED_ENGINE_PORT: "0", EVERSEED_TRACKER_UDP_PORT: "0" };
const START = [LAUNCHER, "hub", "start", "--data", "data", "--port", "0"];

/** Runs a hub until a sign-in has failed. @returns The line of its log that reports it. */
async function logLine(context: TestContext, command: readonly string[]): Promise<string> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, {
    cwd: temporaryFolder(context),
    env: { ...process.env, ...PORTS, TERM: "xterm", NO_COLOR: "1" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  context.after(async () => {
    child.kill("SIGTERM");
    child.stdin.end();
    await closed;
  });
  let output = "";
  let more: (() => void) | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      more?.();
    });
  }
  const waitFor = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(output)?.[0];
      if (found !== undefined) return found;
      assert.equal(child.exitCode, null, output);
      await new Promise<void>((resolve) => (more = resolve));
    }
  };
  const [url] = /http:\/\/[0-9.:]+/.exec(await waitFor(/http:\/\/127\.0\.0\.1:\d+\/setup/))!;
  await waitFor(/ready/);
  await fetch(`${url}/api/v1/session`, { headers: { authorization: "Bearer wrong" } });
  return waitFor(/[^\r\n]*a sign-in failed[^\r\n]*(?=\r?\n)/);
}

/** Runs a command on a separate terminal (util-linux). */
const onTerminal = (command: readonly string[]): string[] => [
  "script",
  "--quiet",
  "--return",
  "--command",
  command.map((word) => `'${word}'`).join(" "),
  "/dev/null",
];

test("on a terminal the log of a hub is plain text", async (context) => {
  const line = await logLine(context, onTerminal(START));
  assert.match(line, /a sign-in failed address=127\.0\.0\.1 why=unknown or expired token$/);
});

for (const { where, command } of [
  { where: "in a pipe", command: START },
  { where: "on a terminal with --json", command: onTerminal([...START, "--json"]) },
]) {
  test(`the log of a hub has one line of JSON per entry ${where}`, async (context) => {
    const entry = JSON.parse(await logLine(context, command)) as Record<string, unknown>;
    assert.equal(entry["msg"], "a sign-in failed");
    assert.equal(entry["address"], "127.0.0.1");
    assert.ok(!Number.isNaN(Date.parse(String(entry["time"]))));
  });
}
