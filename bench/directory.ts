import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "../src/store/open-store.ts";
import { KnownTotals } from "../src/tracker/known-totals.ts";
import { TorrentDirectory } from "../src/tracker/torrent-directory.ts";

/**
 * `tools/run node --expose-gc bench/directory.ts [TORRENTS]`: measures the memory of the tracker's directory of
 * torrents and of the totals of their swarms, the time to read them from the database at the start, and one lookup of
 * a torrent.
 */
const count = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), "everseed-directory-"));
const path = join(folder, "everseed.db");

/** Memory that the system has given to this process for good. */
function memoryMiB(): number {
  for (let i = 0; i < 4; i += 1) globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return (heapUsed + external + Math.max(0, arrayBuffers - external)) / 1024 / 1024;
}

function measure<Made>(what: string, make: () => Made): Made {
  const [before, begun] = [memoryMiB(), process.cpuUsage()];
  const made = make();
  const { user, system } = process.cpuUsage(begun);
  const mib = memoryMiB() - before;
  const cpuS = (user + system) / 1e6;
  console.log(`${what}: ${mib.toFixed(1)} MiB, read in ${cpuS.toFixed(1)} s of CPU`);
  return made;
}

/** Fills the database directly: this bench measures reading, not writing. */
function fill(hybrid: boolean): void {
  const database = new DatabaseSync(path);
  database.exec("pragma synchronous = off; delete from torrents; delete from swarm_totals");
  database.exec(`
    with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count})
    insert into torrents (id, infohash_v1, infohash_v2, kind, name, folder, size, file_count, piece_size, piece_count,
      private, comment, content_path, metainfo_path, publisher_id, published_at, checked_at, trackers)
    select 't' || n, randomblob(20), ${hybrid ? "randomblob(32)" : "null"}, '${hybrid ? "hybrid" : "v1"}', 'torrent ' || n,
      0, 1000, 1, 16384, 1, 0, null, 'content/' || n, 'torrents/' || n, 'u1', 1, 1, null from numbers`);
  database.exec(
    "insert into swarm_totals (infohash, completed, uploaded, downloaded) select infohash_v1, 1, 2, 3 from torrents",
  );
  database.close();
}

try {
  await (await openStore(path)).close();
  for (const hybrid of [false, true]) {
    fill(hybrid);
    const store = await openStore(path);
    const kind = hybrid ? "hybrid" : "v1";
    const directory = measure(`directory of ${count} torrents (${kind})`, () => {
      const torrents = store.torrents.allInfohashes();
      return new TorrentDirectory({ key: 0x5eed, torrents, fetched: [] });
    });
    const totals = measure(`totals of ${count} swarms`, () => {
      return new KnownTotals(0x5eed, store.swarmTotals.all());
    });
    const sought = directory.some(100_000).map((infohashes) => infohashes[0]!);
    const begun = process.cpuUsage();
    let found = 0;
    for (const infohash of sought) if (directory.find(infohash)) found += 1;
    const eachNs = (process.cpuUsage(begun).user / sought.length) * 1e3;
    console.log(`${found} looks: ${eachNs.toFixed(0)} ns each`);
    if (!totals.find(sought[0]!)) throw new Error("the totals are not there");
    await store.close();
  }
} finally {
  rmSync(folder, { recursive: true });
}
