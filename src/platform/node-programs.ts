import { type ChildProcess, spawn } from "node:child_process";
import { systemCode } from "../base/system-code.ts";
import type { ProgramEnd, ProgramRun, Programs } from "../ports/programs.ts";

/** Between the request to end and the end. */
const GRACE_MS = 2_000;
/** After the end of a program, for what is still in its pipes: one that it has started may hold them open. */
const DRAIN_MS = 200;
/** What a program gets of our environment. */
const PASSED_ON = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "USER"] as const;

/** Programs of this machine, each in a process group of its own, never through a shell (HUB-14). */
export class NodePrograms implements Programs {
  async run(run: ProgramRun): Promise<ProgramEnd> {
    const [program = "", ...args] = run.argv;
    const timeout = AbortSignal.timeout(run.timeoutMs);
    const end = AbortSignal.any([run.signal, timeout]);
    end.throwIfAborted();
    const child = spawn(program, args, {
      shell: false,
      // So that a signal reaches everything it has started.
      detached: true,
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...passedOn(), ...run.variables },
    });
    const output = new Output(child, run.outputBytesMax);
    const ending = (): void => endGroup(child);
    end.addEventListener("abort", ending, { once: true });
    try {
      const exit = await exitOf(child);
      await output.drained();
      return { exit, isTimedOut: timeout.aborted, output: output.text() };
    } finally {
      end.removeEventListener("abort", ending);
      child.stdout?.destroy();
      child.stderr?.destroy();
    }
  }
}

function passedOn(): Record<string, string> {
  return Object.fromEntries(
    PASSED_ON.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** @returns `undefined` after a signal. */
function exitOf(child: ChildProcess): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  child.once("error", reject);
  child.once("exit", (code) => resolve(code ?? undefined));
  return promise;
}

function endGroup(child: ChildProcess): void {
  signalGroup(child, "SIGTERM");
  const timer = setTimeout(() => signalGroup(child, "SIGKILL"), GRACE_MS);
  child.once("exit", () => {
    clearTimeout(timer);
    // The others of its group may have ignored the request.
    signalGroup(child, "SIGKILL");
  });
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // All of it has ended.
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

/** The beginning of what a program writes. */
class Output {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  readonly #chunks: Buffer[] = [];
  #room: number;

  constructor(child: ChildProcess, bytesMax: number) {
    this.#child = child;
    this.#room = bytesMax;
    const take = (chunk: Buffer): void => {
      const kept = chunk.subarray(0, this.#room);
      this.#room -= kept.length;
      if (kept.length > 0) this.#chunks.push(Buffer.from(kept));
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    this.#closed = new Promise((resolve) => child.once("close", () => resolve()));
  }

  async drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, DRAIN_MS);
    await Promise.race([this.#closed, promise]);
    clearTimeout(timer);
    this.#child.removeAllListeners("close");
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
