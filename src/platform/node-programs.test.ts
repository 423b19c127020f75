import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import type { ProgramRun } from "../ports/programs.ts";
import { NodePrograms } from "./node-programs.ts";

const RUN: Omit<ProgramRun, "argv"> = {
  variables: {},
  timeoutMs: 10_000,
  outputBytesMax: 1_000,
  signal: new AbortController().signal,
};

function run(argv: readonly string[], more: Partial<ProgramRun> = {}) {
  return new NodePrograms().run({ ...RUN, ...more, argv });
}

/** A script of the shell, which is the program here. */
const sh = (script: string, ...args: readonly string[]) => ["/bin/sh", "-c", script, "sh", ...args];

test("HUB-14: arguments and variables arrive as they are; there is no shell, and none of our secrets", async (t) => {
  const mark = join(temporaryFolder(t, "everseed-programs-"), "mark");
  process.env["EVERSEED_ENGINE_PROXY"] = "http://name:secret@proxy.example";
  t.after(() => delete process.env["EVERSEED_ENGINE_PROXY"]);
  const name = `$(touch ${mark}); -x\n"two"`;
  const script = 'printf "%s|%s|%s" "$1" "$EVERSEED_NAME" "$EVERSEED_ENGINE_PROXY"';
  const end = await run(sh(script, name), { variables: { EVERSEED_NAME: name } });
  assert.deepEqual(end, { exit: 0, isTimedOut: false, output: `${name}|${name}|` });
  assert.equal(existsSync(mark), false);
});

test("the exit code and the beginning of the output are told", async () => {
  const end = await run(sh("yes | head -c 100000; echo wrong >&2; exit 3"), { outputBytesMax: 10 });
  assert.deepEqual(end, { exit: 3, isTimedOut: false, output: "y\ny\ny\ny\ny\n" });
  await assert.rejects(run(["/nothing/here"]), { code: "ENOENT" });
});

test("a program that takes too long is ended with everything it has started", async (t) => {
  const file = join(temporaryFolder(t, "everseed-programs-"), "pid");
  const end = await run(sh('sleep 60 & echo $! > "$1"; wait', file), { timeoutMs: 300 });
  assert.deepEqual([end.exit, end.isTimedOut], [undefined, true]);
  const pid = Number(readFileSync(file, "utf8"));
  for (let tries = 0; isRunning(pid); tries += 1) {
    assert.ok(tries < 100, "what it has started runs on");
    await setTimeout(20);
  }
});

test("a program that leaves another one behind does not hold us", async (t) => {
  const file = join(temporaryFolder(t, "everseed-programs-"), "pid");
  const end = await run(sh('sleep 60 & echo $! > "$1"', file));
  assert.equal(end.exit, 0);
  process.kill(Number(readFileSync(file, "utf8")));
});

test("one that ignores the request to end is ended all the same", async () => {
  const stop = new AbortController();
  const running = run(sh("trap '' TERM; while :; do sleep 0.1; done"), { signal: stop.signal });
  await setTimeout(200);
  stop.abort();
  assert.equal((await running).exit, undefined);
  await assert.rejects(run(sh("true"), { signal: stop.signal }));
});

/** A process that has ended and waits for its parent does not run. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
