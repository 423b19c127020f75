import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { leftOver } from "./left-over.ts";

test("a process that was started by one that has ended is found by its environment", async () => {
  const value = `left-over-${process.pid}`;
  const env = { ...process.env, EVERSEED_TEST_LEFT: value };
  assert.deepEqual(leftOver("EVERSEED_TEST_LEFT", value), []);
  const shell = spawn("sh", ["-c", "sleep 60 & echo $!"], { env, detached: true });
  const [said] = (await once(shell.stdout, "data")) as [Buffer];
  const pid = Number(said.toString());
  if (shell.exitCode === null) await once(shell, "exit");
  try {
    const found = leftOver("EVERSEED_TEST_LEFT", value);
    assert.deepEqual(
      found.map((each) => each.pid),
      [pid],
    );
    // Before it has become "sleep 60" it is the shell that was told so.
    assert.match(found[0]!.command, /sleep 60/);
  } finally {
    process.kill(pid, "SIGKILL");
  }
});
