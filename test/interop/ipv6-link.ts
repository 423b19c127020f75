import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder } from "./content.ts";
import { assertSameTree, LIBTORRENT } from "./foreign-peers.ts";
import { Network } from "./network.ts";
import { writePlainTorrent } from "./plain-torrent.ts";
import { EVERSEED, Running } from "./process.ts";

// Run by `lsd.test.ts` in a network of its own, which gets a neighbour on a link that has IPv6 only.

const US = "fd00:77::1";
const THEM = "fd00:77::2";

const neighbour = new Network();
process.on("exit", () => neighbour.close());
await neighbour.opened();
const ip = (words: string) => execFileSync("ip", words.split(" "));
// Without waiting until it is sure that nobody else has an address: libtorrent gives up what cannot be sent meanwhile.
const ADDRESSES = (device: string) => ["-6", "addr", "show", "dev", device];
const noDelay = (device: string) => `echo 0 > /proc/sys/net/ipv6/conf/${device}/accept_dad`;
ip("link set lo up");
ip(`link add lan0 type veth peer name lan1 netns ${neighbour.pid}`);
execFileSync("sh", ["-c", noDelay("lan0")]);
neighbour.run("sh", "-c", noDelay("lan1"));
ip(`-6 addr add ${US}/64 dev lan0`);
neighbour.run("ip", ..."link set lo up".split(" "));
neighbour.run("ip", ...`-6 addr add ${THEM}/64 dev lan1`.split(" "));
neighbour.run("ip", ..."link set lan1 up".split(" "));
ip("link set lan0 up");
await isReady("lan0", () => execFileSync("ip", ADDRESSES("lan0"), { encoding: "utf8" }));
await isReady("lan1", () => neighbour.run("ip", ...ADDRESSES("lan1")));

/** Waits until the kernel has made the device an address of the link: before that no multicast leaves it. */
async function isReady(device: string, addresses: () => string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const told = addresses();
    if (/inet6 fe80:/.test(told) && !/tentative/.test(told)) return;
    assert.ok(tries < 500, `${device} is not ready:\n${told}`);
    await sleep(10);
  }
}

function share(t: TestContext) {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(500_000));
  const torrent = path.join(folder, "t.torrent");
  const { infohash } = writePlainTorrent(torrent, source);
  const out = path.join(folder, "out");
  fs.mkdirSync(out);
  return { folder, source, torrent, out, magnet: `magnet:?xt=urn:btih:${infohash}` };
}

function ours(t: TestContext, ...words: readonly string[]): Running {
  const alone = ["--dht", "off", "--map-ports", "off", "--lsd", "on", "--json"];
  return new Running(t, [EVERSEED, ...words, "--listen", `[${US}]:0`, ...alone]);
}

function theirs(t: TestContext, ...words: readonly string[]): Running {
  const env = { EVERSEED_TEST_LSD: "1", EVERSEED_TEST_LISTEN: `[${THEM}]:0` };
  return new Running(t, neighbour.words(...LIBTORRENT, ...words), env);
}

// They wait for each other most of the time.
void suite("neighbours on a link of IPv6", { concurrency: 2 }, () => {
  void test("libtorrent seeds, ours hears it and fetches", { timeout: 60_000 }, async (t) => {
    const { folder, source, torrent, magnet, out } = share(t);
    await theirs(t, "seed", torrent, folder).event("ready");
    await ours(t, "get", magnet, "-o", out).succeed();
    assertSameTree(source, path.join(out, "data.bin"));
  });

  void test("ours seeds, libtorrent hears it and fetches", { timeout: 60_000 }, async (t) => {
    const { folder, source, torrent, magnet, out } = share(t);
    await ours(t, "seed", torrent, "--data", folder).event("ready");
    const leecher = theirs(t, "leech", magnet, out);
    await leecher.event("done");
    await leecher.succeed();
    assertSameTree(source, path.join(out, "data.bin"));
  });
});
