import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { withoutLayers } from "../fixtures/bare-torrent.ts";
import { createTorrent, makeMixedFolder, temporaryFolder } from "./content.ts";
import {
  assertSameTree,
  type ForeignPeer,
  FOREIGN_PEERS,
  libtorrent,
  seedTrusting,
  skipUnless,
  transmission,
} from "./foreign-peers.ts";
import { EVERSEED, Running } from "./process.ts";
import { type SmallTracker, startSmallTracker } from "./small-tracker.ts";

const PIECE = 65_536;

interface Shared {
  readonly folder: string;
  /** A file or folder in `folder`. */
  readonly source: string;
  readonly torrent: string;
  readonly magnet: string;
  readonly tracker: SmallTracker;
}

/** Content to share, tracked by a small tracker. */
async function share(
  t: TestContext,
  options: { readonly kind: string; readonly pieceSize?: number },
): Promise<Shared> {
  const folder = temporaryFolder(t);
  const pieceSize = options.pieceSize ?? PIECE;
  const source = makeMixedFolder(folder, pieceSize);
  const tracker = await startSmallTracker(t);
  const made = createTorrent(source, path.join(folder, "t.torrent"), [
    "--kind",
    options.kind,
    "--piece-size",
    String(pieceSize),
    "--tracker",
    tracker.url,
  ]);
  return { folder, source, tracker, ...made };
}

async function startSeed(t: TestContext, { torrent, folder }: Shared): Promise<Running> {
  const seed = new Running(t, [
    EVERSEED,
    "seed",
    torrent,
    "--data",
    folder,
    "--listen",
    "127.0.0.1:0",
    "--json",
  ]);
  await seed.event("ready");
  return seed;
}

/** Fetches with our `get` from a peer on this port, and compares. */
async function get(
  t: TestContext,
  shared: Shared,
  source: string,
  port: number,
  ...more: readonly string[]
): Promise<void> {
  const out = path.join(shared.folder, "fetched");
  const running = new Running(t, [
    EVERSEED,
    "get",
    source,
    "-o",
    out,
    "--listen",
    "127.0.0.1:0",
    "--peer",
    `127.0.0.1:${port}`,
    "--json",
    ...more,
  ]);
  await running.event("done");
  await running.succeed();
  assertSameTree(shared.source, path.join(out, path.basename(shared.source)));
}

/**
 * Lets a foreign peer download from one of our seeds, and compares. The seed starts last: it dials the peers that the
 * tracker knows, so nobody waits for the next announce.
 *
 * @returns The folder with what the peer received; the seed has ended.
 */
async function serve(
  t: TestContext,
  peer: ForeignPeer,
  shared: Shared,
  source: string,
): Promise<string> {
  const out = path.join(shared.folder, "theirs");
  fs.mkdirSync(out);
  const done = peer.leech(t, source, out);
  await Promise.race([shared.tracker.firstAnnounce, done]);
  const seed = await startSeed(t, shared);
  await done;
  await seed.stop();
  const theirs = path.join(out, path.basename(shared.source));
  assertSameTree(shared.source, theirs, peer.makesEmptyFiles ? [] : ["empty.txt"]);
  return out;
}

function inBothDirections(peer: ForeignPeer): void {
  const skip = skipUnless(peer);
  for (const kind of peer.readsHybrid ? ["v1", "hybrid"] : ["v1"]) {
    test(`our seed serves ${peer.name}: ${kind}`, { skip }, async (t) => {
      const shared = await share(t, { kind });
      await serve(t, peer, shared, shared.torrent);
    });

    test(`our get fetches from ${peer.name}: ${kind}`, { skip }, async (t) => {
      const shared = await share(t, { kind });
      await get(t, shared, shared.torrent, await peer.seed(t, shared.torrent, shared.folder));
    });
  }
}

for (const peer of FOREIGN_PEERS) if (peer !== transmission) inBothDirections(peer);

// It serves a newcomer after ten seconds and more: these wait side by side.
suite("Transmission", { concurrency: 4 }, () => {
  inBothDirections(transmission);
  const skip = skipUnless(transmission);

  test("magnet from our seed to Transmission", { skip }, async (t) => {
    const shared = await share(t, { kind: "v1" });
    await serve(t, transmission, shared, shared.magnet);
  });

  test("magnet from Transmission to our get", { skip }, async (t) => {
    const shared = await share(t, { kind: "v1" });
    const port = await transmission.seed(t, shared.torrent, shared.folder);
    await get(t, shared, shared.magnet, port);
  });
});

for (const kind of ["v1", "v2", "hybrid"]) {
  const skip = skipUnless(libtorrent);
  test(`magnet from our seed to libtorrent: ${kind}`, { skip }, async (t) => {
    const shared = await share(t, { kind, pieceSize: 16_384 });
    await serve(t, libtorrent, shared, shared.magnet);
  });

  test(`magnet from libtorrent to our get: ${kind}`, { skip }, async (t) => {
    const shared = await share(t, { kind, pieceSize: 16_384 });
    const port = await libtorrent.seed(t, shared.torrent, shared.folder);
    await get(t, shared, shared.magnet, port);
  });
}

test("v2 in both directions with libtorrent", { skip: skipUnless(libtorrent) }, async (t) => {
  const shared = await share(t, { kind: "v2" });
  const theirs = await serve(t, libtorrent, shared, shared.torrent);
  await get(t, shared, shared.torrent, await libtorrent.seed(t, shared.torrent, theirs));
});

test(
  "a sparse file of more than 4 GiB to libtorrent (BDR-0.1)",
  { skip: skipUnless(libtorrent) },
  async (t) => {
    const folder = temporaryFolder(t);
    const source = path.join(folder, "sparse.bin");
    const handle = fs.openSync(source, "w");
    fs.writeSync(handle, Buffer.from("the first bytes"), 0, 15, 0);
    fs.writeSync(handle, Buffer.from("the last bytes"), 0, 14, 2 ** 32 + 1_000_000);
    fs.closeSync(handle);
    const tracker = await startSmallTracker(t);
    const made = createTorrent(source, path.join(folder, "t.torrent"), [
      "--kind",
      "v1",
      "--piece-size",
      "8388608",
      "--tracker",
      tracker.url,
    ]);
    const shared = { folder, source, tracker, ...made };
    await serve(t, libtorrent, shared, shared.torrent);
  },
);

for (const kind of ["v1", "hybrid"]) {
  test(
    `data behind 4 GiB of a sparse file from libtorrent to our get: ${kind} (BDR-0.1)`,
    { skip: skipUnless(libtorrent) },
    async (t) => {
      const folder = temporaryFolder(t);
      const source = path.join(folder, "sparse.bin");
      const handle = fs.openSync(source, "w");
      // Zeros are holes on both sides: pieces of zeros exist before `get` begins, without a byte on disk.
      for (const at of [0, 2 ** 32 - 500_000, 2 ** 32 + 9_000_000]) {
        fs.writeSync(handle, randomBytes(1_000_001), 0, 1_000_001, at);
      }
      fs.closeSync(handle);
      const pieceSize = 4_194_304;
      const tracker = await startSmallTracker(t);
      const options = ["--kind", kind, "--piece-size", String(pieceSize), "--tracker", tracker.url];
      const made = createTorrent(source, path.join(folder, "t.torrent"), options);
      const shared = { folder, source, tracker, ...made };
      const out = path.join(folder, "fetched");
      fs.mkdirSync(out);
      fs.writeFileSync(path.join(out, "sparse.bin"), "");
      fs.truncateSync(path.join(out, "sparse.bin"), 2 ** 32 - pieceSize);
      const port = await seedTrusting(t, made.torrent, folder);
      // Another program created the file: an option says that the download may use it.
      await get(t, shared, made.torrent, port, "--adopt");
    },
  );

  test(
    `10,000 small files to libtorrent and back: ${kind}`,
    { skip: skipUnless(libtorrent) },
    async (t) => {
      const folder = temporaryFolder(t);
      const source = path.join(folder, "many");
      for (let i = 0; i < 10_000; i += 1) {
        const file = path.join(source, String(i % 100), `${i}.txt`);
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, `file ${i}\n`.repeat(i % 50));
      }
      const tracker = await startSmallTracker(t);
      const options = ["--kind", kind, "--tracker", tracker.url];
      const made = createTorrent(source, path.join(folder, "t.torrent"), options);
      const shared = { folder, source, tracker, ...made };
      const theirs = await serve(t, libtorrent, shared, shared.torrent);
      await get(t, shared, shared.torrent, await libtorrent.seed(t, shared.torrent, theirs));
    },
  );
}

test(
  "BEP 52: our get fetches missing piece layers of a v2 .torrent from libtorrent",
  { skip: skipUnless(libtorrent) },
  async (t) => {
    const shared = await share(t, { kind: "v2", pieceSize: 16_384 });
    const port = await libtorrent.seed(t, shared.torrent, shared.folder);
    const bare = path.join(shared.folder, "bare.torrent");
    fs.writeFileSync(bare, withoutLayers(fs.readFileSync(shared.torrent)));
    await get(t, shared, bare, port);
  },
);
