/**
 * Measures how long one request blocks the main thread without interruption, with a torrent of 100,000 files; run by
 * hand: `tools/run node bench/stalls.ts [FILES]`. It measures the thread's CPU time between two turns of the event
 * loop, so other programs on the machine do not count. It calls the hub as a function: the cost of sockets is not
 * included.
 */
import type { TestContext } from "node:test";
import { encodeUtf8 } from "../src/base/bytes.ts";
import { sha1 } from "../src/base/hash.ts";
import { infohashKey } from "../src/base/infohash.ts";
import { Hub } from "../src/hub/hub.ts";
import { contentLayout } from "../src/engine/content-layout.ts";
import { buildMetainfo, buildMetainfoInSteps, planTorrent } from "../src/metainfo/create.ts";
import { parseMetainfo, parseMetainfoInSteps } from "../src/metainfo/parse-metainfo.ts";
import { shareLayoutInSteps } from "../src/platform/disk/shared-layout.ts";
import { loadPages } from "../src/daemon/load-pages.ts";
import { DataFolder } from "../src/publish/data-folder.ts";
import { addSearchEntry } from "../src/store/sqlite/torrent-search.ts";
import { HOST, hubWorld } from "../test/hub/hub-world.ts";

const FILE_BYTES = 100;
const AT_ONCE = 40;
const STRANGER = "192.0.2.7";
/** There is no content: the bench measures how a file is found. */
const LOST = 500;
/** Torrents in the catalogue that is searched. */
const CATALOGUE = 60_000;
const fileCount = Number(process.argv[2] ?? 100_000);

const endings: (() => Promise<void>)[] = [];
const world = await hubWorld({
  after: (end: () => Promise<void>) => endings.push(end),
} as unknown as TestContext);
// Its timers without delay are real; its clock must be real as well, so that work is cut into turns.
world.clock.nowMs = () => performance.now();
const pages = await loadPages();
const hub = new Hub({ ...world.parts, ...pages });

const paths = Array.from({ length: fileCount }, (_, index) =>
  `Talks ${index % 400}/Day ${index % 7}/harbour ${index}.flac`.split("/"),
);
const folder = new DataFolder("/data");

/** Publishes a torrent without its content: nothing here reads any. */
async function publish(id: string): Promise<void> {
  const plan = planTorrent({
    name: `talks ${id}`,
    kind: "v1",
    pieceLength: 16_384,
    files: paths.map((path) => ({ path, length: FILE_BYTES })),
  });
  const { pieceCount } = plan.geometry;
  const pieces = new Uint8Array(pieceCount * 20).fill(1);
  const { torrent, infoBytes } = buildMetainfo(plan, { v1: pieces });
  const infohash = sha1(infoBytes);
  const key = infohashKey(infohash);
  await world.disk.write(folder.absolute(folder.metainfoPath(key)), torrent);
  const entry = {
    id,
    infohash_v1: infohash,
    infohash_v2: null,
    kind: "v1" as const,
    name: plan.name,
    folder: 1,
    size: fileCount * FILE_BYTES,
    file_count: fileCount,
    piece_size: 16_384,
    piece_count: pieceCount,
    private: 0,
    comment: "## Talks\n\n- one\n- two\n".repeat(400),
    content_path: folder.contentPath(key),
    metainfo_path: folder.metainfoPath(key),
    publisher_id: world.userId,
    published_at: Date.now(),
    checked_at: Date.now(),
    trackers: "[]",
  };
  await world.store.torrents.insert(entry, { words: "talks" });
}

/** Many torrents, each with a dozen words that occur everywhere: a search has to examine all of them. */
async function fillCatalogue(): Promise<void> {
  const words = "talks harbour recording slides archive tide light boat engine house ink song";
  await world.store.db.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom("torrents")
      .selectAll()
      .where("id", "=", "dddd")
      .executeTakeFirstOrThrow();
    for (let number = 0; number < CATALOGUE; number += 1) {
      const infohash = new Uint8Array(20);
      new DataView(infohash.buffer).setUint32(0, number);
      const { seq } = await transaction
        .insertInto("torrents")
        .values({ ...row, seq: undefined, id: `c${number}`, infohash_v1: infohash })
        .returning("seq")
        .executeTakeFirstOrThrow();
      await addSearchEntry(transaction, { seq, name: `talk ${number}` }, words);
    }
  });
}

let addresses = 0;
/** A different stranger each time, so that the bench does not measure a refusal to a busy address. */
async function ask(path: string, init: RequestInit = {}, address = STRANGER): Promise<Response> {
  const request = new Request(`http://${HOST}${path}`, {
    ...init,
    headers: { host: HOST, ...(init.headers as Record<string, string>) },
  });
  addresses += 1;
  const response = await hub.handle(request, {
    remoteAddress: address === STRANGER ? `192.0.2.${addresses % 250}` : address,
    localAddress: "127.0.0.1",
  });
  await response.arrayBuffer();
  return response;
}

interface Measured {
  readonly longestMs: number;
  readonly cpuMs: number;
  readonly wallMs: number;
}

const threadMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

async function measure(work: () => Promise<unknown>): Promise<Measured> {
  globalThis.gc?.();
  let isRunning = true;
  let [longestMs, last] = [0, threadMs()];
  const [startMs, started] = [last, performance.now()];
  const look = (): void => {
    const now = threadMs();
    longestMs = Math.max(longestMs, now - last);
    last = now;
    if (isRunning) setImmediate(look);
  };
  setImmediate(look);
  // Begins in a separate turn.
  await new Promise((resolve) => setImmediate(resolve));
  await work();
  look();
  isRunning = false;
  return { longestMs, cpuMs: threadMs() - startMs, wallMs: performance.now() - started };
}

async function report(what: string, work: () => Promise<unknown>): Promise<void> {
  const { longestMs, cpuMs, wallMs } = await measure(work);
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${what.padEnd(44)} longest piece ${longestMs.toFixed(1).padStart(8)} ms, CPU ${cpuMs.toFixed(0).padStart(6)} ms, ` +
      `${wallMs.toFixed(0).padStart(6)} ms, ${memory} MiB`,
  );
}

async function okay(path: string, init?: RequestInit, status = 200): Promise<void> {
  const response = await ask(path, init);
  if (response.status !== status) throw new Error(`${path}: ${response.status}`);
}

try {
  for (const id of ["aaaa", "bbbb", "cccc", "dddd"]) await publish(id);
  // A first run compiles the code: the bench measures the request, not the start of the hub.
  await okay("/");
  await okay("/t/dddd/talks-dddd");
  await okay("/t/dddd/talks-dddd?q=warm");
  console.log(`${fileCount} files`);
  await report("page, .torrent not read yet", () => okay("/t/aaaa/talks-aaaa"));
  await report("page, .torrent read before", () => okay("/t/aaaa/talks-aaaa?again"));
  await report("page, a query with every file", () => okay("/t/aaaa/talks-aaaa?q=harbour"));
  await report("page, a query of five words, last page", () =>
    okay("/t/aaaa/talks-aaaa?q=a+e+i+o+u&page=9999"),
  );
  await report("page, a query with no file", () => okay("/t/aaaa/talks-aaaa?q=zzzz"));
  await report(`page, ${AT_ONCE} queries at once`, () =>
    Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => okay(`/t/aaaa/talks-aaaa?q=harbour+${index}`)),
    ),
  );
  await report("page, damage of 20 pieces", async () => {
    const lostPieces = new Set(Array.from({ length: 20 }, (_, index) => index * 7));
    world.damage.now = { words: "Some.", all: false, lostFiles: new Set(), lostPieces };
    await okay("/t/aaaa/talks-aaaa?damaged");
    world.damage.now = null;
  });
  await report("API: the torrent", () => okay("/api/v1/torrents/aaaa"));
  await report("API: files from 50,000 on", () => okay("/api/v1/torrents/aaaa/files?offset=50000"));
  await report("API: catalogue", () => okay("/api/v1/torrents?q=talks"));
  await fillCatalogue();
  await okay("/search?q=warm");
  const searches = [
    "a b e h i l o r s t",
    "talks harbour recording slides archive",
    "talks",
    "talks 59999",
    "tlaks habrour",
  ];
  for (const query of searches) {
    const path = `/search?q=${encodeURIComponent(query)}`;
    await report(`${CATALOGUE} torrents: ${query}`, () => okay(path));
  }
  await report(`${CATALOGUE} torrents: the last page`, () => okay("/?page=9999"));
  await report(".torrent file", () => okay("/t/aaaa.torrent"));
  await report("a file by its number", () => okay("/t/aaaa/files/99/x", {}, LOST));
  await report("a file by its path (web seed), the first", () =>
    okay(`/t/aaaa/seed/talks%20aaaa/${paths[9]!.map(encodeURIComponent).join("/")}`, {}, LOST),
  );
  await report("zip, HEAD, .torrent not read yet", () => okay("/t/bbbb.zip", { method: "HEAD" }));
  await report("zip, HEAD, again", () => okay("/t/bbbb.zip", { method: "HEAD" }));
  await report("zip, HEAD, 2,000 ranges of all files", () =>
    okay(`/t/bbbb.zip?file=${Array.from({ length: 2000 }, () => "0-99999").join(",")}`, {
      method: "HEAD",
    }),
  );
  await report("zip, ten HEADs at once", () =>
    Promise.all(Array.from({ length: 10 }, () => okay("/t/bbbb.zip", { method: "HEAD" }))),
  );
  const live = new AbortController();
  await report("live figures, opened", async () => {
    const request = new Request(`http://${HOST}/api/v1/torrents/aaaa/live`, {
      headers: { host: HOST },
      signal: live.signal,
    });
    const response = await hub.handle(request, {
      remoteAddress: STRANGER,
      localAddress: "127.0.0.1",
    });
    await response.body?.cancel();
  });
  const headers = { ...(await world.program()), "content-type": "application/json" };
  const files = paths.map((path) => ({ path: path.join("/"), size: FILE_BYTES, modified: 1 }));
  const body = new Uint8Array(
    encodeUtf8(JSON.stringify({ name: "one", folder: true, kind: "v1", files })),
  );
  const declare = (): Promise<void> =>
    okay("/api/v1/drafts", { method: "POST", headers, body }, 201);
  await report("declare", declare);
  await report("declare the same again", declare);
  // A .torrent may have 30 MiB: a hybrid, which has padding after each file, holds half as many files.
  for (const [kind, count] of [
    ["v1", fileCount],
    ["v2", fileCount],
    ["hybrid", Math.floor(fileCount / 2)],
  ] as const) {
    const short = Array.from({ length: count }, (_, index) => [`${index % 400}`, `${index}.flac`]);
    const plan = planTorrent({
      name: kind,
      kind,
      pieceLength: 16_384,
      files: short.map((path) => ({ path, length: FILE_BYTES })),
    });
    const { pieceCount } = plan.geometry;
    const hashes = {
      ...(kind !== "v2" && { v1: new Uint8Array(pieceCount * 20).fill(1) }),
      ...(kind !== "v1" && { v2: new Uint8Array(pieceCount * 32).fill(1) }),
    };
    const shortFiles = short.map((path) => ({ path: path.join("/"), size: FILE_BYTES }));
    const text = JSON.stringify({
      name: kind,
      folder: true,
      kind,
      pieceSize: 16_384,
      files: shortFiles,
    });
    await report(`declare, ${kind}, ${count} files`, () =>
      okay("/api/v1/drafts", { method: "POST", headers, body: text }, 201),
    );
    let torrent: Uint8Array = new Uint8Array(0);
    await report(`end of an upload, ${kind}: its .torrent`, async () => {
      ({ torrent } = await world.parts.turns.run(buildMetainfoInSteps(plan, hashes)));
      await world.parts.turns.run(parseMetainfoInSteps(torrent));
    });
    const layout = contentLayout(parseMetainfo(torrent).info, "/data/content", undefined, "own");
    await report(`laid out for the disk, ${kind}`, async () => {
      await world.parts.turns.run(shareLayoutInSteps(layout));
    });
  }
} finally {
  hub.close();
  for (const end of endings) await end();
}
