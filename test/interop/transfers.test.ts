import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createTorrent, makeMixedFolder, temporaryFolder } from "./content.ts";
import { startFixedTracker } from "./fixed-tracker.ts";
import {
  assertSameTree,
  FOREIGN_PEERS,
  libtorrent,
  skipUnless,
  transmission,
} from "./foreign-peers.ts";
import { EVERSEED, Running } from "./process.ts";

const PIECE = 65_536;

/** Kinds that every one of these programs understands. */
const KINDS_FOR_ALL = ["v1", "hybrid"];

for (const peer of FOREIGN_PEERS) {
  for (const kind of KINDS_FOR_ALL) {
    test(`our seed serves ${peer.name}: ${kind}`, { skip: skipUnless(peer) }, async (t) => {
      const folder = temporaryFolder(t);
      const source = makeMixedFolder(folder, PIECE);
      let port = 0;
      const tracker = await startFixedTracker(t, () => port);
      const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), [
        "--kind",
        kind,
        "--piece-size",
        String(PIECE),
        "--tracker",
        tracker,
      ]);
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
      port = Number((await seed.event("ready")).port);
      const out = path.join(folder, "out");
      fs.mkdirSync(out);
      await peer.leech(t, torrent, out);
      assertSameTree(source, path.join(out, "mixed"));
    });

    test(`our get fetches from ${peer.name}: ${kind}`, { skip: skipUnless(peer) }, async (t) => {
      const folder = temporaryFolder(t);
      const source = makeMixedFolder(folder, PIECE);
      const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), [
        "--kind",
        kind,
        "--piece-size",
        String(PIECE),
        "--tracker",
        "http://127.0.0.1:9/announce",
      ]);
      const port = await peer.seed(t, torrent, folder);
      const out = path.join(folder, "out");
      const get = new Running(t, [
        EVERSEED,
        "get",
        torrent,
        "-o",
        out,
        "--listen",
        "127.0.0.1:0",
        "--peer",
        `127.0.0.1:${port}`,
        "--json",
      ]);
      await get.event("done");
      await get.succeed();
      assertSameTree(source, path.join(out, "mixed"));
    });
  }
}

for (const kind of ["v2", "hybrid", "v1"]) {
  test(
    `magnet from our seed to libtorrent: ${kind}`,
    { skip: skipUnless(libtorrent) },
    async (t) => {
      const folder = temporaryFolder(t);
      const source = makeMixedFolder(folder, PIECE);
      let port = 0;
      const tracker = await startFixedTracker(t, () => port);
      const { torrent, magnet } = createTorrent(source, path.join(folder, "t.torrent"), [
        "--kind",
        kind,
        "--piece-size",
        "16384",
        "--tracker",
        tracker,
      ]);
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
      port = Number((await seed.event("ready")).port);
      const out = path.join(folder, "out");
      fs.mkdirSync(out);
      await libtorrent.leech(t, magnet, out);
      assertSameTree(source, path.join(out, "mixed"));
    },
  );

  test(
    `magnet from libtorrent to our get: ${kind}`,
    { skip: skipUnless(libtorrent) },
    async (t) => {
      const folder = temporaryFolder(t);
      const source = makeMixedFolder(folder, PIECE);
      const { torrent, magnet } = createTorrent(source, path.join(folder, "t.torrent"), [
        "--kind",
        kind,
        "--piece-size",
        "16384",
      ]);
      const port = await libtorrent.seed(t, torrent, folder);
      const out = path.join(folder, "out");
      const get = new Running(t, [
        EVERSEED,
        "get",
        magnet,
        "-o",
        out,
        "--listen",
        "127.0.0.1:0",
        "--peer",
        `127.0.0.1:${port}`,
        "--json",
      ]);
      await get.event("done");
      await get.succeed();
      assertSameTree(source, path.join(out, "mixed"));
    },
  );
}

test("v2 both ways with libtorrent", { skip: skipUnless(libtorrent) }, async (t) => {
  const folder = temporaryFolder(t);
  const source = makeMixedFolder(folder, PIECE);
  let port = 0;
  const tracker = await startFixedTracker(t, () => port);
  const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), [
    "--kind",
    "v2",
    "--piece-size",
    String(PIECE),
    "--tracker",
    tracker,
  ]);
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
  port = Number((await seed.event("ready")).port);
  const there = path.join(folder, "there");
  fs.mkdirSync(there);
  await libtorrent.leech(t, torrent, there);
  assertSameTree(source, path.join(there, "mixed"));
  const back = path.join(folder, "back");
  const theirs = await libtorrent.seed(t, torrent, there);
  const get = new Running(t, [
    EVERSEED,
    "get",
    torrent,
    "-o",
    back,
    "--listen",
    "127.0.0.1:0",
    "--peer",
    `127.0.0.1:${theirs}`,
    "--json",
  ]);
  await get.succeed();
  assertSameTree(source, path.join(back, "mixed"));
});

for (const kind of KINDS_FOR_ALL) {
  test(
    `magnet both ways with Transmission: ${kind}`,
    { skip: skipUnless(transmission) },
    async (t) => {
      const folder = temporaryFolder(t);
      const source = makeMixedFolder(folder, PIECE);
      let port = 0;
      const tracker = await startFixedTracker(t, () => port);
      const { torrent, magnet } = createTorrent(source, path.join(folder, "t.torrent"), [
        "--kind",
        kind,
        "--piece-size",
        String(PIECE),
        "--tracker",
        tracker,
      ]);
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
      port = Number((await seed.event("ready")).port);
      const there = path.join(folder, "there");
      fs.mkdirSync(there);
      await transmission.leech(t, magnet, there);
      assertSameTree(source, path.join(there, "mixed"));
      await seed.stop();
      port = await transmission.seed(t, torrent, there);
      const back = path.join(folder, "back");
      const get = new Running(t, [
        EVERSEED,
        "get",
        magnet,
        "-o",
        back,
        "--listen",
        "127.0.0.1:0",
        "--peer",
        `127.0.0.1:${port}`,
        "--json",
      ]);
      await get.succeed();
      assertSameTree(source, path.join(back, "mixed"));
    },
  );
}
