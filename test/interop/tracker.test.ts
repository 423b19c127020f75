import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { createTorrent, temporaryFolder } from "./content.ts";
import {
  aria2,
  assertSameTree,
  type ForeignPeer,
  libtorrent,
  skipUnless,
  transmission,
} from "./foreign-peers.ts";
import { fetchTorrent, type HubProcess, initialise, publish, startHub } from "./hub-process.ts";
import { EVERSEED, until } from "./process.ts";

// Only our tracker introduces peers here: no DHT, no peer exchange, no explicit address.

const SCHEMES = ["http", "udp"] as const;
/** aria2 uses UDP trackers only with its DHT on, which would introduce peers as well. */
const PEERS = { http: [aria2, libtorrent], udp: [libtorrent] };
const V1 = ["--kind", "v1"];
/**
 * The pairs of downloader and seed. Transmission accepts no loopback address from a tracker, so others must dial it.
 */
const PAIRS = {
  http: [
    [aria2, transmission],
    [libtorrent, aria2],
    [aria2, libtorrent],
  ],
  udp: [[libtorrent, transmission]],
} as const;

function makeFile(folder: string): string {
  const file = path.join(folder, "single file.bin");
  fs.writeFileSync(file, randomBytes(3_000_003));
  return file;
}

function announceUrl(hub: HubProcess, scheme: (typeof SCHEMES)[number]): string {
  const port = scheme === "udp" ? hub.udpPort : hub.port;
  return `${scheme}://${new URL(hub.url).hostname}:${port}/announce`;
}

interface Shared {
  readonly folder: string;
  /** A file in it. */
  readonly source: string;
  /** With the hub's tracker, over this scheme. */
  readonly torrent: string;
  readonly infohash: string;
}

/** These versions of aria2 and Transmission read v1 torrents only. */
function torrentOf(folder: string, source: string, tracker: string): Shared {
  const { torrent, magnet } = createTorrent(source, path.join(folder, "t.torrent"), [
    "--kind",
    "v1",
    "--tracker",
    tracker,
  ]);
  const infohash = /urn:btih:([0-9a-f]{40})/.exec(magnet)?.[1];
  assert.ok(infohash !== undefined);
  return { folder, source, torrent, infohash };
}

async function scrape(hub: HubProcess, infohash: string): Promise<string> {
  const escaped = infohash.replace(/../g, "%$&");
  const reply = await fetch(`${hub.url}/scrape?info_hash=${escaped}`);
  return Buffer.from(await reply.arrayBuffer()).toString("latin1");
}

async function leech(t: TestContext, peer: ForeignPeer, shared: Shared): Promise<void> {
  const out = fs.mkdtempSync(path.join(shared.folder, "out-"));
  await peer.leech(t, shared.torrent, out);
  assertSameTree(shared.source, path.join(out, path.basename(shared.source)));
}

for (const scheme of SCHEMES) {
  for (const peer of PEERS[scheme]) {
    test(
      `PUB-1.3: ${peer.name} fetches from the everseed alone: ${scheme}`,
      { skip: skipUnless(peer) },
      async (t) => {
        const folder = temporaryFolder(t);
        initialise(folder);
        const hub = await startHub(t, folder);
        const source = makeFile(folder);
        const published = publish(folder, source, hub, V1);
        const shared = torrentOf(folder, source, announceUrl(hub, scheme));
        assert.equal(published["infohashV1"], shared.infohash);
        if (scheme === "http") await fetchTorrent(published, shared.torrent);
        await leech(t, peer, shared);
      },
    );
  }
}

// Transmission serves a newcomer after ten seconds and more: these wait side by side.
suite("two programs find each other through our tracker", { concurrency: 4 }, () => {
  for (const scheme of SCHEMES) {
    for (const [leeching, seeding] of PAIRS[scheme]) {
      const skip = skipUnless(seeding) || skipUnless(leeching);
      test(`${leeching.name} finds ${seeding.name}: ${scheme}`, { skip }, async (t) => {
        const folder = temporaryFolder(t);
        initialise(folder);
        const hub = await startHub(t, folder, { EVERSEED_TRACKER_OPEN: "true" });
        const source = makeFile(folder);
        const shared = torrentOf(folder, source, announceUrl(hub, scheme));
        await seeding.seed(t, shared.torrent, folder);
        await until("the tracker knows the seed", async () =>
          (await scrape(hub, shared.infohash)).includes("8:completei1e"),
        );
        await leech(t, leeching, shared);
      });
    }
  }
});

test(
  "PUB-2.5: libtorrent finds the everseed through the UDP tracker that torrent and magnet link name",
  { skip: skipUnless(libtorrent) },
  async (t) => {
    const folder = temporaryFolder(t);
    initialise(folder);
    const hub = await startHub(t, folder);
    const source = makeFile(folder);
    const published = publish(folder, source, hub, V1);
    const torrent = path.join(folder, "t.torrent");
    await fetchTorrent(published, torrent);
    const shown = execFileSync(EVERSEED, ["show", torrent, "--json"], { encoding: "utf8" });
    const [http, udp] = [announceUrl(hub, "http"), announceUrl(hub, "udp")];
    assert.deepEqual((JSON.parse(shown) as { trackers: unknown }).trackers, [[http], [udp]]);
    const magnet = String(published["magnet"]);
    const byUdp = magnet.replace(`&tr=${encodeURIComponent(http)}`, "");
    assert.notEqual(byUdp, magnet);
    const out = fs.mkdtempSync(path.join(folder, "out-"));
    await libtorrent.leech(t, byUdp, out);
    assertSameTree(source, path.join(out, path.basename(source)));
  },
);

test(
  "PUB-1.3: aria2 with only the magnet link, which reports left=0, finds the everseed",
  { skip: skipUnless(aria2) },
  async (t) => {
    const folder = temporaryFolder(t);
    initialise(folder);
    const hub = await startHub(t, folder);
    const source = makeFile(folder);
    const magnet = String(publish(folder, source, hub, V1)["magnet"]);
    const out = fs.mkdtempSync(path.join(folder, "out-"));
    await aria2.leech(t, magnet, out);
    assertSameTree(source, path.join(out, path.basename(source)));
  },
);

test(
  "PUB-1.3: after kill -9 the everseed serves and tracks as before, and a stop keeps the swarms",
  { skip: skipUnless(aria2) || skipUnless(libtorrent) },
  async (t) => {
    const folder = temporaryFolder(t);
    initialise(folder);
    let hub = await startHub(t, folder);
    const ports = {
      EVERSEED_PORT: String(hub.port),
      EVERSEED_TRACKER_UDP_PORT: String(hub.udpPort),
    };
    const source = makeFile(folder);
    publish(folder, source, hub, V1);
    const shared = torrentOf(folder, source, announceUrl(hub, "http"));
    hub.running.child.kill("SIGKILL");
    await hub.running.exitCode;
    hub = await startHub(t, folder, ports);
    await leech(t, aria2, shared);

    await libtorrent.seed(t, shared.torrent, folder);
    const hasTwo = async (): Promise<boolean> =>
      (await scrape(hub, shared.infohash)).includes("8:completei2e");
    await until("the tracker knows the other seed", hasTwo);
    await hub.running.stop();
    hub = await startHub(t, folder, ports);
    assert.ok(await hasTwo(), "the seed that said nothing since is still known");
    assert.match(await scrape(hub, shared.infohash), /10:downloadedi1e/, "and the completion");
  },
);
