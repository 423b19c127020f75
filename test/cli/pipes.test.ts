import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import {
  everseed,
  EverseedProcess,
  type Finished,
  LAUNCHER,
  temporaryFolder,
} from "./everseed-process.ts";

// A pipe in the place of a file that the user names: read to its end, and the wait can always be interrupted (CLI-15).

const READERS: readonly (readonly string[])[] = [
  ["show", "pipe"],
  ["get", "pipe"],
  ["check", "pipe", "."],
  ["seed", "pipe"],
  ["publish", "pipe.torrent", "--to", "http://127.0.0.1:1", "--token-file", "pipe"],
  ["unpublish", "http://127.0.0.1:1/t/x/y", "--token-file", "pipe"],
  ["hub", "init", "--data", "d", "--admin", "ann", "--password-file", "pipe"],
  ["hub", "password", "ann", "--data", "d", "--password-file", "pipe"],
  ["hub", "start", "--data", "d", "--config", "pipe"],
];

async function world(context: TestContext) {
  const folder = temporaryFolder(context);
  execFileSync("mkfifo", [join(folder, "pipe")]);
  await writeFile(join(folder, "talk"), "a talk about tides\n");
  const made = await everseed(context, ["create", "talk"], { cwd: folder });
  assert.equal(made.exit, 0, made.stderr);
  return { folder };
}

/** @throws When the process does not end: a test that hangs would report less. */
async function endOf(reader: EverseedProcess): Promise<Finished> {
  const stop = new AbortController();
  const late = sleep(30_000, "late" as const, { signal: stop.signal }).catch(() => "late" as const);
  const outcome = await Promise.race([reader.finished, late]);
  stop.abort();
  assert.ok(outcome !== "late", "it does not end");
  return outcome;
}

/** Waits until the process has the pipe open. */
async function untilOpen(pid: number, path: string): Promise<void> {
  for (let looks = 0; looks < 300; looks += 1) {
    const listed = spawnSync("ls", ["-l", `/proc/${pid}/fd`], { encoding: "utf8" });
    if (listed.stdout.includes(path)) return;
    await sleep(50);
  }
  throw new Error(`${path} is never opened`);
}

// One test, so that the first command that does not end is the last one that we wait for.
test("CLI-15: every command that reads a file ends on one signal, with no writer and with a silent one", async (context) => {
  const { folder } = await world(context);
  const pipe = join(folder, "pipe");
  for (const [index, args] of READERS.entries()) {
    // One of every two suffices: all of them open files in the same way.
    const isSilent = index % 2 === 1;
    const end = isSilent ? openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK) : undefined;
    const reader = new EverseedProcess(context, args, { cwd: folder });
    await untilOpen(reader.child.pid!, pipe);
    reader.child.kill("SIGTERM");
    const { exit, stderr } = await endOf(reader);
    if (end !== undefined) closeSync(end);
    assert.equal(exit, 143, `${args.join(" ")}: ${stderr}`);
  }
});

test("CLI-15: a pipe without a writer is waited for, and then reported for what it is", async (context) => {
  const { folder } = await world(context);
  const shown = await endOf(new EverseedProcess(context, ["show", "pipe"], { cwd: folder }));
  assert.equal(shown.exit, 7, shown.stderr);
  assert.match(
    shown.stderr,
    /pipe is not a torrent: it is not a file, and reading it gives no bytes/,
  );
});

test("CLI-15: a shell's process substitution is read to its end, however slowly it comes", (context) => {
  return world(context).then(({ folder }) => {
    for (const writer of [
      "cat talk.torrent",
      "head -c 50 talk.torrent; sleep 0.4; tail -c +51 talk.torrent",
      "sleep 0.4; cat talk.torrent",
    ]) {
      const script = `"$0" show <(${writer}) --json`;
      const shown = spawnSync("bash", ["-c", script, LAUNCHER], { cwd: folder, encoding: "utf8" });
      assert.equal(shown.status, 0, `${writer}: ${shown.stderr}`);
      assert.match(shown.stdout, /"name":"talk"/);
    }
    const late = spawnSync(
      "bash",
      ["-c", '(sleep 1; cat talk.torrent > pipe) & "$0" show pipe --json; wait', LAUNCHER],
      { cwd: folder, encoding: "utf8" },
    );
    assert.equal(late.status, 0, late.stderr);
    assert.match(late.stdout, /"name":"talk"/);
  });
});
