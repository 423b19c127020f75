import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import {
  assertSameTree,
  type ForeignEncryption,
  LIBTORRENT,
  libtorrent,
  qbittorrent,
  skipUnless,
} from "./foreign-peers.ts";
import { fetchTorrent, initialise, publish, startHub } from "./hub-process.ts";
import { EVERSEED, Running } from "./process.ts";
import { type SmallTracker, startSmallTracker } from "./small-tracker.ts";

const SIZE = 3 * 1024 * 1024;
/** Slow enough for both programs to see how they are connected. */
const BYTES_PER_SECOND = String(SIZE / 2);
const TIMEOUT = { timeout: 120_000 };

type Ours = "prefer" | "require" | "off";
type Seen = "none" | "header" | "rc4";

/** By what a foreign peer does and what we do: how the stream goes over the line, where there is one. */
const STREAMS: readonly (readonly [ForeignEncryption | "header", Ours, Seen])[] = [
  ["off", "prefer", "none"],
  ["off", "off", "none"],
  ["allow", "prefer", "header"],
  ["allow", "require", "rc4"],
  ["allow", "off", "none"],
  ["require", "prefer", "rc4"],
  ["require", "require", "rc4"],
  ["header", "prefer", "header"],
];

/** @param tracker - Only where nothing else leads to ours: a tracker makes both programs dial each other at once. */
function share(t: TestContext, tracker?: SmallTracker) {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(SIZE));
  const words = ["--piece-size", "65536", ...(tracker ? ["--tracker", tracker.url] : [])];
  const made = createTorrent(source, path.join(folder, "t.torrent"), words);
  const out = path.join(folder, "fetched");
  fs.mkdirSync(out);
  return { folder, source, out, torrent: made.torrent };
}

const TRIES_MAX = 3;

/**
 * Fetches with our `get`. An encrypted stream that is closed, because the other program does not seed yet, is called plainly
 * at once by one that prefers encryption: it is then tried once more.
 *
 * @returns The kinds of encryption that its connections had.
 */
async function getFrom(
  t: TestContext,
  { torrent, out, source }: ReturnType<typeof share>,
  { port, mode, seen }: { readonly port: number; readonly mode: Ours; readonly seen: Seen },
): Promise<string[]> {
  const alone = ["--listen", "127.0.0.1:0", "--dht", "off", "--json"];
  const how = ["--peer", `127.0.0.1:${port}`, "--encryption", mode, "--down", BYTES_PER_SECOND];
  for (let tries = 1; ; tries += 1) {
    const running = new Running(t, [EVERSEED, "get", torrent, "-o", out, ...how, ...alone]);
    const connected = await running.event("connected");
    const streams = (connected["streams"] as { encryption: string }[]).map(
      ({ encryption }) => encryption,
    );
    const isFallback = mode === "prefer" && seen !== "none" && streams[0] === "none";
    if (isFallback && tries < TRIES_MAX) {
      await running.stop();
      continue;
    }
    await running.event("done");
    await running.succeed();
    assertSameTree(source, path.join(out, "data.bin"));
    return streams;
  }
}

async function seedOf(
  t: TestContext,
  { torrent, folder }: ReturnType<typeof share>,
  mode: Ours,
): Promise<number> {
  const seed = new Running(t, [
    EVERSEED,
    "seed",
    torrent,
    "--data",
    folder,
    "--listen",
    "127.0.0.1:0",
    "--dht",
    "off",
    "--encryption",
    mode,
    "--up",
    BYTES_PER_SECOND,
    "--json",
  ]);
  return Number((await seed.event("ready"))["port"]);
}

const withLibtorrent = { ...TIMEOUT, skip: skipUnless(libtorrent) };
// The programs spend most of the time waiting for each other.
suite("message stream encryption", { concurrency: 6 }, () => {
  // Those that wait longest begin first.
  const withQBittorrent = { ...TIMEOUT, skip: skipUnless(qbittorrent) };
  const QBITTORRENT: readonly (readonly [ForeignEncryption, Ours, Seen])[] = [
    ["off", "prefer", "none"],
    // It may choose, and prefers RC4.
    ["allow", "prefer", "rc4"],
    ["allow", "off", "none"],
    ["allow", "require", "rc4"],
    ["require", "prefer", "rc4"],
  ];
  for (const [theirs, ours, seen] of QBITTORRENT) {
    test(
      `qBittorrent with ${theirs} seeds, get with ${ours} fetches: ${seen}`,
      withQBittorrent,
      async (t) => {
        const shared = share(t);
        const port = await qbittorrent.seed(t, shared.torrent, shared.folder, theirs);
        assert.deepEqual(await getFrom(t, shared, { port, mode: ours, seen }), [seen]);
      },
    );
    test(
      `seed with ${ours} seeds, qBittorrent with ${theirs} fetches`,
      withQBittorrent,
      async (t) => {
        const shared = share(t, await startSmallTracker(t));
        await seedOf(t, shared, ours);
        await qbittorrent.leech(t, shared.torrent, shared.out, theirs);
        assertSameTree(shared.source, path.join(shared.out, "data.bin"));
      },
    );
  }

  for (const [theirs, ours, seen] of STREAMS) {
    const env = { EVERSEED_TEST_ENCRYPTION: theirs };
    test(
      `libtorrent with ${theirs} seeds, get with ${ours} fetches: ${seen}`,
      withLibtorrent,
      async (t) => {
        const shared = share(t);
        const seed = new Running(t, [...LIBTORRENT, "seed", shared.torrent, shared.folder], env);
        const port = Number((await seed.event("ready"))["port"]);
        assert.deepEqual(await getFrom(t, shared, { port, mode: ours, seen }), [seen]);
      },
    );
    test(
      `seed with ${ours} seeds, libtorrent with ${theirs} fetches: ${seen}`,
      withLibtorrent,
      async (t) => {
        const shared = share(t);
        const port = await seedOf(t, shared, ours);
        const args = ["leech", shared.torrent, shared.out, `127.0.0.1:${port}`];
        const leecher = new Running(t, [...LIBTORRENT, ...args], env);
        const done = await leecher.event("done");
        await leecher.succeed();
        assertSameTree(shared.source, path.join(shared.out, "data.bin"));
        assert.deepEqual(done["encryption"], [seen]);
      },
    );
  }

  test(
    "a peer that requires encryption reaches torrents of a hub that sleep",
    withLibtorrent,
    async (t) => {
      const folder = temporaryFolder(t);
      initialise(folder);
      let hub = await startHub(t, folder);
      const ports = {
        EVERSEED_PORT: String(hub.port),
        EVERSEED_TRACKER_UDP_PORT: String(hub.udpPort),
      };
      const publishFile = async (name: string): Promise<void> => {
        const source = path.join(folder, name);
        fs.writeFileSync(source, randomBytes(500_000));
        await fetchTorrent(publish(folder, source, hub), `${source}.torrent`);
      };
      let fetches = 0;
      const fetchEncrypted = async (name: string): Promise<void> => {
        fetches += 1;
        const out = path.join(folder, `out-${fetches}`);
        fs.mkdirSync(out);
        const args = ["leech", path.join(folder, `${name}.torrent`), out];
        const leecher = new Running(t, [...LIBTORRENT, ...args], {
          EVERSEED_TEST_ENCRYPTION: "require",
        });
        await leecher.event("done");
        await leecher.succeed();
        assertSameTree(path.join(folder, name), path.join(out, name));
      };
      await publishFile("first.bin");
      await fetchEncrypted("first.bin");
      // The marks of what was there are known by now; this one is added to them.
      await publishFile("second.bin");
      await fetchEncrypted("second.bin");
      await hub.running.stop();
      hub = await startHub(t, folder, ports);
      await fetchEncrypted("second.bin");
    },
  );
});
