import fs from "node:fs";
import path from "node:path";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { row, REPOSITORY, type BenchCase, type Sample } from "../bench-case.ts";
import { watch } from "../measure.ts";

const FILES = 200_000;
const PIECES = 3_000_000;
const PIECE_BYTES = 16_384;

/** Many small files in folders of 500, like a collection of pictures. */
function manyFiles(files: number): Uint8Array {
  let bytes = 0;
  const list = Array.from({ length: files }, (_, index) => {
    const length = 1000 + (index % 5000);
    bytes += length;
    const folder = `folder ${String(Math.floor(index / 500)).padStart(3, "0")}`;
    return dictOf({
      length,
      path: [folder, `picture number ${String(index).padStart(6, "0")}.jpeg`],
    });
  });
  return torrent({ files: list }, bytes, 262_144);
}

function manyPieces(pieces: number): Uint8Array {
  return torrent({ length: pieces * PIECE_BYTES }, pieces * PIECE_BYTES, PIECE_BYTES);
}

function torrent(
  content: Parameters<typeof dictOf>[0],
  bytes: number,
  pieceLength: number,
): Uint8Array {
  const pieces = new Uint8Array(Math.ceil(bytes / pieceLength) * 20);
  for (let at = 0; at < pieces.length; at += 1) pieces[at] = Math.imul(at, 2_654_435_761) >>> 24;
  const info = dictOf({ ...content, name: "many", "piece length": pieceLength, pieces });
  return encode(dictOf({ announce: "http://tracker.example/announce", info }));
}

function silent(...command: string[]): string[] {
  return ["/bin/sh", "-c", 'exec "$0" "$@" >/dev/null', ...command];
}

const LIBTORRENT_SHOW = [
  "/usr/bin/python3",
  path.join(REPOSITORY, "bench", "peers", "libtorrent-show.py"),
];

export const show: BenchCase = {
  name: "show",
  about: "showing a .torrent of 200,000 files, and one of 3 million pieces; whole process",
  run: async ({ copies, rounds, scratch, shrink }) => {
    const files = path.join(scratch, "files.torrent");
    const pieces = path.join(scratch, "pieces.torrent");
    fs.writeFileSync(files, manyFiles(FILES / shrink));
    fs.writeFileSync(pieces, manyPieces(PIECES / shrink));
    const ours = (what: string, ...words: string[]) =>
      copies.map(({ program, everseed }) => ({
        what,
        program,
        command: silent(everseed, ...words),
      }));
    const columns = [
      ...ours("show, files", "show", files),
      { what: "show, files", program: "libtorrent", command: silent(...LIBTORRENT_SHOW, files) },
      ...ours("show, pieces", "show", pieces),
      { what: "show, pieces", program: "libtorrent", command: silent(...LIBTORRENT_SHOW, pieces) },
      ...ours("show --json, files", "show", "--json", files),
      ...ours("show --json, pieces", "show", "--json", pieces),
    ];
    const samples = columns.map(() => [] as Sample[]);
    // The first round fills the caches: code that is compiled once, files in memory.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, { command }] of columns.entries()) {
        const run = watch(command, scratch);
        if ((await run.exitCode) !== 0) throw new Error(`${command.join(" ")} failed`);
        const { wallSeconds, cpuSeconds, peakMiB } = await run.cost;
        if (round > 0) samples[index]!.push({ seconds: wallSeconds, cpuSeconds, peakMiB });
      }
    }
    return columns.map(({ what, program }, index) => row(what, program, samples[index]!));
  },
};
