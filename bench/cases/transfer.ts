import path from "node:path";
import {
  createTorrent,
  freshFolder,
  LIBTORRENT,
  row,
  writeData,
  type BenchCase,
  type BenchOptions,
  type BenchRow,
  type Copy,
  type Sample,
} from "../bench-case.ts";
import { watch } from "../measure.ts";

const MIB = 1024 * 1024;

interface Pair {
  readonly program: string;
  readonly seed: (torrent: string, folder: string) => readonly string[];
  readonly leech: (torrent: string, folder: string, port: number) => readonly string[];
}

/** How both programs exchange pieces. */
interface Way {
  /** Flags of ours. */
  readonly flags: readonly string[];
  /** The environment of each libtorrent that takes part, by the name in the table. */
  readonly libtorrents: Readonly<Record<string, readonly string[]>>;
  /** Each of them is also measured with ours on the other side, in both directions. */
  readonly isAcross?: boolean;
}

const PLAIN_TCP: Way = { flags: ["--transport", "tcp"], libtorrents: { libtorrent: [] } };
const RC4_TCP: Way = {
  flags: ["--transport", "tcp", "--encryption", "require"],
  libtorrents: { libtorrent: ["BENCH_RC4=1"] },
  isAcross: true,
};
/** How fast libtorrent is over uTP depends on its socket buffers most of all. */
const PLAIN_UTP: Way = {
  flags: ["--transport", "utp", "--encryption", "off", "--dht", "off"],
  libtorrents: {
    libtorrent: ["BENCH_UTP=1", "BENCH_DEFAULT_BUFFERS=1"],
    "its buffers 1 MiB": ["BENCH_UTP=1"],
  },
  isAcross: true,
};

function ours({ program, everseed }: Copy, flags: readonly string[]): Pair {
  const listen = ["--listen", "127.0.0.1:0", ...flags, "--json"];
  return {
    program,
    seed: (torrent, folder) => [everseed, "seed", torrent, "--data", folder, ...listen],
    leech: (torrent, folder, port) => {
      const peer = ["--peer", `127.0.0.1:${port}`];
      return [everseed, "get", torrent, "-o", folder, ...peer, ...listen];
    },
  };
}

function libtorrentPair(name: string, env: readonly string[]): Pair {
  const command = ["/usr/bin/env", ...env, ...LIBTORRENT];
  return {
    program: name,
    seed: (torrent, folder) => [...command, "seed", torrent, folder, "127.0.0.1"],
    leech: (torrent, folder, port) => {
      return [...command, "leech", torrent, folder, "127.0.0.1", String(port)];
    },
  };
}

/** Ours on one side and another program on the other. */
function pairsAcross(own: Pair, other: Pair): readonly Pair[] {
  const { program } = other;
  return [
    { program: `to ${program}`, seed: own.seed, leech: other.leech },
    { program: `from ${program}`, seed: other.seed, leech: own.leech },
  ];
}

/** One seed and one leecher, two processes: from the leecher's first message to the last piece. */
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

/** The programs alternate, so that a change of the machine's speed affects both. */
async function compare(
  { name, way = PLAIN_TCP }: { readonly name: string; readonly way?: Way },
  torrent: string,
  data: string,
  options: BenchOptions,
): Promise<BenchRow[]> {
  const own = options.copies.map((copy) => ours(copy, way.flags));
  const others = Object.entries(way.libtorrents).flatMap(([program, env]) => {
    const pair = libtorrentPair(program, env);
    return way.isAcross === true ? [pair, ...pairsAcross(own[0]!, pair)] : [pair];
  });
  const pairs = [...own, ...others];
  const samples = pairs.map((pair) => ({ pair, seed: [] as Sample[], leech: [] as Sample[] }));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { pair, seed, leech } of samples) {
      const sample = await transfer(pair, torrent, data, options);
      seed.push(sample.seed);
      leech.push(sample.leech);
    }
  }
  return samples.flatMap(({ pair, seed, leech }) => [
    row(`${name}, leecher`, pair.program, leech),
    row(`${name}, seed`, pair.program, seed),
  ]);
}

function oneFile(
  about: string,
  file: { name: string; what: string; mib: number; way: Way },
): BenchCase {
  const { name, what, mib, way } = file;
  return {
    name,
    about,
    run: async (options) => {
      const data = path.join(options.scratch, "data");
      writeData(path.join(data, "one.bin"), (mib * MIB) / options.shrink);
      const torrent = createTorrent(
        path.join(data, "one.bin"),
        path.join(options.scratch, "one.torrent"),
        ["--kind", "v1"],
      );
      return compare({ name: what, way }, torrent, data, options);
    },
  };
}

export const oneToOne = oneFile("1 GiB, one seed to one leecher over loopback", {
  name: "transfer",
  what: "1 GiB",
  mib: 1024,
  way: PLAIN_TCP,
});
export const rc4 = oneFile("the same with every byte under RC4, on both sides", {
  name: "rc4",
  what: "1 GiB under RC4",
  mib: 1024,
  way: RC4_TCP,
});
export const overUtp = oneFile("256 MiB, one seed to one leecher over uTP", {
  name: "utp",
  what: "256 MiB over uTP",
  mib: 256,
  way: PLAIN_UTP,
});

/** Many small files in a hundred folders. */
function manyFiles(name: string, count: number, fileBytes: number): BenchCase {
  const counted = count.toLocaleString("en");
  return {
    name,
    about: `${counted} files of ${fileBytes / 1024} KiB, one seed to one leecher over loopback`,
    run: async (options) => {
      const data = path.join(options.scratch, "data");
      for (let i = 0; i < count / options.shrink; i += 1) {
        writeData(path.join(data, "many", String(i % 100), `${i}.bin`), fileBytes, i + 1);
      }
      const file = path.join(options.scratch, "many.torrent");
      const torrent = createTorrent(path.join(data, "many"), file, ["--kind", "v1"]);
      return compare({ name: `${counted} files` }, torrent, data, options);
    },
  };
}

export const smallFiles = manyFiles("small-files", 10_000, 16_384);
export const tinyFiles = manyFiles("tiny-files", 200_000, 1024);
