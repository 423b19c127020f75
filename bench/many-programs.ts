import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";
import { dictOf, encode } from "../src/bencode/encode.ts";
import type { Copy } from "./bench-case.ts";
import { type ManyTorrents, writeState, writeTorrents } from "./many-torrents.ts";
import { monotonicSeconds } from "./measure.ts";

export const HOST = "127.0.0.1";
const LIBTORRENT_MANY = path.join(import.meta.dirname, "peers", "libtorrent-many.py");
/** Clock ticks a second of `/proc`. */
const TICKS = 100;

/** A program that starts with many finished torrents. */
export interface ManyProgram {
  readonly program: string;
  /** What an earlier run has left behind. */
  prepare(many: ManyTorrents, folder: string): Promise<void>;
  start(many: ManyTorrents, folder: string): Promise<RunningProgram>;
}

export interface RunningProgram {
  readonly startedAt: number;
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** A node of ours. */
export function ourNode({ program, everseed }: Copy): ManyProgram {
  return {
    program,
    prepare: (many, folder) => writeState(many, path.join(folder, "state")),
    start: (_many, folder) =>
      startTelling([everseed, "daemon", "start", "--foreground", "--json"], {
        ...ENV,
        EVERSEED_HOME: folder,
      }),
  };
}

/** A hub of ours, whose administrator keeps them. */
export function ourHub({ program, everseed }: Copy): ManyProgram {
  return {
    program: `${program}, a hub`,
    prepare: (many, folder) => writeState(many, path.join(folder, "data")),
    start: (_many, folder) => {
      const data = path.join(folder, "data");
      const words = [everseed, "hub", "start", "--data", data, "--port", "0", "--json"];
      return startTelling(words, ENV);
    },
  };
}

const ENV = {
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? "/",
  EVERSEED_HOST: HOST,
  EVERSEED_ENGINE_HOST: HOST,
  EVERSEED_ENGINE_PORT: "0",
  EVERSEED_DISCOVERY_DHT: "false",
  EVERSEED_DISCOVERY_LSD: "false",
  EVERSEED_ROUTER_MAP_PORTS: "false",
};

export const LIBTORRENT_WITH_MANY: ManyProgram = {
  program: "libtorrent",
  prepare: async (many, folder) => writeTorrents(many, path.join(folder, "torrents")),
  start: (many, folder) => {
    const torrents = path.join(folder, "torrents");
    const words = ["/usr/bin/python3", LIBTORRENT_MANY, torrents, `${many.count}`, many.content];
    return startTelling([...words, HOST], process.env);
  },
};

/** Debian's transmission-daemon, by its own state: .torrent files and resumes. */
export const TRANSMISSION: ManyProgram = {
  program: "transmission",
  prepare: async (many, folder) => {
    const torrents = path.join(folder, "torrents");
    const resumes = path.join(folder, "resume");
    fs.mkdirSync(torrents, { recursive: true });
    fs.mkdirSync(resumes, { recursive: true });
    for (let index = 0; index < many.count; index += 1) {
      const infohash = Buffer.from(many.infohash(index)).toString("hex");
      const name = `tiny.bin.${infohash.slice(0, 16)}`;
      fs.writeFileSync(path.join(torrents, `${name}.torrent`), many.torrent(index));
      fs.writeFileSync(path.join(resumes, `${name}.resume`), resumeOf(many));
    }
  },
  start: async (many, folder) => {
    const port = await freePort();
    fs.writeFileSync(
      path.join(folder, "settings.json"),
      JSON.stringify({
        "bind-address-ipv4": HOST,
        "dht-enabled": false,
        "download-dir": many.content,
        encryption: 0,
        "lpd-enabled": false,
        "peer-port": port,
        "peer-port-random-on-start": false,
        "pex-enabled": false,
        "port-forwarding-enabled": false,
        "rpc-enabled": false,
        "seed-queue-enabled": false,
        "utp-enabled": false,
      }),
    );
    const startedAt = monotonicSeconds();
    const words = ["--foreground", "--config-dir", folder, "--log-error"];
    const child = spawn("/usr/bin/transmission-daemon", words, { stdio: "ignore" });
    return { startedAt, pid: child.pid!, port, stop: () => stopChild(child) };
  },
};

function resumeOf({ content }: ManyTorrents): Uint8Array {
  return encode(
    dictOf({
      "added-date": 1_790_000_000,
      destination: content,
      "done-date": 1_790_000_000,
      paused: 0,
      progress: dictOf({ blocks: "all", "time-checked": [1_900_000_000] }),
    }),
  );
}

/** Starts a program that tells its port and its process. */
async function startTelling(
  [command, ...words]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<RunningProgram> {
  const startedAt = monotonicSeconds();
  const child = spawn(command!, words, { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("{")) continue;
    const told = JSON.parse(line) as Readonly<Record<string, unknown>>;
    if (told["event"] !== "ready") continue;
    child.stdout.resume();
    const port = Number(told["peerPort"] ?? told["port"]);
    return { startedAt, pid: child.pid!, port, stop: () => stopChild(child) };
  }
  throw new Error(`${command} ended before it was ready`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, "close");
  child.kill("SIGTERM");
  await closed;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** CPU seconds of a process so far, of all its threads. */
export function cpuSecondsOf(pid: number): number {
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** MiB that a process has in memory. */
export function residentMiBOf(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}
