import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { on, once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
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
/** Of everybody in the one test, and in the other. */
const [PORT, OTHER_PORT] = ["16881", "16882"] as const;

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

function silentHandshake(torrent: string): Uint8Array {
  const { infohashes } = parseMetainfo(fs.readFileSync(torrent)).info;
  const [infohash] = wireInfohashes(infohashes);
  const flags = { extended: false, fast: false, dht: false, v2: false };
  const peerId = Buffer.from("-XX0000-000000000000", "latin1");
  return encodeHandshake({ ...flags, infohash: infohash!, peerId });
}

/** A peer that says nothing: it makes libtorrent tell the other one at once whom it knows, and then for a minute no more. */
async function keepConnected(t: TestContext, torrent: string): Promise<void> {
  const socket = net.connect(Number(PORT), homes[0].gateway);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write(silentHandshake(torrent));
}

/** Another that says nothing, and waits to be called. */
class SilentPeer {
  readonly #server: net.Server;

  constructor(t: TestContext, torrent: string) {
    const handshake = silentHandshake(torrent);
    const sockets: net.Socket[] = [];
    this.#server = net.createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      socket.resume().write(handshake);
      this.#server.emit("called", socket.remoteAddress);
    });
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      this.#server.close();
    });
  }

  async listen(address: string): Promise<string> {
    this.#server.listen(0, address);
    await once(this.#server, "listening");
    return `${address}:${(this.#server.address() as net.AddressInfo).port}`;
  }

  async calledBy(address: string): Promise<void> {
    for await (const [caller] of on(this.#server, "called")) if (caller === address) return;
  }
}

function share(t: TestContext) {
  const folder = temporaryFolder(t);
  const source = path.join(folder, "data.bin");
  fs.writeFileSync(source, randomBytes(SIZE));
  const { torrent } = createTorrent(source, path.join(folder, "t.torrent"), ["--kind", "v1"]);
  const [middle, out] = [path.join(folder, "middle"), path.join(folder, "out")];
  for (const each of [middle, out]) fs.mkdirSync(each);
  return { folder, source, torrent, middle, out };
}

const ALONE = ["--dht", "off", "--lsd", "off", "--map-ports", "off", "--encryption", "off"];

/** One of ours in a home, which knows whoever stands in the middle. */
function oursAt(t: TestContext, home: Home, port: string, words: readonly string[]): Running {
  const places = ["--listen", `0.0.0.0:${port}`, "--peer", `${home.gateway}:${port}`, "--json"];
  return new Running(t, home.inside.words(EVERSEED, ...words, ...ALONE, ...places));
}

// They wait for each other most of the time.
void suite("introductions", { concurrency: 2 }, () => {
  void test("libtorrent introduces two of ours", { timeout: 60_000 }, async (t) => {
    const { folder, source, torrent, middle, out } = share(t);
    const relay = new Running(t, [...LIBTORRENT, "leech", torrent, middle], {
      EVERSEED_TEST_LISTEN: `0.0.0.0:${PORT}`,
      EVERSEED_TEST_TRANSPORT: "both",
      EVERSEED_TEST_RATE: MIDDLE_BYTES_PER_SECOND,
      EVERSEED_TEST_LOG: "PEX_FULL,HOLEPUNCH",
    });
    await relay.event("ready");
    await keepConnected(t, torrent);
    // It has everything, and goes on as a seed.
    const get = ["get", torrent, "-o"];
    const seed = oursAt(t, homes[0], PORT, [...get, folder, "--seed", "forever"]);
    await seed.event("ready");
    assert.match(await lineOf(relay), /PEX_FULL/, "it hears of nobody else for a minute");
    const leecher = oursAt(t, homes[1], PORT, [...get, out]);
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

  void test(
    "ours introduces libtorrent, which asks for it, to ours",
    { timeout: 60_000 },
    async (t) => {
      const { folder, source, torrent, middle, out } = share(t);
      const rates = ["--down", MIDDLE_BYTES_PER_SECOND, "--up", MIDDLE_BYTES_PER_SECOND];
      const between = [EVERSEED, "get", torrent, "-o", middle, "--listen", `0.0.0.0:${OTHER_PORT}`];
      const silent = new SilentPeer(t, torrent);
      const named = ["--peer", await silent.listen(homes[0].gateway)];
      const relay = new Running(t, [...between, ...named, ...rates, ...ALONE, "--json"]);
      await relay.event("ready");
      await relay.event("connected");
      const called = silent.calledBy(homes[0].address);
      const get = ["get", torrent, "-o", folder, "--seed", "forever"];
      const seed = oursAt(t, homes[0], OTHER_PORT, get);
      await seed.event("ready");
      // It is told of the silent one, and of nobody else for a minute: it does not ask for libtorrent.
      await called;
      const known = `${homes[1].gateway}:${OTHER_PORT}`;
      const leecher = new Running(
        t,
        homes[1].inside.words(...LIBTORRENT, "leech", torrent, out, known),
        {
          EVERSEED_TEST_LISTEN: `0.0.0.0:${OTHER_PORT}`,
          EVERSEED_TEST_TRANSPORT: "utp",
          EVERSEED_TEST_HASTY: "1",
          EVERSEED_TEST_LOG: "HOLEPUNCH",
        },
      );
      const done = leecher.event("done");
      const [ofSeed] = homes.map(({ address }) => address);
      await hears(leecher, `peer [ ${known}`, `==> HOLEPUNCH [ msg: rendezvous to: ${ofSeed}`);
      await hears(leecher, `peer [ ${known}`, `<== HOLEPUNCH [ msg:connect to: ${ofSeed}`);
      await done;
      await leecher.succeed();
      assertSameTree(source, path.join(out, "data.bin"));
      assert.ok(homes[0].dropped > 0, "the router of the seed let no call in");
      await Promise.all([relay.stop(), seed.stop()]);
    },
  );
});

/** Waits until libtorrent says so, with both parts in one line. */
async function hears(relay: Running, about: string, what: string): Promise<void> {
  let line = await lineOf(relay);
  while (!line.includes(about) || !line.includes(what)) line = await lineOf(relay);
}

async function lineOf(relay: Running): Promise<string> {
  return String((await relay.event("log"))["line"]);
}
