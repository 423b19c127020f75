import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";

const RUSAGE = path.join(import.meta.dirname, "peers", "rusage.py");

/** The cost of a finished process. */
export interface Cost {
  /** From its start to its end. */
  readonly wallSeconds: number;
  /** On the clock of `monotonicSeconds`. */
  readonly startedAt: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

/** A line of JSON that our commands and the scripts of other peers print. */
export type PeerEvent = Readonly<Record<string, unknown>> & { readonly event: string };

/** A process that is being watched. */
export interface Watched {
  /** Resolves with the next event of this kind. Rejects when the process ends without one. */
  event(kind: string): Promise<PeerEvent>;
  /** The newest `stats` event so far; `event` never returns these. */
  stats(): PeerEvent | undefined;
  stop(): void;
  /** The process has ended. */
  readonly cost: Promise<Cost>;
  readonly exitCode: Promise<number>;
}

/** The clock on which a process's start is measured. */
export function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/** Starts a command and reads its lines of JSON. Its errors go to our standard error. */
export function watch(command: readonly string[], scratch: string): Watched {
  const costFile = path.join(scratch, `cost-${process.hrtime.bigint()}.json`);
  const child = spawn("/usr/bin/python3", [RUSAGE, costFile, ...command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const events: PeerEvent[] = [];
  let stats: PeerEvent | undefined;
  const waiting: {
    kind: string;
    resolve: (event: PeerEvent) => void;
    reject: (e: Error) => void;
  }[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    if (!line.startsWith("{")) return;
    const event = JSON.parse(line) as PeerEvent;
    if (event.event === "stats") stats = event;
    const index = waiting.findIndex(({ kind }) => kind === event.event);
    if (index >= 0) waiting.splice(index, 1)[0]!.resolve(event);
    else if (event.event !== "stats") events.push(event);
  });
  const exitCode = new Promise<number>((resolve) =>
    child.once("close", (code) => resolve(code ?? -1)),
  );
  const cost = exitCode.then((code) => {
    for (const { kind, reject } of waiting) {
      reject(new Error(`${command.join(" ")} ended with ${code} before "${kind}"`));
    }
    const { user, system, peakKiB, started, ended } = JSON.parse(
      fs.readFileSync(costFile, "utf8"),
    ) as {
      user: number;
      system: number;
      peakKiB: number;
      started: number;
      ended: number;
    };
    return {
      wallSeconds: ended - started,
      startedAt: started,
      cpuSeconds: user + system,
      peakMiB: peakKiB / 1024,
    };
  });
  return {
    cost,
    exitCode,
    stats: () => stats,
    stop: () => child.kill("SIGTERM"),
    event: (kind) => {
      const index = events.findIndex((event) => event.event === kind);
      if (index >= 0) return Promise.resolve(events.splice(index, 1)[0]!);
      return new Promise((resolve, reject) => waiting.push({ kind, resolve, reject }));
    },
  };
}

/** Runs a command to its end. @throws When it fails. */
export async function run(command: readonly string[], scratch: string): Promise<Cost> {
  const watched = watch(command, scratch);
  const cost = await watched.cost;
  const code = await watched.exitCode;
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
  return cost;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
