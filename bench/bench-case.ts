import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { median, type Cost } from "./measure.ts";

export const REPOSITORY = path.join(import.meta.dirname, "..");
export const EVERSEED = path.join(REPOSITORY, "bin", "everseed");
export const LIBTORRENT = [
  "/usr/bin/python3",
  path.join(import.meta.dirname, "peers", "libtorrent-peer.py"),
];

/** One checkout of ours whose program takes part in a run. */
export interface Copy {
  readonly program: string;
  /** Path of its `bin/everseed`. */
  readonly everseed: string;
}

export const THIS_COPY: Copy = { program: "everseed", everseed: EVERSEED };

/** Another checkout, after `npm ci`, to be compared with this one. */
export function copyBefore(folder: string): Copy {
  return { program: "everseed before", everseed: path.resolve(folder, "bin", "everseed") };
}

export interface BenchOptions {
  /** This checkout's program first; then perhaps one from before. */
  readonly copies: readonly Copy[];
  readonly rounds: number;
  /** A folder that is removed afterwards. */
  readonly scratch: string;
  /** Divides the sizes, for a quick trial of a case. */
  readonly shrink: number;
}

/** A measured quantity of one program: a column of medians. */
export interface BenchRow {
  readonly what: string;
  readonly program: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

export interface BenchCase {
  readonly name: string;
  readonly about: string;
  run(options: BenchOptions): Promise<readonly BenchRow[]>;
}

/** One round of one program. `seconds` is the time that the case measures; it may exclude the start-up. */
export interface Sample extends Pick<Cost, "cpuSeconds" | "peakMiB"> {
  readonly seconds: number;
}

export function row(what: string, program: string, samples: readonly Sample[]): BenchRow {
  return {
    what,
    program,
    seconds: median(samples.map((sample) => sample.seconds)),
    cpuSeconds: median(samples.map((sample) => sample.cpuSeconds)),
    peakMiB: median(samples.map((sample) => sample.peakMiB)),
  };
}

/** Bytes that do not compress and differ from block to block. */
export function writeData(file: string, bytes: number, seed = 1): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const handle = fs.openSync(file, "w");
  const chunk = new Uint32Array(Math.min(1 << 18, Math.ceil(bytes / 4)));
  let state = seed | 1;
  for (let at = 0; at < bytes; at += chunk.byteLength) {
    for (let i = 0; i < chunk.length; i += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      chunk[i] = state;
    }
    fs.writeSync(handle, new Uint8Array(chunk.buffer, 0, Math.min(chunk.byteLength, bytes - at)));
  }
  fs.closeSync(handle);
}

/** Makes a torrent of a path with our own `create`. @returns The .torrent's path. */
export function createTorrent(source: string, torrent: string, options: readonly string[]): string {
  execFileSync(EVERSEED, ["create", source, "-o", torrent, "--no-date", ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return torrent;
}

/** The command with an empty home, where no earlier run has left compiled code. */
export function inEmptyHome(home: string, command: readonly string[]): readonly string[] {
  const folder = freshFolder(home);
  return ["/usr/bin/env", `HOME=${folder}`, `XDG_CACHE_HOME=${folder}`, ...command];
}

/** Emptied and created again, so that every round begins alike. */
export function freshFolder(folder: string): string {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}
