import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemCode } from "../base/system-code.ts";
import { EverseedError } from "../base/errors.ts";
import { CommandError } from "../commands/command-error.ts";
import { ControlClient } from "../commands/control-client.ts";
import { sleep } from "../commands/waiting.ts";
import { lockHolder } from "../platform/lock-file.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeFiles } from "../platform/node-files.ts";
import { SocketCalls } from "../platform/socket-calls.ts";
import type { NodeConfig } from "./node-config.ts";

/** A node that opens a database of a million torrents is ready long before. */
const START_MS_MAX = 60_000;
/** An orderly stop takes 8 s at most; then the process ends by itself. */
const STOP_MS_MAX = 12_000;
const LOOK_MS = 50;
/** What the node prints before its log is open, and why Node itself ended it. Begun anew at each start. */
const LAST_WORDS = "last-words";

/** The `ready` event of a node. */
export interface NodeReady {
  readonly event: "ready";
  readonly pid: number;
  readonly peerPort: number;
  readonly webPort: number | null;
  readonly socket: string;
  readonly setupLink?: string;
}

/** Why a node in the background did not start: the failure that it printed itself. */
class StartError extends EverseedError {
  readonly code: string;
  readonly detail: string;
  readonly hint: string | undefined;

  constructor(failure: { code: string; message: string; hint?: string }) {
    super(`${failure.code}: ${failure.message}`);
    this.code = failure.code.replaceAll("_", "-");
    this.detail = failure.message;
    this.hint = failure.hint;
  }
}

/** The control API of a node on this machine. */
export function controlClient(socket: string, signal: AbortSignal): ControlClient {
  return new ControlClient(new SocketCalls(socket), { socket, signal });
}

/**
 * Starts a node that goes on when this process has ended.
 *
 * @param args - What follows `everseed daemon start`, besides what makes it a node in the background.
 * @returns When the node answers.
 * @throws {EverseedError} (rejects) With the sentence in which the node says why it cannot; {CommandError}
 *   `data-in-use` when one is running, `start-failed`.
 */
export async function startInBackground(
  node: NodeConfig,
  args: readonly string[],
  signal: AbortSignal,
): Promise<NodeReady> {
  refuseSecond(node.lock);
  const logDir = dirname(node.logFile);
  await new NodeFiles().makeFolder(logDir);
  const words = join(logDir, LAST_WORDS);
  const child = detach(
    ["daemon", "start", "--foreground", "--json", "--log-file", node.logFile, ...args],
    words,
  );
  try {
    return await readiness(child, { words, logFile: node.logFile, signal });
  } catch (error) {
    if (signal.aborted) child.kill("SIGTERM");
    throw error;
  } finally {
    child.stdout?.destroy();
    child.unref();
  }
}

/** @throws {CommandError} `data-in-use`, naming the process that uses the state (STO-10). */
export function refuseSecond(lock: string): void {
  const pid = lockHolder(lock);
  if (pid === undefined) return;
  throw new CommandError("data-in-use", `A node is running already: process ${pid}.`, {
    subject: dirname(lock),
    hint: "everseed daemon status shows it; EVERSEED_HOME=DIR starts a second one with files of its own.",
  });
}

/** Starts this program again, in a session of its own: no terminal that closes ends it. */
function detach(args: readonly string[], words: string): ChildProcess {
  const file = openSync(words, "w", 0o600);
  try {
    const [, main = ""] = process.argv;
    return spawn(process.execPath, [...process.execArgv, main, ...args], {
      detached: true,
      stdio: ["ignore", "pipe", file],
    });
  } finally {
    closeSync(file);
  }
}

async function readiness(
  child: ChildProcess,
  at: { readonly words: string; readonly logFile: string; readonly signal: AbortSignal },
): Promise<NodeReady> {
  const late = AbortSignal.timeout(START_MS_MAX);
  const either = AbortSignal.any([late, at.signal]);
  let printed = "";
  return new Promise((resolve, reject) => {
    either.addEventListener("abort", () => {
      if (at.signal.aborted) reject(at.signal.reason as Error);
      else reject(tooLate(child.pid ?? 0, at.logFile));
    });
    child.once("error", reject);
    child.stdout?.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
      const [line, rest] = printed.split("\n");
      if (line !== undefined && rest !== undefined) resolve(JSON.parse(line) as NodeReady);
    });
    child.once("close", () => reject(endedEarly(at.words)));
  });
}

function tooLate(pid: number, logFile: string): CommandError {
  return new CommandError(
    "start-failed",
    `Process ${pid} has not answered after ${START_MS_MAX / 1_000} s. It goes on.`,
    { subject: logFile, hint: "everseed daemon logs shows what it does." },
  );
}

/** @param words - The file with what it printed last. */
function endedEarly(words: string): EverseedError {
  const text = existsSync(words) ? readFileSync(words, "utf8").trim() : "";
  const failure = failureIn(text.split("\n").at(-1) ?? "");
  if (failure) return new StartError(failure);
  return new CommandError("start-failed", "The node ended before it was ready.", {
    subject: words,
    hint: `${words} has what it printed last.`,
  });
}

function failureIn(line: string): { code: string; message: string; hint?: string } | undefined {
  try {
    const { error } = JSON.parse(line) as {
      error?: { code: string; message: string; hint?: string };
    };
    return error;
  } catch {
    return undefined;
  }
}

/**
 * Asks a node to end, and waits until it has ended.
 *
 * @param lock - Of the state that it uses.
 * @returns Its process id; `undefined` when none was running.
 * @throws {CommandError} (rejects) `not-allowed`, `hangs`; or the signal's reason.
 */
export async function stopNode(lock: string, signal: AbortSignal): Promise<number | undefined> {
  const pid = lockHolder(lock);
  if (pid === undefined) return undefined;
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if (systemCode(error) === "ESRCH") return pid;
    if (systemCode(error) !== "EPERM") throw error;
    throw new CommandError("not-allowed", `Process ${pid} belongs to another user.`, {
      hint: "the same as its user, or as root.",
      cause: error,
    });
  }
  const clock = new NodeClock();
  const endMs = clock.nowMs() + STOP_MS_MAX;
  while (lockHolder(lock) === pid) {
    if (clock.nowMs() > endMs) throw hangs(pid);
    await sleep(clock, LOOK_MS, signal);
  }
  return pid;
}

function hangs(pid: number): CommandError {
  return new CommandError("hangs", `Process ${pid} has not ended after ${STOP_MS_MAX / 1_000} s.`, {
    hint: `kill -9 ${pid}: what is stored stays, at most the last seconds are lost.`,
  });
}
