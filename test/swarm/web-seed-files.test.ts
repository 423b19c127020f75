import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, toHex } from "../../src/base/bytes.ts";
import { sha1 } from "../../src/base/hash.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import type { AddTorrent, WebSeedSource } from "../../src/engine/session-contract.ts";
import type { TorrentKind } from "../../src/metainfo/metainfo.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { makeSimFolder, type SimFolder } from "../../src/sim/sim-folder.ts";
import type { SimRun } from "../../src/sim/sim-node.ts";
import { answerFromFiles, headOf, SimWeb, type SimWebOptions } from "../../src/sim/sim-web.ts";
import { SimSwarm } from "../../src/sim/sim-swarm.ts";
import { MIB, withSeed } from "./judging.ts";
import { runUntil } from "./reading.ts";

const BASE = "http://web.example/pub/";
const PIECE = 32 * 1024;

/** Lengths that put borders of files inside blocks, on them, and one byte beside. */
const LENGTHS = [1, 0, 16_383, 16_384, 16_385, 100_000, 32_768, 7, 65_536, 12_345, 300_001, 3];

function folderOf(swarm: SimSwarm, kind: TorrentKind): SimFolder {
  const files = LENGTHS.map((length, index) => ({
    path: [`part ${index % 3}`, `${index}.bin`],
    length,
  }));
  return makeSimFolder({ random: swarm.random, name: "a folder", files, pieceLength: PIECE, kind });
}

function urlsOf(folder: SimFolder, base = BASE): Map<string, Uint8Array> {
  return new Map(
    Array.from(folder.files, ([path, bytes]) => {
      const parts = ["a folder", ...path.split("/")].map(encodeURIComponent);
      return [base + parts.join("/"), bytes];
    }),
  );
}

interface World {
  readonly swarm: SimSwarm;
  readonly folder: SimFolder;
  readonly run: SimRun;
  readonly webs: readonly SimWeb[];
  complete(limitMs?: number): boolean;
  assertWhole(): void;
}

/** A downloader of a folder from these servers. */
async function download(
  seed: number,
  kind: TorrentKind,
  sites: (
    folder: SimFolder,
  ) => readonly { source: WebSeedSource; answer: SimWebOptions["answer"] }[],
  add: Partial<AddTorrent> = {},
  make: (swarm: SimSwarm, kind: TorrentKind) => SimFolder = folderOf,
): Promise<World> {
  const swarm = new SimSwarm({ seed, size: 1 });
  const folder = make(swarm, kind);
  const listed = sites(folder);
  const webs: SimWeb[] = [];
  const node = await swarm.join({
    link: { downBytesPerSecond: 100 * MIB },
    webRanges: (client) => {
      const { simulation } = swarm;
      const how = { simulation, client, bytesPerSecond: 4 * MIB, latencyMs: 10 };
      for (const { answer } of listed) webs.push(new SimWeb({ ...how, answer }));
      return { open: (url) => webs[listed.findIndex(({ source }) => source.url === url)]!.open() };
    },
  });
  const run = node.leech(folder, { ...add, webSeeds: listed.map(({ source }) => source) });
  return {
    swarm,
    folder,
    run,
    webs,
    complete: (limitMs = 60_000) =>
      swarm.simulation.runUntil(() => run.torrent.state.kind === "seeding", limitMs),
    assertWhole: () => {
      for (const [path, bytes] of folder.files) {
        const found = node.disk.find(`${run.root}/a folder/${path}`);
        assert.ok(found && Buffer.compare(found.bytes.subarray(0, found.size), bytes) === 0, path);
      }
    },
  };
}

const files = (url: string): WebSeedSource => ({ url, kind: "files" });

/** A v1 torrent of two files with padding between them, in the middle of a block, as no program of ours makes it. */
function paddedFolder(swarm: SimSwarm): SimFolder {
  const [first, second] = [100, 50_000].map((length) => swarm.random.bytes(length));
  const padding = new Uint8Array(1000);
  const bytes = concatBytes([first!, padding, second!]);
  const pieces = [];
  for (let at = 0; at < bytes.length; at += PIECE)
    pieces.push(sha1(bytes.subarray(at, at + PIECE)));
  const info = {
    files: [
      { length: 100, path: ["a"] },
      { attr: "p", length: 1000, path: [".pad", "1000"] },
      { length: 50_000, path: ["b"] },
    ].map(dictOf),
    name: "a folder",
    "piece length": PIECE,
    pieces: concatBytes(pieces),
  };
  const metainfo = parseMetainfo(encode(dictOf({ info: dictOf(info) })));
  const files = new Map([
    ["a", first!],
    ["b", second!],
  ]);
  return { metainfo, name: "a folder", bytes, files };
}

test(
  "BEP 47: padding in the middle of a block is filled in, and not requested",
  withSeed(39, async (seed) => {
    const world = await download(
      seed,
      "v1",
      (folder) => [{ source: files(BASE), answer: answerFromFiles(urlsOf(folder)) }],
      {},
      paddedFolder,
    );
    assert.ok(world.complete());
    world.assertWhole();
    assert.ok(world.webs[0]!.requests.every(({ url }) => !url.includes(".pad")));
  }),
);

for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(
    `BEP 19: blocks across files, empty files and padding of a ${kind} torrent come from its files alone`,
    withSeed(31, async (seed) => {
      const world = await download(seed, kind, (folder) => [
        { source: files(BASE), answer: answerFromFiles(urlsOf(folder)) },
      ]);
      assert.ok(world.complete());
      world.assertWhole();
      const urls = urlsOf(world.folder);
      for (const { url, range } of world.webs[0]!.requests) {
        assert.ok(urls.get(url), `only files are requested, not ${url}`);
        assert.ok(range!.last < urls.get(url)!.length);
      }
    }),
  );

  test(
    `a server that lacks one file of a ${kind} torrent serves the others`,
    withSeed(32, async (seed) => {
      const other = "http://other.example/";
      const world = await download(seed, kind, (folder) => {
        const some = urlsOf(folder);
        some.delete(`${BASE}a%20folder/part%202/5.bin`);
        const all = answerFromFiles(urlsOf(folder, other));
        return [
          { source: files(BASE), answer: answerFromFiles(some) },
          { source: files(other), answer: all },
        ];
      });
      assert.ok(world.complete());
      world.assertWhole();
      const status = world.run.torrent.webSeeds().find(({ url }) => url === BASE)!;
      assert.deepEqual([status.absentFiles, status.reason], [1, undefined]);
      assert.ok(status.downloaded > 100_000, `${status.downloaded} bytes of the other files`);
      const missing = world.webs[0]!.requests.filter(({ url }) => url.endsWith("/5.bin"));
      assert.ok(missing.length <= 2, "each connection asks once");
    }),
  );
}

test(
  "a server without ranges serves short files",
  withSeed(33, async (seed) => {
    const world = await download(seed, "v1", (folder) => {
      const urls = urlsOf(folder);
      return [
        { source: files(BASE), answer: ({ url }) => ({ head: headOf(200), body: urls.get(url)! }) },
      ];
    });
    assert.ok(world.complete());
    world.assertWhole();
  }),
);

/** A server as BEP 17 describes it. */
function pieceServer(folder: SimFolder): SimWebOptions["answer"] {
  const { pieceLength } = folder.metainfo.info.geometry;
  const infohash = toHex(folder.metainfo.info.infohashes.v1!);
  return ({ url, range }) => {
    const [, escaped, piece, first, last] =
      /[?&]info_hash=((?:%[0-9a-f]{2}){20})&piece=([0-9]+)&ranges=([0-9]+)-([0-9]+)$/.exec(url)!;
    assert.equal(escaped!.replaceAll("%", ""), infohash);
    assert.equal(range, undefined);
    const begin = Number(piece) * pieceLength;
    const body = folder.bytes.subarray(begin + Number(first), begin + Number(last) + 1);
    return { head: { ...headOf(200), contentLength: String(body.length) }, body };
  };
}

const SEED = "http://web.example/seed.php?key=1";

for (const kind of ["v1", "hybrid"] as const) {
  test(
    `BEP 17: a server of pieces serves a ${kind} torrent`,
    withSeed(34, async (seed) => {
      const world = await download(seed, kind, (folder) => [
        { source: { url: SEED, kind: "pieces" }, answer: pieceServer(folder) },
      ]);
      assert.ok(world.complete());
      world.assertWhole();
    }),
  );
}

test(
  "BEP 17: a server says in its body when to come again",
  withSeed(35, async (seed) => {
    let refused = 0;
    const world = await download(seed, "v1", (folder) => {
      const serve = pieceServer(folder);
      return [
        {
          source: { url: SEED, kind: "pieces" },
          answer: (request) => {
            refused += 1;
            if (refused > 1) return serve(request);
            return { head: headOf(503), body: new TextEncoder().encode("77\n") };
          },
        },
      ];
    });
    assert.ok(!world.complete(76_000), "it waits as it was told");
    assert.equal(refused, 1);
    assert.ok(world.complete(5_000));
  }),
);

test(
  "a torrent of v2 alone has no server of pieces",
  withSeed(36, async (seed) => {
    const world = await download(seed, "v2", () => [
      { source: { url: SEED, kind: "pieces" }, answer: () => assert.fail("nobody asks") },
    ]);
    assert.deepEqual(world.run.torrent.webSeeds(), []);
  }),
);

test(
  "files that are not wanted are not fetched from a web seed",
  withSeed(37, async (seed) => {
    const world = await download(
      seed,
      "hybrid",
      (folder) => [{ source: files(BASE), answer: answerFromFiles(urlsOf(folder)) }],
      { select: (info) => info.files.map(({ path }) => path.at(-1) === "10.bin") },
    );
    assert.ok(world.complete());
    for (const { url } of world.webs[0]!.requests) assert.ok(url.endsWith("/10.bin"), url);
  }),
);

test(
  "a reader gets its bytes from a web seed first",
  withSeed(38, async (seed) => {
    const world = await download(seed, "v1", (folder) => [
      { source: files(BASE), answer: answerFromFiles(urlsOf(folder)) },
    ]);
    world.swarm.simulation.runFor(150);
    const { files: table } = world.run.torrent.info!;
    const index = table.findIndex(({ path }) => path.at(-1) === "10.bin");
    let readBytes = 0;
    const read = async (): Promise<void> => {
      const parts = world.run.torrent.read(index, { begin: 200_000, end: 210_000 });
      for await (const part of parts) readBytes += part.length;
    };
    void read();
    const beginMs = world.swarm.simulation.nowMs();
    assert.ok(await runUntil(world.swarm, () => readBytes === 10_000, 10_000));
    const tookMs = world.swarm.simulation.nowMs() - beginMs;
    assert.ok(tookMs < 500, `${tookMs} ms`);
  }),
);
