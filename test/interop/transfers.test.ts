import fs from "node:fs";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { createTorrent, makeMixedFolder, makeSingleFile, temporaryFolder } from "./content.ts";
import {
  assertSameTree,
  type ForeignPeer,
  FOREIGN_PEERS,
  libtorrent,
  skipUnless,
  transmission,
} from "./foreign-peers.ts";
import { EVERSEED, Running } from "./process.ts";
import { startSmallTracker } from "./small-tracker.ts";

const PIECE = 65_536;

interface Shared {
  readonly folder: string;
  /** A file or folder in `folder`. */
  readonly source: string;
  readonly torrent: string;
  readonly magnet: string;
}

/** Something to share, tracked by a small tracker. */
async function share(
  t: TestContext,
  options: { readonly kind: string; readonly pieceSize?: number; readonly single?: boolean },
): Promise<Shared> {
  const folder = temporaryFolder(t);
  const pieceSize = options.pieceSize ?? PIECE;
  const source =
    options.single === true ? makeSingleFile(folder) : makeMixedFolder(folder, pieceSize);
  const tracker = await startSmallTracker(t);
  const made = createTorrent(source, path.join(folder, "t.torrent"), [
    "--kind",
    options.kind,
    "--piece-size",
    String(pieceSize),
    "--tracker",
    tracker,
  ]);
  return { folder, source, ...made };
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
async function get(t: TestContext, shared: Shared, source: string, port: number): Promise<void> {
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
  ]);
  await running.event("done");
  await running.succeed();
  assertSameTree(shared.source, path.join(out, path.basename(shared.source)));
}

/** Has a foreign peer download, and compares. @returns The folder with what it has got. */
async function leech(
  t: TestContext,
  peer: ForeignPeer,
  shared: Shared,
  source: string,
): Promise<string> {
  const out = path.join(shared.folder, "theirs");
  fs.mkdirSync(out);
  await peer.leech(t, source, out);
  assertSameTree(shared.source, path.join(out, path.basename(shared.source)));
  return out;
}

for (const peer of FOREIGN_PEERS) {
  const skip = skipUnless(peer);
  // Clients that know v1 only take the padding of a hybrid folder for files, so they get a single one.
  const cases = [
    { kind: "v1", single: false },
    { kind: "hybrid", single: !peer.knowsPadding },
  ];
  for (const each of cases) {
    const what = `${each.kind}, ${each.single ? "one file" : "a folder"}`;
    test(`our seed serves ${peer.name}: ${what}`, { skip }, async (t) => {
      const shared = await share(t, each);
      await startSeed(t, shared);
      await leech(t, peer, shared, shared.torrent);
    });

    test(`our get fetches from ${peer.name}: ${what}`, { skip }, async (t) => {
      const shared = await share(t, each);
      await get(t, shared, shared.torrent, await peer.seed(t, shared.torrent, shared.folder));
    });
  }
}

for (const kind of ["v1", "v2", "hybrid"]) {
  const skip = skipUnless(libtorrent);
  test(`magnet from our seed to libtorrent: ${kind}`, { skip }, async (t) => {
    const shared = await share(t, { kind, pieceSize: 16_384 });
    await startSeed(t, shared);
    await leech(t, libtorrent, shared, shared.magnet);
  });

  test(`magnet from libtorrent to our get: ${kind}`, { skip }, async (t) => {
    const shared = await share(t, { kind, pieceSize: 16_384 });
    const port = await libtorrent.seed(t, shared.torrent, shared.folder);
    await get(t, shared, shared.magnet, port);
  });
}

test("v2 both ways with libtorrent", { skip: skipUnless(libtorrent) }, async (t) => {
  const shared = await share(t, { kind: "v2" });
  const seed = await startSeed(t, shared);
  const theirs = await leech(t, libtorrent, shared, shared.torrent);
  await seed.stop();
  await get(t, shared, shared.torrent, await libtorrent.seed(t, shared.torrent, theirs));
});

for (const each of [
  { kind: "v1", single: false },
  { kind: "hybrid", single: true },
]) {
  const skip = skipUnless(transmission);
  test(`magnet both ways with Transmission: ${each.kind}`, { skip }, async (t) => {
    const shared = await share(t, each);
    const seed = await startSeed(t, shared);
    const theirs = await leech(t, transmission, shared, shared.magnet);
    await seed.stop();
    await get(t, shared, shared.magnet, await transmission.seed(t, shared.torrent, theirs));
  });
}

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
      tracker,
    ]);
    const shared = { folder, source, ...made };
    await startSeed(t, shared);
    await leech(t, libtorrent, shared, shared.torrent);
  },
);

test("10,000 small files to libtorrent and back", { skip: skipUnless(libtorrent) }, async (t) => {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "many");
  for (let i = 0; i < 10_000; i += 1) {
    const file = path.join(source, String(i % 100), `${i}.txt`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, `file ${i}\n`.repeat(i % 50));
  }
  const tracker = await startSmallTracker(t);
  const made = createTorrent(source, path.join(folder, "t.torrent"), [
    "--kind",
    "v1",
    "--tracker",
    tracker,
  ]);
  const shared = { folder, source, ...made };
  const seed = await startSeed(t, shared);
  const theirs = await leech(t, libtorrent, shared, shared.torrent);
  await seed.stop();
  await get(t, shared, shared.torrent, await libtorrent.seed(t, shared.torrent, theirs));
});
