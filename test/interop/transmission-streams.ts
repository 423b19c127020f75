import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { temporaryFolder } from "./content.ts";
import { assertSameTree } from "./foreign-peers.ts";
import { type NamingTracker, startNamingTracker } from "./naming-tracker.ts";
import { writePlainTorrent } from "./plain-torrent.ts";
import { EVERSEED, Running, until } from "./process.ts";
import { TransmissionDaemon, type TransmissionEncryption } from "./transmission-daemon.ts";

// Run by `transmission.test.ts` in a separate network that has only these addresses.

const US = "10.77.0.1";
const THEM = "10.77.0.2";
const SIZE = 256 * 1024;
/** Slow enough for both programs to see how they are connected. */
const BYTES_PER_SECOND = "80K";

type Ours = "prefer" | "require" | "off";
type Seen = "none" | "header" | "rc4";

/** How the stream goes over the line by what Transmission does, and ours: called by Transmission, and calling it. */
const STREAMS: readonly (readonly [
  TransmissionEncryption,
  Ours,
  called: Seen | "refused",
  calling: Seen,
])[] = [
  // It calls plainly only. Called with both methods it chooses plain bytes, then reads our handshake, which came encrypted
  // as the protocol says, as plain ones, and closes: it is called plainly at once.
  ["allow", "prefer", "none", "none"],
  ["allow", "require", "refused", "rc4"],
  ["allow", "off", "none", "none"],
  // It offers RC4 alone, and calls plainly after that has failed.
  ["prefer", "prefer", "rc4", "rc4"],
  ["prefer", "require", "rc4", "rc4"],
  ["prefer", "off", "none", "none"],
  ["require", "prefer", "rc4", "rc4"],
  ["require", "require", "rc4", "rc4"],
];

function share(t: TestContext) {
  const folder = temporaryFolder(t);
  const [theirs, out] = [path.join(folder, "theirs"), path.join(folder, "out")];
  for (const each of [theirs, out]) fs.mkdirSync(each);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(SIZE));
  const torrent = path.join(folder, "t.torrent");
  return { folder, theirs, out, source, torrent, ...writePlainTorrent(torrent, source) };
}

function runOurs(t: TestContext, ours: Ours, words: readonly string[]): Running {
  const alone = ["--dht", "off", "--lsd", "off", "--map-ports", "off"];
  const listen = ["--listen", `${US}:0`, "--encryption", ours, "--json"];
  return new Running(t, [EVERSEED, ...words, ...alone, ...listen]);
}

/** How the stream of the first peer goes over the line. */
async function encryptionsOf(running: Running): Promise<string[]> {
  const connected = await running.event("connected");
  return (connected["streams"] as { encryption: string }[]).map(({ encryption }) => encryption);
}

void suite("message stream encryption with Transmission", { concurrency: true }, () => {
  for (const theirs of ["allow", "prefer", "require"] as const) {
    void test(`Transmission that has "${theirs}"`, { timeout: 110_000 }, async (t) => {
      const folder = temporaryFolder(t);
      const daemon = await TransmissionDaemon.start(t, {
        folder,
        address: THEM,
        encryption: theirs,
      });
      const tracker = await startNamingTracker(t, US);
      const pairs = STREAMS.filter(([their]) => their === theirs);
      const ends = await Promise.all(
        pairs.flatMap(([, ours, called, calling]) => [
          isCalled(t, { daemon, tracker, ours, seen: called }),
          calls(t, { daemon, ours, seen: calling }),
        ]),
      );
      for (const end of ends) await end?.();
    });
  }
});

interface Pair {
  readonly daemon: TransmissionDaemon;
  readonly ours: Ours;
  readonly seen: Seen | "refused";
}

/**
 * Transmission is told where ours is, calls it, and fetches. Ours knows nobody.
 *
 * @returns What must hold when all other pairs are through.
 */
async function isCalled(
  t: TestContext,
  { daemon, tracker, ours, seen }: Pair & { readonly tracker: NamingTracker },
): Promise<(() => Promise<void>) | undefined> {
  const { folder, theirs, source, torrent, infohash } = share(t);
  const seed = runOurs(t, ours, ["seed", torrent, "--data", folder, "--up", BYTES_PER_SECOND]);
  const port = Number((await seed.event("ready"))["port"]);
  const told = path.join(folder, "told.torrent");
  writePlainTorrent(told, source, tracker({ address: US, port }));
  await daemon.add(told, theirs);
  if (seen === "refused") return async () => assert.deepEqual(await daemon.peers(infohash), []);
  assert.deepEqual(await encryptionsOf(seed), [seen]);
  const expected = { address: US, isEncrypted: seen === "rc4", isIncoming: false };
  assert.deepEqual(await daemon.peers(infohash), [expected]);
  await until("transmission has everything", () => daemon.done(infohash));
  assertSameTree(source, path.join(theirs, "data.bin"));
  return undefined;
}

const TRIES_MAX = 3;

/** True when we prefer encryption, and the stream came to be without it. */
function isFallback(ours: Ours, seen: Seen | "refused", [stream]: readonly string[]): boolean {
  return ours === "prefer" && seen !== "none" && stream === "none";
}

/** Ours calls a Transmission that seeds. */
async function calls(t: TestContext, { daemon, ours, seen }: Pair): Promise<undefined> {
  const { folder, out, source, torrent, infohash } = share(t);
  await daemon.addChecked(torrent, folder);
  const peer = `${THEM}:${daemon.peerPort}`;
  const rate = ["--down", BYTES_PER_SECOND];
  const call = (): Running =>
    runOurs(t, ours, ["get", torrent, "-o", out, "--peer", peer, ...rate]);
  let get = call();
  let streams = await encryptionsOf(get);
  // An encrypted stream that is closed, because Transmission does not seed yet, is called plainly at once: once more then.
  for (let tries = 1; isFallback(ours, seen, streams) && tries < TRIES_MAX; tries += 1) {
    await get.stop();
    get = call();
    streams = await encryptionsOf(get);
  }
  assert.deepEqual(streams, [seen]);
  const expected = { address: US, isEncrypted: seen === "rc4", isIncoming: true };
  assert.deepEqual(await daemon.peers(infohash), [expected]);
  await get.succeed();
  assertSameTree(source, path.join(out, "data.bin"));
}
