import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { temporaryFolder } from "./content.ts";
import { assertSameTree } from "./foreign-peers.ts";
import { startNamingTracker } from "./naming-tracker.ts";
import { writePlainTorrent } from "./plain-torrent.ts";
import { EVERSEED, Running, until } from "./process.ts";
import { TransmissionDaemon } from "./transmission-daemon.ts";

// Run by `transmission.test.ts` in a separate network that has only these addresses.

const SEED = "10.77.0.1";
const MIDDLE = "10.77.0.2";
const LEECHER = "10.77.0.3";
const SIZE = 3 * 1024 * 1024;
/** Whoever stands in the middle moves this much: the content would take it five minutes. */
const MIDDLE_KILOBYTES_PER_SECOND = 10;
/** Transmission's first message comes after 90 seconds of its clock. */
const HURRY = 10;

function share(t: TestContext) {
  const folder = temporaryFolder(t);
  const [middle, out] = [path.join(folder, "middle"), path.join(folder, "out")];
  for (const each of [middle, out]) fs.mkdirSync(each);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(SIZE));
  const torrent = path.join(folder, "t.torrent");
  writePlainTorrent(torrent, source);
  return { folder, source, torrent, middle, out };
}

function runOurs(t: TestContext, address: string, words: readonly string[]): Running {
  const alone = ["--dht", "off", "--lsd", "off", "--map-ports", "off"];
  // Transmission lets in one peer of an address: each calls from its own.
  const place = ["--interface", address, "--listen", `${address}:0`];
  return new Running(t, [EVERSEED, ...words, ...alone, ...place, "--json"]);
}

async function portOf(running: Running): Promise<number> {
  return Number((await running.event("ready"))["port"]);
}

void suite("peer exchange with Transmission", { concurrency: true }, () => {
  void test("ours tells Transmission of a seed of ours", { timeout: 110_000 }, async (t) => {
    const { folder, source, torrent, middle, out } = share(t);
    const tracker = await startNamingTracker(t, SEED);
    const seed = runOurs(t, SEED, ["seed", torrent, "--data", folder]);
    const known = ["--peer", `${SEED}:${await portOf(seed)}`];
    const rate = `${MIDDLE_KILOBYTES_PER_SECOND}K`;
    const slow = ["--down", rate, "--up", rate];
    const third = runOurs(t, MIDDLE, ["get", torrent, "-o", middle, ...known, ...slow]);
    const daemon = await TransmissionDaemon.start(t, {
      folder: out,
      address: LEECHER,
      pex: true,
      hurry: HURRY,
    });
    const told = path.join(folder, "told.torrent");
    writePlainTorrent(told, source, tracker({ address: MIDDLE, port: await portOf(third) }));
    await daemon.add(told, out);
    await until("transmission has everything", () => daemon.done());
    assertSameTree(source, path.join(out, "data.bin"));
  });

  void test("Transmission tells ours of a seed of ours", { timeout: 110_000 }, async (t) => {
    const { folder, source, torrent, middle, out } = share(t);
    const tracker = await startNamingTracker(t, SEED);
    const seed = runOurs(t, SEED, ["seed", torrent, "--data", folder]);
    const daemon = await TransmissionDaemon.start(t, {
      folder: middle,
      address: MIDDLE,
      pex: true,
      hurry: HURRY,
      kilobytesPerSecond: MIDDLE_KILOBYTES_PER_SECOND / HURRY,
    });
    const told = path.join(folder, "told.torrent");
    writePlainTorrent(told, source, tracker({ address: SEED, port: await portOf(seed) }));
    await daemon.add(told, middle);
    const between = ["--peer", `${MIDDLE}:${daemon.peerPort}`];
    const leecher = runOurs(t, LEECHER, ["get", torrent, "-o", out, ...between]);
    await leecher.succeed();
    assert.match(leecher.output, /"source":"pex"/);
    assertSameTree(source, path.join(out, "data.bin"));
  });
});
