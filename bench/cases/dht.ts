import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { initHub } from "../../src/daemon/init-hub.ts";
import { openStore } from "../../src/store/open-store.ts";
import { freshFolder, row, type BenchCase, type BenchRow, type Sample } from "../bench-case.ts";
import { DhtNetwork, type DhtTraffic } from "../dht-network.ts";

const TORRENTS = 10_000;
const NODES = 192;
const FILE_BYTES = 16_384;
/** After the start: a program has joined, and its announces are evenly spread. */
const BEFORE_MS = 15_000;
const MEASURED_MS = 30_000;
/** The kernel counts CPU time in ticks. */
const TICKS_PER_SECOND = 100;
const SCRIPT = path.join(import.meta.dirname, "..", "peers", "libtorrent-dht.py");

interface Program {
  readonly name: string;
  /** @param first - A node to begin with; without one the DHT is off. */
  start(first: string | undefined): ChildProcess;
  /** It prints a line with this word when it is there. */
  readonly ready: string;
}

/** One program for half a minute. */
interface Measured {
  readonly traffic: DhtTraffic;
  readonly cpuSeconds: number;
  readonly memoryMiB: number;
}

/**
 * 10,000 torrents in a DHT of our own nodes on loopback: a hub whose catalogue has them, and a libtorrent that seeds them.
 * libtorrent announces one torrent a second at most, so it is measured as it comes and told to announce as many as ours.
 * A program without the DHT is measured too: the rest is what the DHT costs.
 */
export const dht: BenchCase = {
  name: "dht",
  about: `${TORRENTS} torrents in a DHT of ${NODES} nodes of ours, for ${MEASURED_MS / 1000} s`,
  run: async ({ copies, rounds, scratch, shrink }) => {
    const torrents = Math.ceil(TORRENTS / shrink);
    const data = path.join(scratch, "hub");
    await makeHub(data, torrents);
    const programs: Program[] = [
      ...copies.map(({ program, everseed }) => ours(program, everseed, data)),
      theirs("libtorrent", torrents),
    ];
    const found = new Map<string, Measured[]>();
    const note = (name: string, measured: Measured): void =>
      void found.set(name, [...(found.get(name) ?? []), measured]);
    for (let round = 0; round < rounds; round += 1) {
      let perSecond = 0;
      for (const program of programs) {
        note(`${program.name}, no DHT`, await measure(program, false));
        const measured = await measure(program, true);
        note(program.name, measured);
        if (perSecond === 0) perSecond = (measured.traffic.infohashes * 1000) / MEASURED_MS;
      }
      const hurried = theirs("libtorrent, as often", torrents, perSecond);
      note(hurried.name, await measure(hurried, true));
    }
    const rows: BenchRow[] = [];
    for (const [name, all] of found) {
      for (const each of all) console.log(words(name, each));
      if (all.some(({ traffic }) => traffic.infohashes === 0)) continue;
      // Of a whole round, at the rate of the half minute.
      const samples = all.map(({ traffic, cpuSeconds, memoryMiB }): Sample => {
        const rounds = traffic.infohashes / torrents;
        const seconds = MEASURED_MS / 1000 / rounds;
        return { seconds, cpuSeconds: cpuSeconds / rounds, peakMiB: memoryMiB };
      });
      rows.push(row("a round of announces", name, samples));
    }
    return rows;
  },
};

async function measure(program: Program, hasDht: boolean): Promise<Measured> {
  const network = await DhtNetwork.open(hasDht ? NODES : 1);
  const child = program.start(hasDht ? network.first : undefined);
  try {
    await saying(child, program.ready);
    await sleep(BEFORE_MS);
    network.reset();
    const before = cpuSecondsOf(child);
    await sleep(MEASURED_MS);
    const traffic = network.traffic();
    return { traffic, cpuSeconds: cpuSecondsOf(child) - before, memoryMiB: memoryMiBOf(child) };
  } finally {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    network.close();
  }
}

function words(name: string, { traffic, cpuSeconds, memoryMiB }: Measured): string {
  const { queries, outBytes, inBytes, announces, infohashes } = traffic;
  const seconds = MEASURED_MS / 1000;
  const per = (total: number, unit: number): string =>
    infohashes === 0 ? "-" : (total / infohashes / unit).toFixed(1);
  return (
    `${name}: ${(infohashes / seconds).toFixed(1)} torrents/s to ${per(announces, 1)} nodes each, ` +
    `${(queries / seconds).toFixed(0)} queries/s, ${(outBytes / seconds / 1000).toFixed(1)} kB/s out, ` +
    `${(inBytes / seconds / 1000).toFixed(1)} in; a torrent: ${per(queries, 1)} queries, ${per(outBytes, 1000)} kB out, ` +
    `${per(inBytes, 1000)} in, ${per(cpuSeconds, 0.001)} ms of CPU; ` +
    `${((cpuSeconds / seconds) * 100).toFixed(1)} % of a core, ${memoryMiB.toFixed(0)} MiB`
  );
}

function ours(name: string, everseed: string, data: string): Program {
  const words = ["hub", "start", "--data", data, "--host", "127.0.0.1", "--port", "0", "--json"];
  return {
    name,
    ready: "ready",
    start: (first) =>
      run([everseed, ...words], {
        EVERSEED_ENGINE_PORT: "0",
        EVERSEED_TRACKER_UDP_PORT: "0",
        EVERSEED_ROUTER_MAP_PORTS: "false",
        ...(first === undefined
          ? { EVERSEED_DISCOVERY_DHT: "false" }
          : { EVERSEED_DISCOVERY_DHT: "true", EVERSEED_DISCOVERY_DHT_BOOTSTRAP: first }),
      }),
  };
}

/** @param perSecond - Announces that it is told to make; left out, it makes its own. */
function theirs(name: string, torrents: number, perSecond?: number): Program {
  return {
    name,
    ready: "ready",
    start: (first) => {
      const words = [String(torrents), first ?? "127.0.0.1:1"];
      if (perSecond !== undefined) words.push(perSecond.toFixed(2));
      return run(["/usr/bin/python3", SCRIPT, ...words], {});
    },
  };
}

function run(command: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const [program, ...rest] = command;
  const stdio = ["ignore", "pipe", "inherit"] as const;
  return spawn(program!, rest, { stdio: [...stdio], env: { ...process.env, ...env } });
}

async function saying(child: ChildProcess, word: string): Promise<void> {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (!line.includes(`"${word}"`)) continue;
    child.stdout!.resume();
    return;
  }
  throw new Error(`it ended before it said "${word}"`);
}

function cpuSecondsOf({ pid }: ChildProcess): number {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function memoryMiBOf({ pid }: ChildProcess): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** A hub whose catalogue has so many torrents of one file each. Their content was checked just now and is not looked at. */
async function makeHub(dataDir: string, torrents: number): Promise<void> {
  freshFolder(dataDir);
  await initHub({ dataDir, adminName: "ann", password: "a harbour of fog", wantsToken: false });
  fs.chmodSync(dataDir, 0o700);
  const folder = path.join(dataDir, "torrents");
  fs.mkdirSync(folder, { recursive: true });
  const store = await openStore(path.join(dataDir, "everseed.db"));
  const now = Date.now();
  for (let number = 1; number <= torrents; number += 1) {
    const name = `file ${number}`;
    const info = dictOf({
      length: FILE_BYTES,
      name,
      "piece length": FILE_BYTES,
      pieces: createHash("sha1").update(name).digest(),
    });
    fs.writeFileSync(path.join(folder, `${number}.torrent`), encode(dictOf({ info })));
    await store.torrents.insert(
      {
        id: `t${number}`,
        infohash_v1: createHash("sha1").update(encode(info)).digest(),
        infohash_v2: null,
        kind: "v1",
        name,
        folder: 0,
        size: FILE_BYTES,
        file_count: 1,
        piece_size: FILE_BYTES,
        piece_count: 1,
        private: 0,
        comment: null,
        content_path: `content/${number}`,
        metainfo_path: `torrents/${number}.torrent`,
        publisher_id: "nobody",
        published_at: now,
        checked_at: now,
        trackers: "[]",
      },
      { words: "" },
    );
  }
  await store.close();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
