import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { wireInfohashes } from "../../src/base/infohash.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { encodeHandshake } from "../../src/wire/handshake.ts";
import { createTorrent, temporaryFolder } from "./content.ts";
import { assertSameTree, LIBTORRENT } from "./foreign-peers.ts";
import { Network } from "./network.ts";
import { EVERSEED, Running } from "./process.ts";

// Run by `holepunch.test.ts` in a network of its own, the internet. Behind two routers of it is a home each.

const SIZE = 1024 * 1024;
/** Whoever stands in the middle moves this much: the content would take it more than a minute. */
const MIDDLE_BYTES_PER_SECOND = "10240";
const PORT = "16881";

/** Nothing comes in but answers, and the router counts what it drops. */
const RULES = `table inet filter {
  chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "home" accept; }
  chain input { type filter hook input priority 0; iifname "world" ct state new counter drop; }
  chain postrouting { type nat hook postrouting priority 100; oifname "world" masquerade; }
}`;

class Home {
  readonly router = new Network();
  readonly inside = new Network();
  /** Where the world sees it. */
  readonly address: string;
  /** Where it sees the world. */
  readonly gateway: string;
  readonly #number: number;

  constructor(number: number) {
    this.#number = number;
    this.address = `9.1.${number}.2`;
    this.gateway = `9.1.${number}.1`;
  }

  async connect(): Promise<void> {
    const { router, inside, gateway } = this;
    await Promise.all([router.opened(), inside.opened()]);
    const outer = `world${this.#number}`;
    ip(`link add ${outer} type veth peer name world netns ${router.pid}`);
    ip(`addr add ${gateway}/24 dev ${outer}`);
    ip(`link set ${outer} up`);
    router.run("ip", ..."link set lo up".split(" "));
    const commands = [
      `link add home type veth peer name lan0 netns ${inside.pid}`,
      `addr add ${this.address}/24 dev world`,
      "addr add 192.168.1.1/24 dev home",
      "link set world up",
      "link set home up",
      `route add default via ${gateway}`,
    ];
    for (const command of commands) router.run("ip", ...command.split(" "));
    for (const command of [
      "link set lo up",
      "addr add 192.168.1.2/24 dev lan0",
      "link set lan0 up",
      "route add default via 192.168.1.1",
    ]) {
      inside.run("ip", ...command.split(" "));
    }
    router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    router.run("nft", RULES);
  }

  /** Packets of calls that nobody behind it had asked for. */
  get dropped(): number {
    const words = this.router.run("nft", "list", "chain", "inet", "filter", "input");
    return Number(/packets (\d+)/.exec(words)?.[1]);
  }

  close(): void {
    this.router.close();
    this.inside.close();
  }
}

function ip(words: string): void {
  execFileSync("ip", words.split(" "));
}

const homes = [new Home(1), new Home(2)] as const;
process.on("exit", () => homes.forEach((home) => home.close()));
ip("link set lo up");
execFileSync("sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
for (const home of homes) await home.connect();

/** A peer that says nothing: it makes libtorrent tell the other one at once whom it knows, and then for a minute no more. */
async function keepConnected(t: TestContext, torrent: string): Promise<void> {
  const { infohashes } = parseMetainfo(fs.readFileSync(torrent)).info;
  const [infohash] = wireInfohashes(infohashes);
  const flags = { extended: false, fast: false, dht: false, v2: false };
  const peerId = Buffer.from("-XX0000-000000000000", "latin1");
  const socket = net.connect(Number(PORT), homes[0].gateway);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(encodeHandshake({ ...flags, infohash: infohash!, peerId }));
}

void test("libtorrent introduces two of ours", { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(SIZE));
  const made = createTorrent(source, path.join(folder, "t.torrent"), ["--kind", "v1"]);
  const { torrent } = made;
  const [middle, out] = [path.join(folder, "middle"), path.join(folder, "out")];
  for (const each of [middle, out]) fs.mkdirSync(each);
  const relay = new Running(t, [...LIBTORRENT, "leech", torrent, middle], {
    EVERSEED_TEST_LISTEN: `0.0.0.0:${PORT}`,
    EVERSEED_TEST_TRANSPORT: "both",
    EVERSEED_TEST_RATE: MIDDLE_BYTES_PER_SECOND,
    EVERSEED_TEST_LOG: "PEX_FULL,HOLEPUNCH",
  });
  await relay.event("ready");
  const ours = (home: Home, ...words: string[]): Running => {
    const alone = ["--dht", "off", "--lsd", "off", "--map-ports", "off", "--encryption", "off"];
    const places = ["--listen", `0.0.0.0:${PORT}`, "--peer", `${home.gateway}:${PORT}`, "--json"];
    return new Running(t, home.inside.words(EVERSEED, ...words, ...alone, ...places));
  };
  await keepConnected(t, torrent);
  // It has everything, and goes on as a seed.
  const seed = ours(homes[0], "get", torrent, "-o", folder, "--seed", "forever");
  await seed.event("ready");
  assert.match(await lineOf(relay), /PEX_FULL/, "it hears of nobody else for a minute");
  const leecher = ours(homes[1], "get", torrent, "-o", out);
  await leecher.event("done");
  assertSameTree(source, path.join(out, "data.bin"));
  assert.ok(homes[0].dropped > 0, "the router of the seed let no call in");
  const [ofSeed, ofLeecher] = homes.map(({ address }) => address);
  await hears(
    relay,
    `peer [ ${ofLeecher}:${PORT}`,
    `<== HOLEPUNCH [ msg: rendezvous to: ${ofSeed}`,
  );
  await hears(relay, `peer [ ${ofLeecher}:${PORT}`, `==> HOLEPUNCH [ msg: connect to: ${ofSeed}`);
  await hears(relay, `peer [ ${ofSeed}:${PORT}`, `==> HOLEPUNCH [ msg: connect to: ${ofLeecher}`);
  await Promise.all([relay.stop(), seed.stop(), leecher.succeed()]);
});

/** Waits until libtorrent says so, with both parts in one line. */
async function hears(relay: Running, about: string, what: string): Promise<void> {
  let line = await lineOf(relay);
  while (!line.includes(about) || !line.includes(what)) line = await lineOf(relay);
}

async function lineOf(relay: Running): Promise<string> {
  return String((await relay.event("log"))["line"]);
}
