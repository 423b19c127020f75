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

function ours({ program, everseed }: Copy, isEncrypted: boolean): Pair {
  const mode = isEncrypted ? ["--encryption", "require"] : [];
  // libtorrent has no uTP here.
  const listen = ["--listen", "127.0.0.1:0", "--transport", "tcp", ...mode, "--json"];
  return {
    program,
    seed: (torrent, folder) => [everseed, "seed", torrent, "--data", folder, ...listen],
    leech: (torrent, folder, port) => {
      const peer = ["--peer", `127.0.0.1:${port}`];
      return [everseed, "get", torrent, "-o", folder, ...peer, ...listen];
    },
  };
}

function libtorrents(isEncrypted: boolean): Pair {
  const program = isEncrypted ? ["/usr/bin/env", "BENCH_RC4=1", ...LIBTORRENT] : LIBTORRENT;
  return {
    program: "libtorrent",
    seed: (torrent, folder) => [...program, "seed", torrent, folder, "127.0.0.1"],
    leech: (torrent, folder, port) => {
      return [...program, "leech", torrent, folder, "127.0.0.1", String(port)];
    },
  };
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

/**
 * The programs alternate, so that a change of the machine's speed affects both.
 *
 * @param what.isEncrypted - Every byte goes under RC4.
 */
async function compare(
  { name, isEncrypted = false }: { readonly name: string; readonly isEncrypted?: boolean },
  torrent: string,
  data: string,
  options: BenchOptions,
): Promise<BenchRow[]> {
  const own = options.copies.map((copy) => ours(copy, isEncrypted));
  const pairs = [...own, libtorrents(isEncrypted)];
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

function oneFile(name: string, about: string, isEncrypted: boolean): BenchCase {
  return {
    name,
    about,
    run: async (options) => {
      const data = path.join(options.scratch, "data");
      writeData(path.join(data, "one.bin"), (1024 * MIB) / options.shrink);
      const torrent = createTorrent(
        path.join(data, "one.bin"),
        path.join(options.scratch, "one.torrent"),
        ["--kind", "v1"],
      );
      const what = isEncrypted ? "1 GiB under RC4" : "1 GiB";
      return compare({ name: what, isEncrypted }, torrent, data, options);
    },
  };
}

export const oneToOne = oneFile("transfer", "1 GiB, one seed to one leecher over loopback", false);
export const rc4 = oneFile("rc4", "the same with every byte under RC4, on both sides", true);

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
