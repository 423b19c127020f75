import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import type { TestContext } from "node:test";
import { temporaryFolder as temporaryFolderOf } from "../fixtures/temporary-folder.ts";

export const LAUNCHER = resolve(import.meta.dirname, "../../bin/everseed");

export interface Finished {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program that starts it, such as `nohup`. */
  readonly by?: string;
}

/** A running `everseed`; killed when the test ends. */
export class EverseedProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly finished: Promise<Finished>;
  #stdout = "";
  #stderr = "";
  #more: (() => void) | undefined;

  constructor(context: TestContext, args: readonly string[], options: ProcessOptions = {}) {
    const [program = LAUNCHER, ...rest] = options.by ? [options.by, LAUNCHER] : [];
    this.child = spawn(program, [...rest, ...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: undefined, ...options.env },
    });
    this.child.stdin.end();
    this.child.stdout.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString();
      this.#more?.();
    });
    this.child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
      this.#more?.();
    });
    this.finished = once(this.child, "close").then(([exit]) => {
      this.#more?.();
      return { exit: exit as number | null, stdout: this.#stdout, stderr: this.#stderr };
    });
    context.after(async () => {
      this.child.kill("SIGKILL");
      await this.finished;
    });
  }

  /** What it has said so far. */
  get said(): string {
    return this.#stdout + this.#stderr;
  }

  /** Waits for output that matches; fails when the process ends without it. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`ended without ${pattern}:\n${this.#stdout}\n${this.#stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
    }
  }

  /** The port of the `ready` event, with `--json`. */
  async port(): Promise<number> {
    return Number((await this.waitFor(/"event":"ready","port":(\d+)/))[1]);
  }
}

/** The longest that one command of a test may take, on a machine with much other work too. */
const COMMAND_MS = 150_000;

/** Runs a command to its end. @throws (rejects) When that does not come in time, with the last things that it said. */
export async function everseed(
  context: TestContext,
  args: readonly string[],
  options?: ProcessOptions,
): Promise<Finished> {
  const running = new EverseedProcess(context, args, options);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not in time: everseed ${args.join(" ")}\n${running.said.slice(-4000)}`));
    }, COMMAND_MS);
  });
  return Promise.race([running.finished, late]).finally(() => clearTimeout(timer));
}

/** A folder that is removed after the test. */
export function temporaryFolder(context: TestContext): string {
  return temporaryFolderOf(context, "everseed-cli-");
}
