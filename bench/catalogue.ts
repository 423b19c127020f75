/**
 * Measures the catalogue and its search with 100,000 torrents; run by hand: `tools/run node bench/catalogue.ts
 * [TORRENTS]`. The goal is 100 ms for every page.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openStore } from "../src/store/open-store.ts";
import { median } from "./measure.ts";

const ROUNDS = 9;
const PAGE = 50;
const torrents = Number(process.argv[2] ?? 100_000);

/** Words as in people's file names: a few that occur everywhere, many that are rare. */
const common = "the of talks recordings part video slides backup photos archive".split(" ");
const syllables = "ba ke li mo nu ra se ti vo wy har bour ring tide net fog lan tern quay".split(
  " ",
);
let state = 7;
function below(bound: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state % bound;
}
const rare = Array.from({ length: 40_000 }, () =>
  Array.from({ length: 3 + below(2) }, () => syllables[below(syllables.length)]).join(""),
);
const word = (): string =>
  (below(3) === 0 ? common : rare)[below(below(3) === 0 ? 10 : 40_000)] ?? "of";

const folder = await mkdtemp(path.join(tmpdir(), "everseed-catalogue-"));
try {
  const store = await openStore(path.join(folder, "everseed.db"));
  const begun = performance.now();
  for (let number = 1; number <= torrents; number += 1) {
    const infohash = new Uint8Array(32);
    new DataView(infohash.buffer).setUint32(0, Math.imul(number, 2_654_435_761) >>> 0);
    await store.torrents.insert(
      {
        id: `t${number}`,
        infohash_v1: infohash.slice(0, 20),
        infohash_v2: infohash,
        kind: "hybrid",
        name: `${word()} ${word()} ${word()} ${number}`,
        folder: 1,
        size: 1000 + number,
        file_count: 12,
        piece_size: 16_384,
        piece_count: 1,
        private: 0,
        comment: null,
        content_path: `content/${number}/0123456789abcdef0123456789abcdef01234567`,
        metainfo_path: `torrents/${number}/0123456789abcdef0123456789abcdef01234567.torrent`,
        publisher_id: "nobody",
        published_at: 1_790_000_000_000 + number,
        checked_at: 1_790_000_000_000 + number,
        trackers: "[]",
      },
      { words: Array.from({ length: 12 }, word).join(" ") },
    );
  }
  const each = (performance.now() - begun) / torrents;
  console.log(`${torrents} torrents; publishing one: ${each.toFixed(2)} ms`);

  const known = rare[11] ?? "";
  const searches: [what: string, query: string, page: number][] = [
    ["first page", "", 1],
    ["page in the middle", "", Math.ceil(torrents / PAGE / 2)],
    ["last page", "", Math.ceil(torrents / PAGE)],
    ["a word nobody else has", "99999", 1],
    ["a rare word", known, 1],
    ["a word that is everywhere", "talks", 1],
    ["... its last page", "talks", Math.ceil(torrents / PAGE / 3)],
    ["one letter", "t", 1],
    ["three words", "talks slides har", 1],
    ["ten one-letter words", "t s r a h l m n q v", 1],
    ["nothing", "zzzzzz", 1],
    ["a word with a wrong letter", `${known.slice(0, 2)}x${known.slice(3)}`, 1],
    ["two letters swapped", "tlaks slides", 1],
    [
      "ten wrong words, one hopeless",
      "tlaks sildes vidoe backpu pohtos achive prat reordings harbuor trntle",
      1,
    ],
  ];
  for (const [what, query, page] of searches) {
    const took: number[] = [];
    let total = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = performance.now();
      const found = await store.torrents.search({ query, limit: PAGE, offset: (page - 1) * PAGE });
      took.push(performance.now() - start);
      total = found.total;
    }
    const [first, middle] = [took[0] ?? 0, median(took)];
    console.log(
      `${what.padEnd(29)} ${middle.toFixed(1).padStart(6)} ms, first ${first.toFixed(1)} ms, ${total} found`,
    );
  }
  await store.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
