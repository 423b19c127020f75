import fs from "node:fs";
import path from "node:path";
import {
  LIBTORRENT,
  row,
  writeData,
  createTorrent,
  type BenchCase,
  type BenchOptions,
  type BenchRow,
  type Copy,
  type Sample,
} from "../bench-case.ts";
import { run } from "../measure.ts";

const GIB = 1024 * 1024 * 1024;
const PIECE_EXPONENT = 20;

interface Program {
  readonly what: string;
  readonly program: string;
  readonly command: (source: string, torrent: string) => readonly string[];
}

function ours(kind: string, { program, everseed }: Copy): Program {
  return {
    what: `create 4 GiB ${kind}`,
    program,
    command: (source, torrent) => [
      everseed,
      "create",
      source,
      "-o",
      torrent,
      "--kind",
      kind,
      "--piece-size",
      String(2 ** PIECE_EXPONENT),
      "--no-date",
      "-q",
    ],
  };
}

function libtorrent(kind: string): Program {
  const script = path.join(import.meta.dirname, "..", "peers", "libtorrent-create.py");
  return {
    what: `create 4 GiB ${kind}`,
    program: "libtorrent",
    command: (source, torrent) => [
      "/usr/bin/python3",
      script,
      kind,
      source,
      torrent,
      String(2 ** PIECE_EXPONENT),
    ],
  };
}

const MKTORRENT: Program = {
  what: "create 4 GiB v1",
  program: "mktorrent -t 2",
  command: (source, torrent) => [
    "mktorrent",
    "-t",
    "2",
    "-l",
    String(PIECE_EXPONENT),
    "-d",
    "-o",
    torrent,
    source,
  ],
};

/** Each kind by each program that can make it. */
function programs(copies: readonly Copy[]): readonly Program[] {
  const each = (kind: string): Program[] => copies.map((copy) => ours(kind, copy));
  return [
    ...each("v1"),
    MKTORRENT,
    libtorrent("v1"),
    ...each("v2"),
    libtorrent("v2"),
    ...each("hybrid"),
    libtorrent("hybrid"),
  ];
}

async function measure(
  programs: readonly (Program & { once: () => Promise<Sample> })[],
  rounds: number,
): Promise<BenchRow[]> {
  const samples = programs.map(() => [] as Sample[]);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, program] of programs.entries()) samples[index]!.push(await program.once());
  }
  return programs.map((program, index) => row(program.what, program.program, samples[index]!));
}

function prepare(options: BenchOptions): string {
  const source = path.join(options.scratch, "data", "four.bin");
  writeData(source, (4 * GIB) / options.shrink);
  // Run once, so that every program finds the file in memory.
  const handle = fs.openSync(source, "r");
  const buffer = Buffer.alloc(1 << 20);
  while (fs.readSync(handle, buffer) > 0);
  fs.closeSync(handle);
  return source;
}

export const create: BenchCase = {
  name: "create",
  about: "creating a torrent of 4 GiB, pieces of 1 MiB, whole process",
  run: async (options) => {
    const source = prepare(options);
    const torrent = path.join(options.scratch, "made.torrent");
    const each = programs(options.copies).map((program) => ({
      ...program,
      once: async (): Promise<Sample> => {
        fs.rmSync(torrent, { force: true });
        const cost = await run(program.command(source, torrent), options.scratch);
        return { ...cost, seconds: cost.wallSeconds };
      },
    }));
    return measure(each, options.rounds);
  },
};

export const check: BenchCase = {
  name: "check",
  about: "checking 4 GiB against its torrent, whole process",
  run: async (options) => {
    const source = prepare(options);
    const torrent = createTorrent(source, path.join(options.scratch, "four.torrent"), [
      "--kind",
      "v1",
      "--piece-size",
      String(2 ** PIECE_EXPONENT),
    ]);
    const folder = path.dirname(source);
    const commands: readonly Program[] = [
      ...options.copies.map(({ program, everseed }) => ({
        what: "check 4 GiB",
        program,
        command: () => [everseed, "check", torrent, folder, "-q"],
      })),
      {
        what: "check 4 GiB",
        program: "libtorrent",
        command: () => [...LIBTORRENT, "check", torrent, folder],
      },
    ];
    const programs = commands.map((program) => ({
      ...program,
      once: async (): Promise<Sample> => {
        const cost = await run(program.command(source, torrent), options.scratch);
        return { ...cost, seconds: cost.wallSeconds };
      },
    }));
    return measure(programs, options.rounds);
  },
};
