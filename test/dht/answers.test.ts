import assert from "node:assert/strict";
import { test } from "node:test";
import { concatBytes, encodeUtf8, fromLatin1, toLatin1 } from "../../src/base/bytes.ts";
import { decodeCompact, type Endpoint } from "../../src/base/endpoint.ts";
import {
  type BencodeDict,
  getBytes,
  getInteger,
  getList,
} from "../../src/bencode/bencode-value.ts";
import { BloomFilter } from "../../src/dht/bloom-filter.ts";
import { type Contact, type Family } from "../../src/dht/contact.ts";
import { DEFAULT_NODE_SETTINGS, DhtNode, type DhtOutput } from "../../src/dht/dht-node.ts";
import { encodeQuery, encodeReply, type KrpcFields } from "../../src/dht/encode-krpc.ts";
import { decodeKrpc, type KrpcMessage } from "../../src/dht/krpc.ts";
import { NodeStores } from "../../src/dht/node-stores.ts";
import { OuterAddress } from "../../src/base/outer-address.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { signatures } from "./dht-world.ts";

const random = seededRandom(21);
const INFOHASH = random.bytes(20);
const ASKER_ID = random.bytes(20);
const T = fromLatin1("tt");

/** Two nodes of one machine, and what they send. */
function machine(settings: Partial<typeof DEFAULT_NODE_SETTINGS> = {}) {
  const stores = new NodeStores({ random, signatures }, 0);
  const nodes = new Map<Family, DhtNode>();
  const make = (family: Family): DhtNode => {
    const other: Family = family === 4 ? 6 : 4;
    const node = new DhtNode(
      {
        family,
        id: random.bytes(20),
        random,
        settings: { ...DEFAULT_NODE_SETTINGS, ...settings },
        stores,
        outer: new OuterAddress(),
        otherTable: () => nodes.get(other)?.table,
      },
      0,
    );
    nodes.set(family, node);
    return node;
  };
  return { node: make(4), node6: make(6), stores };
}

/** The first packets of a node, its own upkeep included. */
function packets(node: DhtNode): { readonly packet: Uint8Array; readonly to: Endpoint }[] {
  const isSend = (output: DhtOutput) => output.kind === "send";
  return node.takeOutputs().filter(isSend);
}

function ask(
  node: DhtNode,
  method: string,
  args: KrpcFields,
  from: Endpoint = { address: "20.1.1.1", port: 6000 },
): { readonly asked: number; readonly packet: Uint8Array; readonly message: KrpcMessage } {
  const query = encodeQuery({
    transaction: T,
    method,
    args: { id: ASKER_ID, ...args },
    readOnly: true,
  });
  node.handlePacket(query, from, 0);
  const [sent] = packets(node);
  assert.ok(sent, `${method} is answered`);
  assert.deepEqual(sent.to, from);
  return { asked: query.length, packet: sent.packet, message: decodeKrpc(sent.packet) };
}

function results(message: KrpcMessage): BencodeDict {
  assert.ok(message.kind === "reply", JSON.stringify(message));
  return message.results;
}

function code(message: KrpcMessage): number | undefined {
  return message.kind === "failure" ? message.code : undefined;
}

function fill(node: DhtNode, family: Family): void {
  for (let i = 0; i < 60; i += 1) {
    const address = family === 4 ? `21.${i}.1.1` : `2600:${(i + 1).toString(16)}::1`;
    const contact: Contact = { id: random.bytes(20), endpoint: { address, port: 1000 + i } };
    node.table.handleAnswer(contact, 0);
  }
}

test("ping, find_node, and both families when they are wanted (BEP 5, 32)", () => {
  const { node, node6 } = machine();
  fill(node, 4);
  fill(node6, 6);
  const pong = ask(node, "ping", {}).message;
  assert.deepEqual(getBytes(results(pong), "id"), node.id);
  assert.deepEqual(pong.kind === "reply" && pong.outer, { address: "20.1.1.1", port: 6000 });
  const lengths = (want: string[] | undefined, asked = node): (number | undefined)[] => {
    const from = asked === node ? undefined : { address: "2601::1", port: 1 };
    const found = results(ask(asked, "find_node", { target: INFOHASH, want }, from).message);
    return [getBytes(found, "nodes")?.length, getBytes(found, "nodes6")?.length];
  };
  assert.deepEqual(lengths(undefined), [8 * 26, undefined]);
  assert.deepEqual(lengths(["n6"]), [undefined, 8 * 38]);
  assert.deepEqual(lengths(["n4", "n6", "x"]), [8 * 26, 8 * 38]);
  assert.deepEqual(lengths(undefined, node6), [undefined, 8 * 38]);
});

test("DHT-2: announce_peer takes a token of the same address; implied_port takes the packet's", () => {
  const { node } = machine();
  const from = { address: "20.1.1.1", port: 6000 };
  const tokenOf = (endpoint: Endpoint): Uint8Array =>
    getBytes(results(ask(node, "get_peers", { info_hash: INFOHASH }, endpoint).message), "token")!;
  const token = tokenOf(from);
  const announce = (args: KrpcFields, endpoint = from): number | undefined =>
    code(
      ask(node, "announce_peer", { info_hash: INFOHASH, port: 7000, ...args }, endpoint).message,
    );
  assert.equal(announce({}), 203, "no token");
  assert.equal(announce({ token: tokenOf({ ...from, address: "20.1.1.2" }) }), 203, "stolen");
  assert.equal(announce({ token, port: 0 }), 203);
  assert.equal(announce({ token, port: 65536 }), 203);
  assert.equal(announce({ token }), undefined);
  const moved = { ...from, port: 6001 };
  assert.equal(announce({ token, port: 0, implied_port: 1 }, moved), undefined, "a router's port");
  const found = results(ask(node, "get_peers", { info_hash: INFOHASH }).message);
  const ports = getList(found, "values")!.map(
    (value) => decodeCompact(value as Uint8Array, 6)[0]!.port,
  );
  assert.deepEqual(new Set(ports), new Set([6001, 7000]));
});

test("scrape: filters and no peers (BEP 33); samples are the same for a while (BEP 51)", () => {
  const { node, stores } = machine();
  for (let i = 0; i < 30; i += 1) {
    const endpoint = { address: `22.1.${i}.1`, port: 1 };
    stores.peers.add({ infohash: INFOHASH, endpoint, seed: i < 10 }, node.id, 0);
    const other = { infohash: random.bytes(20), endpoint, seed: false };
    stores.peers.add(other, node.id, 0);
  }
  const scraped = results(ask(node, "get_peers", { info_hash: INFOHASH, scrape: 1 }).message);
  const estimate = (key: string): number =>
    Math.round(new BloomFilter(getBytes(scraped, key)).estimate());
  assert.deepEqual([estimate("BFsd"), estimate("BFpe")], [10, 20]);
  assert.equal(scraped.has("values"), false);
  const sample = (): BencodeDict =>
    results(ask(node, "sample_infohashes", { target: INFOHASH }).message);
  const first = sample();
  assert.equal(getBytes(first, "samples")!.length, 20 * 20);
  assert.equal(getInteger(first, "num"), 31);
  assert.ok(getInteger(first, "interval")! > 0);
  assert.deepEqual(getBytes(sample(), "samples"), getBytes(first, "samples"));
  const empty = results(ask(machine().node, "sample_infohashes", { target: INFOHASH }).message);
  assert.equal(getBytes(empty, "samples")!.length, 0, "present even when there are none");
});

test("items: put with a token, get with and without a known sequence number (BEP 44)", () => {
  const { node } = machine();
  const key = signatures.keyFromSeed(new Uint8Array(32).fill(1));
  const value = encodeUtf8("12:Hello World!");
  const token = getBytes(results(ask(node, "get", { target: INFOHASH }).message), "token")!;
  const signed = {
    k: key.publicKey,
    seq: 1,
    sig: key.sign(encodeUtf8("3:seqi1e1:v12:Hello World!")),
    v: value,
  };
  assert.equal(code(ask(node, "put", signed).message), 203, "no token");
  assert.equal(code(ask(node, "put", { ...signed, token, sig: new Uint8Array(64) }).message), 206);
  assert.equal(code(ask(node, "put", { ...signed, token }).message), undefined);
  const target = Uint8Array.from(Buffer.from("9ad19e0f16eef714cb90c6f195dbce66e94580f9", "hex"));
  const found = results(ask(node, "get", { target }).message);
  assert.equal(toLatin1(getBytes(found, "v")!), "12:Hello World!");
  assert.deepEqual(getBytes(found, "sig"), signed.sig);
  const known = results(ask(node, "get", { target, seq: 1 }).message);
  assert.deepEqual([known.has("v"), known.has("sig"), getInteger(known, "seq")], [false, false, 1]);
});

test("unknown methods: nodes when a target is named, an error otherwise; wrong arguments are refused", () => {
  const { node } = machine();
  fill(node, 4);
  assert.equal(
    getBytes(results(ask(node, "new", { target: INFOHASH }).message), "nodes")!.length,
    208,
  );
  assert.equal(
    getBytes(results(ask(node, "new", { info_hash: INFOHASH }).message), "nodes")!.length,
    208,
  );
  assert.equal(code(ask(node, "new", {}).message), 204);
  for (const method of ["find_node", "get", "sample_infohashes"]) {
    assert.equal(code(ask(node, method, { target: fromLatin1("short") }).message), 203, method);
  }
  assert.equal(code(ask(node, "get_peers", {}).message), 203);
});

test("DHT-1: no answer is much longer than its query, and none of them is long", (t) => {
  const { node, node6, stores } = machine();
  fill(node, 4);
  fill(node6, 6);
  for (let i = 0; i < 300; i += 1) {
    const endpoint = { address: `22.${i >> 8}.${i & 255}.1`, port: 1 };
    stores.peers.add({ infohash: INFOHASH, endpoint, seed: false }, node.id, 0);
    stores.peers.add({ infohash: random.bytes(20), endpoint, seed: false }, node.id, 0);
  }
  const want = ["n4", "n6"];
  const cases: [name: string, method: string, args: KrpcFields, factorMax: number][] = [
    ["ping", "ping", {}, 1.2],
    ["find_node", "find_node", { target: INFOHASH }, 4],
    ["find_node, both", "find_node", { target: INFOHASH, want }, 6],
    ["get_peers", "get_peers", { info_hash: INFOHASH }, 5],
    ["get_peers, both", "get_peers", { info_hash: INFOHASH, want }, 8],
    ["get_peers, scrape", "get_peers", { info_hash: INFOHASH, scrape: 1 }, 9],
    ["get_peers, scrape, both", "get_peers", { info_hash: INFOHASH, scrape: 1, want }, 9],
    ["sample_infohashes", "sample_infohashes", { target: INFOHASH }, 7],
    ["get", "get", { target: INFOHASH, want }, 7],
    ["an error", "put", { token: fromLatin1("x") }, 1.2],
  ];
  for (const [name, method, args, factorMax] of cases) {
    const { asked, packet } = ask(node, method, args);
    const factor = packet.length / asked;
    t.diagnostic(`${name}: ${asked} -> ${packet.length} bytes, ${factor.toFixed(1)} x`);
    assert.ok(packet.length <= 1024, `${name}: ${packet.length} bytes`);
    assert.ok(factor <= factorMax, `${name}: ${factor.toFixed(2)} x`);
  }
});

test("DHT-1: junk, packets from port 0 and our own echo are not answered", () => {
  const { node } = machine();
  const from = { address: "20.1.1.1", port: 6000 };
  const ping = (id: Uint8Array): Uint8Array =>
    encodeQuery({ transaction: T, method: "ping", args: { id }, readOnly: true });
  node.handlePacket(fromLatin1("junk"), from, 0);
  node.handlePacket(concatBytes([ping(ASKER_ID), new Uint8Array(1500)]), from, 0);
  node.handlePacket(ping(ASKER_ID), { ...from, port: 0 }, 0);
  node.handlePacket(ping(node.id), from, 0);
  assert.deepEqual(packets(node), []);
});

test("a read-only node asks with `ro` and answers nobody (BEP 43)", () => {
  const { node } = machine({ readOnly: true });
  const from = { address: "20.1.1.1", port: 6000 };
  node.handlePacket(
    encodeQuery({ transaction: T, method: "ping", args: { id: ASKER_ID }, readOnly: false }),
    from,
    0,
  );
  assert.deepEqual(packets(node), []);
  node.ask(from, { method: "ping", args: {} }, () => undefined, 0);
  const asked = decodeKrpc(packets(node)[0]!.packet);
  assert.ok(asked.kind === "query" && asked.readOnly);
});

test("DHT-3: only the endpoint that was asked can answer, once, and a read-only node gets no place", () => {
  const { node } = machine();
  const victim = { address: "20.1.1.1", port: 6000 };
  const reply = (transaction: Uint8Array): Uint8Array =>
    encodeReply({ transaction, results: { id: ASKER_ID }, to: victim });
  node.handlePacket(reply(T), victim, 0);
  assert.equal(node.table.size, 0, "nothing was asked");
  const asked: string[] = [];
  node.ask(victim, { method: "ping", args: {} }, ({ kind }) => asked.push(kind), 0);
  const { transaction } = decodeKrpc(packets(node)[0]!.packet);
  const answer = reply(Uint8Array.from(transaction));
  node.handlePacket(answer, { address: "20.1.1.2", port: 6000 }, 0);
  node.handlePacket(answer, { address: "20.1.1.1", port: 6001 }, 0);
  node.handlePacket(reply(T), victim, 0);
  assert.equal(node.table.size, 0);
  node.handlePacket(answer, victim, 0);
  assert.equal(node.table.size, 1);
  node.handlePacket(answer, victim, 0);
  for (const output of node.takeOutputs()) if (output.kind === "tell") output.tell();
  assert.deepEqual(asked, ["reply"]);
  ask(node, "ping", {}, { address: "23.1.1.1", port: 1 });
  assert.equal(node.table.size, 1, "who asks gets no place by asking");
});
