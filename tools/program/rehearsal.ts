import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

/** A run that takes longer than this hangs. */
const RUN_MS_MAX = 60_000;
const CONTENT_BYTES = 3_000_000;
const HOST = "127.0.0.1";

/**
 * Runs a recording bundle as users run the program: each run adds the functions that it used to the compiled code
 * beside the chunks.
 *
 * @param program - The folder of the bundle.
 * @throws When a run fails. The code recorded until then can be used.
 */
export async function rehearse(program: string): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "everseed-rehearsal-"));
  const stage = new Stage(path.join(program, "everseed.cjs"), folder);
  try {
    const content = path.join(folder, "content");
    await mkdir(content);
    await writeFile(path.join(content, "tides.bin"), Buffer.alloc(CONTENT_BYTES, "tide"));
    await writeFile(path.join(content, "notes.txt"), "high water\n");
    await stage.run("--help");
    await stage.run("get", "--help");
    for (const kind of ["v1", "hybrid"]) {
      const torrent = `${kind}.torrent`;
      await stage.run("create", "content", "--kind", kind, "-o", torrent);
      await stage.run("show", torrent);
      await stage.run("check", torrent, ".");
      await exchange(stage, torrent);
    }
    await startHub(stage);
    await startNode(stage, "v1.torrent");
  } finally {
    stage.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs twice, because concurrent processes do not see what the other has written. */
async function exchange(stage: Stage, torrent: string): Promise<void> {
  for (const end of ["SIGTERM", "SIGKILL"] as const) {
    const seed = stage.start("seed", torrent, "--data", ".", "--listen", `${HOST}:0`, "--json");
    const { port } = await eventOf(seed, "ready");
    const out = `got-${torrent}-${end}`;
    const listen = ["--listen", `${HOST}:0`, "--peer", `${HOST}:${String(port)}`];
    await stage.run("get", torrent, "-o", out, ...listen, "--json");
    await stage.stop(seed, end);
  }
}

async function startHub(stage: Stage): Promise<void> {
  const hub = stage.start("hub", "start", "--data", "hub", "--host", HOST, "--port", "0", "--json");
  const { port } = await eventOf(hub, "ready");
  const reply = await fetch(`http://${HOST}:${String(port)}/`);
  await reply.text();
  await stage.stop(hub, "SIGTERM");
}

async function startNode(stage: Stage, torrent: string): Promise<void> {
  const node = stage.start("daemon", "start", "--foreground", "--json");
  await eventOf(node, "ready");
  await stage.run("add", torrent, "-o", ".");
  await stage.run("ls");
  await stage.run("daemon", "status");
  await stage.run("daemon", "stop");
}

/** Waits for a line of JSON. */
async function eventOf(child: ChildProcess, event: string): Promise<Record<string, unknown>> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.startsWith("{")) continue;
    const told = JSON.parse(line) as Record<string, unknown>;
    if (told["event"] === event) {
      child.stdout!.resume();
      return told;
    }
  }
  throw new Error(`the program ended before "${event}"`);
}

/** Where a bundle runs: in a separate folder with a separate home. */
class Stage {
  readonly #main: string;
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();

  constructor(main: string, folder: string) {
    this.#main = main;
    this.#folder = folder;
  }

  start(...args: readonly string[]): ChildProcess {
    const { PATH } = process.env;
    const child = spawn(process.execPath, [this.#main, ...args], {
      cwd: this.#folder,
      env: {
        PATH,
        LD_LIBRARY_PATH: process.env["LD_LIBRARY_PATH"],
        HOME: this.#folder,
        EVERSEED_HOME: path.join(this.#folder, "node"),
        EVERSEED_ENGINE_PORT: "0",
        EVERSEED_TRACKER_UDP_PORT: "0",
        // Nothing leaves this machine: no router, no neighbours, and a DHT in which nobody answers.
        EVERSEED_ROUTER_MAP_PORTS: "false",
        EVERSEED_DISCOVERY_LSD: "false",
        EVERSEED_DISCOVERY_DHT_BOOTSTRAP: "127.0.0.1:9",
      },
      stdio: ["ignore", "pipe", "ignore"],
      timeout: RUN_MS_MAX,
      killSignal: "SIGKILL",
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return child;
  }

  async run(...args: readonly string[]): Promise<void> {
    const child = this.start(...args);
    child.stdout!.resume();
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    if (code !== 0) throw new Error(`everseed ${args.join(" ")} ended with ${code ?? signal}`);
  }

  async stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    const ended = once(child, "close");
    child.kill(signal);
    await ended;
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}
