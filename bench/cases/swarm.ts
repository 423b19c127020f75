import fs from "node:fs";
import http from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { encode } from "../../src/bencode/encode.ts";
import {
  createTorrent,
  freshFolder,
  inEmptyHome,
  LIBTORRENT,
  row,
  writeData,
  type BenchCase,
  type BenchOptions,
  type BenchRow,
  type Copy,
  type Sample,
} from "../bench-case.ts";
import { monotonicSeconds, watch, type Watched } from "../measure.ts";

const MIB = 1024 * 1024;
const LEECHERS = 10;
const HOST = "127.0.0.1";

interface Program {
  readonly name: string;
  readonly seed: (torrent: string, folder: string) => readonly string[];
  readonly leech: (torrent: string, folder: string) => readonly string[];
}

const LISTEN = ["--listen", `${HOST}:0`, "--json"];

function ours({ program, everseed }: Copy): Program {
  return {
    name: program,
    seed: (torrent, folder) => [everseed, "seed", torrent, "--data", folder, ...LISTEN],
    leech: (torrent, folder) => [everseed, "get", torrent, "-o", folder, ...LISTEN],
  };
}

const LIBTORRENT_PROGRAM: Program = {
  name: "libtorrent",
  seed: (torrent, folder) => [...LIBTORRENT, "seed", torrent, folder, HOST],
  leech: (torrent, folder) => [...LIBTORRENT, "leech", torrent, folder, HOST],
};

/**
 * A tracker of one swarm that serves every program alike: it tells each peer all others, and asks it to announce again
 * after two seconds, because all leechers start at once.
 */
class SwarmTracker {
  readonly #ports = new Set<number>();
  readonly #server = http.createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://tracker");
    const port = Number(searchParams.get("port"));
    const peers = Buffer.from(
      [...this.#ports]
        .filter((each) => each !== port)
        .flatMap((each) => [127, 0, 0, 1, each >> 8, each & 255]),
    );
    if (searchParams.get("event") === "stopped") this.#ports.delete(port);
    else this.#ports.add(port);
    response.end(
      encode(
        new Map<string, number | Uint8Array>([
          ["interval", 2],
          ["min interval", 1],
          ["peers", peers],
        ]),
      ),
    );
  });

  async open(): Promise<string> {
    this.#server.listen(0, HOST);
    await once(this.#server, "listening");
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}/announce`;
  }

  clear(): void {
    this.#ports.clear();
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

interface Swarm {
  readonly torrent: string;
  readonly data: string;
  readonly bytes: number;
  readonly tracker: SwarmTracker;
  /** An empty home for each process, where programs store compiled code. */
  readonly home: string;
}

interface Round {
  readonly all: Sample;
  readonly copies: number;
}

/** From the start of the first leecher until the last has everything. The CPU time is that of all eleven. */
async function exchange(program: Program, swarm: Swarm, options: BenchOptions): Promise<Round> {
  swarm.tracker.clear();
  const out = freshFolder(path.join(options.scratch, "out"));
  const start = (name: string, command: readonly string[]): Watched =>
    watch(inEmptyHome(path.join(swarm.home, name), command), options.scratch);
  const seed = start("seed", program.seed(swarm.torrent, swarm.data));
  await seed.event("ready");
  const begin = monotonicSeconds();
  const leechers = Array.from({ length: LEECHERS }, (_, index) =>
    start(`${index}`, program.leech(swarm.torrent, path.join(out, `${index}`))),
  );
  await Promise.all(leechers.map((each) => each.event("done")));
  const seconds = monotonicSeconds() - begin;
  const costs = await Promise.all(leechers.map((each) => each.cost));
  // Ours reports its upload each second, libtorrent at the end.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  seed.stop();
  const whole = [...costs, await seed.cost];
  return {
    all: {
      seconds,
      cpuSeconds: whole.reduce((sum, each) => sum + each.cpuSeconds, 0),
      peakMiB: Math.max(...whole.map((each) => each.peakMiB)),
    },
    copies: Number(seed.stats()?.uploaded) / swarm.bytes,
  };
}

function swarmCase(name: string, what: string, mebibytes: number): BenchCase {
  return {
    name,
    about: `${what}, one seed and ${LEECHERS} leecher processes with empty homes; CPU of all, peak of the largest`,
    run: async (options) => {
      const data = path.join(options.scratch, "data");
      const file = path.join(data, "one.bin");
      writeData(file, (mebibytes * MIB) / options.shrink);
      const tracker = new SwarmTracker();
      const url = await tracker.open();
      try {
        const torrent = createTorrent(file, path.join(options.scratch, "one.torrent"), [
          "--kind",
          "v1",
          "--tracker",
          url,
        ]);
        const home = path.join(options.scratch, "home");
        const bytes = fs.statSync(file).size;
        return await compare(what, { torrent, data, bytes, tracker, home }, options);
      } finally {
        tracker.close();
      }
    },
  };
}

async function compare(what: string, swarm: Swarm, options: BenchOptions): Promise<BenchRow[]> {
  const programs = [...options.copies.map(ours), LIBTORRENT_PROGRAM];
  const rounds = programs.map((program) => ({ program, seen: [] as Round[] }));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { program, seen } of rounds) seen.push(await exchange(program, swarm, options));
  }
  for (const { program, seen } of rounds) {
    const copies = seen.map((each) => each.copies.toFixed(1)).join(", ");
    console.log(`${program.name}: copies sent by the seed in each round: ${copies}`);
  }
  return rounds.map(({ program, seen }) =>
    row(
      what,
      program.name,
      seen.map((each) => each.all),
    ),
  );
}

export const swarmSmall = swarmCase("swarm", "128 MiB", 128);
export const swarmLarge = swarmCase("swarm-large", "1 GiB", 1024);
