import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { suite, test, type TestContext } from "node:test";
import { encodeUtf8, toHex } from "../../src/base/bytes.ts";
import { DhtService } from "../../src/dht/dht-service.ts";
import {
  getItem,
  type ItemPutResult,
  type ItemSearchResult,
  putItem,
} from "../../src/dht/item-search.ts";
import {
  type Item,
  makeImmutable,
  NO_SALT,
  placeOf,
  signItem,
  targetOf,
} from "../../src/dht/item.ts";
import { type PeerSearchResult, searchPeers } from "../../src/dht/peer-search.ts";
import { decodeKrpc } from "../../src/dht/krpc.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { UdpNet } from "../../src/platform/udp-net.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import type { DatagramNet } from "../../src/ports/net.ts";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { libtorrent, skipUnless } from "./foreign-peers.ts";
import { EVERSEED, Running, until } from "./process.ts";

const SCRIPT = ["/usr/bin/python3", path.join(import.meta.dirname, "libtorrent-dht.py")];
const SEED = new Uint8Array(32).fill(1);
const signatures = new NodeSignatures();
const random = new NodeRandom();

async function ours(
  t: TestContext,
  bootstrap: readonly number[],
  datagrams: DatagramNet = new UdpNet(),
): Promise<DhtService> {
  const service = await DhtService.start({
    clock: new NodeClock(),
    random,
    signatures,
    datagrams,
    log: SILENT_LOG,
    listen: { host: "127.0.0.1", port: 0 },
    bootstrap: bootstrap.map((port) => ({ host: "127.0.0.1", port })),
  });
  t.after(() => service.close());
  return service;
}

/** Three nodes of ours and one of libtorrent, all at one address. */
async function network(t: TestContext) {
  const first = await ours(t, []);
  const foreign = new Running(t, [...SCRIPT, String(first.local.port)], {}, "lines");
  const { port } = await foreign.event("ready");
  const nodes = [first, await ours(t, [first.local.port]), await ours(t, [Number(port)])];
  await until("all nodes have joined", () => nodes.every(({ dht }) => dht.isJoined));
  return { last: nodes[2]!, foreign, foreignPort: Number(port) };
}

function find({ dht }: DhtService, infohash: Uint8Array, announcedPort?: number) {
  const ports: number[] = [];
  const announce =
    announcedPort === undefined
      ? undefined
      : { port: announcedPort, isPortImplied: false, seed: true };
  return new Promise<PeerSearchResult & { ports: readonly number[] }>((resolve) => {
    searchPeers(dht, {
      infohash,
      announce,
      onPeers: (peers) => ports.push(...peers.map(({ port }) => port)),
      onDone: (result) => resolve({ ...result, ports }),
    });
  });
}

function put({ dht }: DhtService, item: Item): Promise<ItemPutResult> {
  return new Promise((resolve) => {
    putItem(dht, { place: placeOf(item), signatures, make: () => item }, resolve);
  });
}

function get({ dht }: DhtService, item: Item): Promise<ItemSearchResult> {
  return new Promise((resolve) => {
    getItem(dht, { place: placeOf(item), signatures }, resolve);
  });
}

const PEER = ["/usr/bin/python3", path.join(import.meta.dirname, "libtorrent-peer.py")];
const options = { skip: skipUnless(libtorrent) };

async function trackerless(t: TestContext) {
  const folder = temporaryFolder(t, "dht-");
  const file = path.join(folder, "talk.bin");
  fs.writeFileSync(file, random.bytes(300_000));
  const created = new Running(t, [EVERSEED, "create", file, "-o", `${file}.torrent`, "--json"]);
  await created.succeed();
  const magnet = /"magnet":"([^"]+)"/.exec(created.output)![1]!;
  const out = path.join(folder, "out");
  fs.mkdirSync(out);
  const assertSame = (): void =>
    assert.deepEqual(fs.readFileSync(path.join(out, "talk.bin")), fs.readFileSync(file));
  return { folder, file, torrent: `${file}.torrent`, magnet, out, assertSame };
}

// The programs spend most of the time waiting for each other.
suite("DHT", { concurrency: 4 }, () => {
  test("DHT with libtorrent: peers of each are found by the other", options, async (t) => {
    const { last, foreign, foreignPort } = await network(t);
    const infohash = random.bytes(20);
    const { announcedTo } = await find(last, infohash, 7001);
    assert.ok(announcedTo >= 3, `${announcedTo} nodes took it`);
    foreign.tell(`find ${toHex(infohash)}`);
    assert.deepEqual((await foreign.event("found")).ports, [7001]);
    foreign.tell(`announce ${toHex(infohash)} ${temporaryFolder(t, "dht-")}`);
    await foreign.event("announced");
    await until("ours finds the peer of libtorrent", async () =>
      (await find(last, infohash)).ports.includes(foreignPort),
    );
  });

  test("DHT with libtorrent: items of each are read by the other (BEP 44)", options, async (t) => {
    const { last, foreign } = await network(t);
    const letter = makeImmutable(encodeUtf8("5:hello"));
    assert.ok((await put(last, letter)).stored >= 3);
    foreign.tell(`get ${toHex(targetOf(placeOf(letter)))}`);
    assert.equal((await foreign.event("got")).value, "hello");
    foreign.tell("put servus");
    const { target } = await foreign.event("put");
    const theirs = makeImmutable(encodeUtf8("6:servus"));
    assert.equal(target, toHex(targetOf(placeOf(theirs))));
    assert.deepEqual((await get(last, theirs)).item, theirs);

    const key = signatures.keyFromSeed(SEED);
    const publicKey = toHex(key.publicKey);
    const salt = encodeUtf8("news");
    const signed = signItem(key, { value: encodeUtf8("3:one"), salt, sequence: 41n });
    const { stored, refusals } = await put(last, signed);
    assert.ok(stored >= 3, `${stored} nodes took it, others: ${[...refusals].join(" ")}`);
    foreign.tell(`read ${publicKey} news`);
    const read = await foreign.event("read");
    assert.deepEqual([read.value, read.sequence], ["one", 41]);
    foreign.tell(`sign ${toHex(SEED)} ${publicKey} two -`);
    await foreign.event("signed");
    const pattern = signItem(key, { value: encodeUtf8("3:two"), salt: NO_SALT, sequence: 1n });
    const { item } = await get(last, pattern);
    assert.deepEqual(item, pattern);
  });

  /** A torrent without a tracker, and the folder of its content. */
  test(
    "DHT: ours downloads a magnet link without a tracker from libtorrent",
    options,
    async (t) => {
      const { local } = await ours(t, []);
      const { folder, torrent, magnet, out, assertSame } = await trackerless(t);
      const env = { DHT_NODE: String(local.port) };
      const seed = new Running(t, [...PEER, "seed", torrent, folder], env);
      await seed.event("ready");
      const node = `127.0.0.1:${local.port}`;
      const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", node, "--json"];
      await new Running(t, [EVERSEED, "get", magnet, "-o", out, ...listen]).succeed();
      assertSame();
    },
  );

  test(
    "DHT: libtorrent downloads a magnet link without a tracker from ours",
    options,
    async (t) => {
      const { local } = await ours(t, []);
      const { folder, torrent, magnet, out, assertSame } = await trackerless(t);
      const node = `127.0.0.1:${local.port}`;
      const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", node, "--json"];
      const seed = new Running(t, [EVERSEED, "seed", torrent, "--data", folder, ...listen]);
      await seed.event("ready");
      const env = { DHT_NODE: String(local.port) };
      const leech = new Running(t, [...PEER, "leech", magnet, out], env);
      await leech.event("done");
      await leech.succeed();
      assertSame();
    },
  );

  for (const [who, knows] of [
    ["libtorrent", "ours"],
    ["ours", "libtorrent"],
  ] as const) {
    test(
      `DHT: ${who} knows no node, and joins through the port message of ${knows}`,
      options,
      async (t) => {
        const { port, announced } = await recordingNode(t);
        const { folder, torrent, out } = await trackerless(t);
        const env = { DHT_NODE: who === "libtorrent" ? "0" : String(port) };
        const seed = new Running(t, [...PEER, "seed", torrent, folder], env);
        const foreignPort = Number((await seed.event("ready")).port);
        // Nobody answers at port 9.
        const node = `127.0.0.1:${who === "libtorrent" ? port : 9}`;
        const peer = ["--peer", `127.0.0.1:${foreignPort}`, "--seed", "forever"];
        const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", node, "--json"];
        const get = new Running(t, [EVERSEED, "get", torrent, "-o", out, ...peer, ...listen]);
        const ourPort = Number((await get.event("ready")).port);
        await get.event("done");
        const late = who === "libtorrent" ? foreignPort : ourPort;
        await until(`${who} announces itself to the node`, () => announced.has(late));
      },
    );
  }

  test("DHT: libtorrent finds ours through a node that the torrent names", options, async (t) => {
    const { port } = await recordingNode(t);
    const { folder, out, file, assertSame } = await trackerless(t);
    const torrent = `${file}.with-node.torrent`;
    const node = `127.0.0.1:${port}`;
    const create = [EVERSEED, "create", file, "-o", torrent, "--dht-node", node];
    await new Running(t, create).succeed();
    const listen = ["--listen", "127.0.0.1:0", "--dht-bootstrap", node, "--json"];
    const seed = new Running(t, [EVERSEED, "seed", torrent, "--data", folder, ...listen]);
    await seed.event("ready");
    const leech = new Running(t, [...PEER, "leech", torrent, out], { DHT_NODE: "0" });
    await leech.event("done");
    await leech.succeed();
    assertSame();
  });
});

/** A node of ours that tells which peers were announced to it, by their ports. */
async function recordingNode(t: TestContext) {
  const announced = new Set<number>();
  const udp = new UdpNet();
  const { local } = await ours(t, [], {
    resolve: (host) => udp.resolve(host),
    bind: (bind) =>
      udp.bind({
        ...bind,
        receive: (packet, from) => {
          const message = decodeKrpc(packet);
          if (message.kind === "query" && message.method === "announce_peer") {
            const port = message.args.get("port");
            // With an implied port it is that of the packet (BEP 5).
            announced.add(message.args.get("implied_port") ? from.port : Number(port));
          }
          bind.receive(packet, from);
        },
      }),
  });
  return { port: local.port, announced };
}
