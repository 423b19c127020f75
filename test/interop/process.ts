import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import path from "node:path";

export const EVERSEED = path.join(import.meta.dirname, "..", "..", "bin", "everseed");

/** The longest that one transfer of a test may take. */
const EVENT_TIMEOUT_MS = 120_000;

export type JsonEvent = Readonly<Record<string, unknown>> & { readonly event?: string };

/** A program that runs during a test, and is ended with it. */
export class Running {
  readonly child: ChildProcess;
  readonly exitCode: Promise<number>;
  readonly #command: string;
  readonly #events: JsonEvent[] = [];
  readonly #waiting = new Map<string, (event: JsonEvent) => void>();
  /** Its output, the last 20 kB of both streams. */
  output = "";

  /** @param input - `lines`: it reads what `tell` writes. */
  constructor(
    t: TestContext,
    command: readonly string[],
    env: NodeJS.ProcessEnv = {},
    input: "none" | "lines" = "none",
  ) {
    this.#command = command.join(" ");
    this.child = spawn(command[0]!, command.slice(1), {
      stdio: [input === "lines" ? "pipe" : "ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.exitCode = new Promise((resolve) => {
      this.child.once("error", (error) => {
        this.output += error.message;
        resolve(-1);
      });
      this.child.once("close", (code, signal) => resolve(code ?? (signal ? 128 : -1)));
    });
    createInterface({ input: this.child.stdout! }).on("line", (line) => this.#handleLine(line));
    createInterface({ input: this.child.stderr! }).on("line", (line) => this.#keep(line));
    t.after(() => this.stop());
  }

  /** Writes one line to its input. */
  tell(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  /** The next event of this kind; fails when the program ends before, or takes too long. */
  event(kind: string): Promise<JsonEvent> {
    const index = this.#events.findIndex((event) => event.event === kind);
    if (index >= 0) return Promise.resolve(this.#events.splice(index, 1)[0]!);
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        reject(new Error(`${this.#command}: ${why} "${kind}"\n${this.output}`));
      };
      const timer = setTimeout(() => fail("took too long to say"), EVENT_TIMEOUT_MS);
      this.#waiting.set(kind, (event) => {
        clearTimeout(timer);
        resolve(event);
      });
      void this.exitCode.then((code) => fail(`ended with ${code} before it said`));
    });
  }

  /** Waits for its end. @throws When it fails. */
  async succeed(): Promise<void> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), EVENT_TIMEOUT_MS);
    const code = await this.exitCode;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${this.#command} ended with ${code}\n${this.output}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), 5_000);
    await this.exitCode;
    clearTimeout(timer);
  }

  #handleLine(line: string): void {
    this.#keep(line);
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as JsonEvent;
    if (event.event === undefined || event.event === "stats") return;
    const waiting = this.#waiting.get(event.event);
    if (waiting) {
      this.#waiting.delete(event.event);
      waiting(event);
    } else this.#events.push(event);
  }

  #keep(line: string): void {
    this.output = `${this.output}${line}\n`.slice(-20_000);
  }
}

/** Asks again until the answer is true. @throws When it has not become true in time. */
export async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + EVENT_TIMEOUT_MS;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
