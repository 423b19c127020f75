import path from "node:path";
import {
  createTorrent,
  EVERSEED,
  freshFolder,
  LIBTORRENT,
  row,
  writeData,
  type BenchCase,
  type BenchOptions,
  type BenchRow,
  type Sample,
} from "../bench-case.ts";
import { watch } from "../measure.ts";

const MIB = 1024 * 1024;

interface Pair {
  readonly program: string;
  readonly seed: (torrent: string, folder: string) => readonly string[];
  readonly leech: (torrent: string, folder: string, port: number) => readonly string[];
}

const PAIRS: readonly Pair[] = [
  {
    program: "everseed",
    seed: (torrent, folder) => [
      EVERSEED,
      "seed",
      torrent,
      "--data",
      folder,
      "--listen",
      "127.0.0.1:0",
      "--json",
    ],
    leech: (torrent, folder, port) => [
      EVERSEED,
      "get",
      torrent,
      "-o",
      folder,
      "--listen",
      "127.0.0.1:0",
      "--peer",
      `127.0.0.1:${port}`,
      "--json",
    ],
  },
  {
    program: "libtorrent",
    seed: (torrent, folder) => [...LIBTORRENT, "seed", torrent, folder, "127.0.0.1"],
    leech: (torrent, folder, port) => [
      ...LIBTORRENT,
      "leech",
      torrent,
      folder,
      "127.0.0.1",
      String(port),
    ],
  },
];

/** One seed, one leecher, two processes: from the leecher's first word to the last piece. */
async function transfer(
  pair: Pair,
  torrent: string,
  data: string,
  options: BenchOptions,
): Promise<{ seed: Sample; leech: Sample }> {
  const seed = watch(pair.seed(torrent, data), options.scratch);
  const { port } = await seed.event("ready");
  const out = freshFolder(path.join(options.scratch, "out"));
  const leech = watch(pair.leech(torrent, out, Number(port)), options.scratch);
  await leech.event("ready");
  const startedAt = performance.now();
  await leech.event("done");
  const seconds = (performance.now() - startedAt) / 1000;
  const leechCost = await leech.cost;
  seed.stop();
  const seedCost = await seed.cost;
  return { seed: { ...seedCost, seconds }, leech: { ...leechCost, seconds } };
}

/** The programs take turns, so that a change of the machine's speed meets both. */
async function compare(
  what: string,
  torrent: string,
  data: string,
  options: BenchOptions,
): Promise<BenchRow[]> {
  const samples = PAIRS.map((pair) => ({ pair, seed: [] as Sample[], leech: [] as Sample[] }));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { pair, seed, leech } of samples) {
      const sample = await transfer(pair, torrent, data, options);
      seed.push(sample.seed);
      leech.push(sample.leech);
    }
  }
  return samples.flatMap(({ pair, seed, leech }) => [
    row(`${what}, leecher`, pair.program, leech),
    row(`${what}, seed`, pair.program, seed),
  ]);
}

export const oneToOne: BenchCase = {
  name: "transfer",
  about: "1 GiB, one seed to one leecher over loopback",
  run: async (options) => {
    const data = path.join(options.scratch, "data");
    writeData(path.join(data, "one.bin"), (1024 * MIB) / options.shrink);
    const torrent = createTorrent(
      path.join(data, "one.bin"),
      path.join(options.scratch, "one.torrent"),
      ["--kind", "v1"],
    );
    return compare("1 GiB", torrent, data, options);
  },
};

export const smallFiles: BenchCase = {
  name: "small-files",
  about: "10,000 files of 16 KiB, one seed to one leecher over loopback",
  run: async (options) => {
    const data = path.join(options.scratch, "data");
    const count = 10_000 / options.shrink;
    for (let i = 0; i < count; i += 1) {
      writeData(path.join(data, "many", String(i % 100), `${i}.bin`), 16_384, i + 1);
    }
    const torrent = createTorrent(
      path.join(data, "many"),
      path.join(options.scratch, "many.torrent"),
      ["--kind", "v1"],
    );
    return compare("10,000 files", torrent, data, options);
  },
};
