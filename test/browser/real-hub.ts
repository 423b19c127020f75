import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildPages, pagesAreStale } from "../../tools/build-pages.ts";
import { freePort } from "../fixtures/free-port.ts";
import { outsideName } from "./chromium.ts";

const launcher = path.resolve(import.meta.dirname, "../../bin/everseed");
const readyMs = 30_000;

export const adminName = "ann";
export const adminPassword = "a harbour full of fog";

/** The real program, started as a user starts it, with its own data folder. */
export class RealHub {
  readonly folder: string;
  readonly port: number;
  /** Its output since the last start. */
  printed = "";
  #process: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /** @param initialised - With an administrator already; else setup is open. */
  static async create(initialised: boolean): Promise<RealHub> {
    if (await pagesAreStale()) await buildPages();
    const folder = await mkdtemp(path.join(tmpdir(), "everseed-browser-"));
    const hub = new RealHub(folder, await freePort());
    if (initialised) await hub.#init();
    await hub.start();
    return hub;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The one-time link from the terminal. */
  get setupLink(): string {
    const link = /https?:\/\/\S+\/setup#\S+/.exec(this.printed)?.[0];
    if (link === undefined) throw new Error(`no setup link in: ${this.printed}`);
    return link;
  }

  async start(): Promise<void> {
    this.printed = "";
    const child = this.#spawn(["hub", "start", "--port", String(this.port)]);
    this.#process = child;
    const timeout = AbortSignal.timeout(readyMs);
    while (!/\bready\b/.test(this.printed)) {
      if (child.exitCode !== null) throw new Error(`the hub ended: ${this.printed}`);
      if (timeout.aborted) throw new Error(`the hub is not ready: ${this.printed}`);
      await Promise.race([
        once(child.stdout!, "data"),
        once(child.stderr!, "data"),
        once(child, "exit"),
        once(timeout, "abort"),
      ]);
    }
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  /** It answers nothing for a while, like a machine that swaps; connections stay open. */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #init(): Promise<void> {
    const passwordFile = path.join(this.folder, "password");
    await writeFile(passwordFile, `${adminPassword}\n`, { mode: 0o600 });
    const child = this.#spawn(
      `hub init --admin ${adminName} --password-file`.split(" "),
      passwordFile,
    );
    const [code] = (await once(child, "exit")) as [number | null];
    if (code !== 0) throw new Error(`hub init ended with ${code}: ${this.printed}`);
  }

  #spawn(words: readonly string[], ...more: readonly string[]): ChildProcess {
    const data = path.join(this.folder, "data");
    const child = spawn(launcher, [...words, ...more, "--data", data], {
      env: { ...process.env, EVERSEED_ALLOWED_HOSTS: outsideName },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const keep = (chunk: Buffer): void => {
      this.printed += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    return child;
  }
}
