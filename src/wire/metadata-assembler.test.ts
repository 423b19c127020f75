import assert from "node:assert/strict";
import { test } from "node:test";
import { sha1, sha256 } from "../base/hash.ts";
import type { Infohashes } from "../base/infohash.ts";
import { MetadataAssembler, type MetadataProgress } from "./metadata-assembler.ts";
import { MetadataServer, decodeMetadataMessage } from "./ut-metadata.ts";

const BYTES_MAX = 30_000_000;
const info = new Uint8Array(100_000).map((_, index) => index * 7);
const infohashes = { v1: sha1(info) };

function makeAssembler(of: Infohashes = infohashes): MetadataAssembler<string> {
  return new MetadataAssembler({ infohashes: of, bytesMax: BYTES_MAX });
}

/** Answers a request like a peer that believes `content` to be the dictionary. */
function answer(
  assembler: MetadataAssembler<string>,
  peer: string,
  request: { index: number; content: Uint8Array; nowMs: number },
): MetadataProgress<string> {
  const message = decodeMetadataMessage(new MetadataServer(request.content).answer(request.index));
  assert.ok(message?.kind === "data");
  return assembler.handleBlock(peer, message, request.nowMs);
}

interface Run {
  readonly infoBytes: Uint8Array | undefined;
  readonly liars: string[];
  readonly sent: Map<string, number>;
  readonly seconds: number;
}

/** Lets peers answer in turn, one block a second each. `undefined` content means silence. */
function run(
  assembler: MetadataAssembler<string>,
  peers: ReadonlyMap<string, Uint8Array | undefined>,
): Run {
  const liars: string[] = [];
  const sent = new Map<string, number>();
  const queues = new Map([...peers.keys()].map((peer) => [peer, [] as number[]]));
  for (let second = 0; second < 1000; second += 1) {
    for (const [peer, content] of peers) {
      if (liars.includes(peer)) continue;
      const nowMs = second * 1000;
      const queue = queues.get(peer)!;
      for (;;) {
        const index = assembler.nextRequest(peer, nowMs);
        if (index === undefined) break;
        queue.push(index);
      }
      const index = content === undefined ? undefined : queue.shift();
      if (content === undefined || index === undefined) continue;
      sent.set(peer, (sent.get(peer) ?? 0) + 1);
      const progress = answer(assembler, peer, { index, content, nowMs });
      if (progress.kind === "complete") {
        return { infoBytes: progress.infoBytes, liars, sent, seconds: second };
      }
      if (progress.kind === "mismatch" && progress.liar !== undefined) {
        liars.push(progress.liar);
        assembler.handleGone(progress.liar);
      }
    }
  }
  return { infoBytes: undefined, liars, sent, seconds: Number.POSITIVE_INFINITY };
}

test("WIR-10: refuses impossible sizes, and sizes that change", () => {
  for (const size of [0, -1, 1.5, 2 ** 31, Number.NaN, BYTES_MAX + 1]) {
    assert.throws(() => makeAssembler().handleOffer("a", size), { code: "bad-extension" });
  }
  const assembler = makeAssembler();
  assembler.handleOffer("a", 100_000);
  assembler.handleOffer("a", 100_000);
  assert.throws(() => assembler.handleOffer("a", 100_001), { code: "bad-extension" });
});

test("WIR-10: refuses a block whose total_size differs from the peer's claim", () => {
  const assembler = makeAssembler();
  assembler.handleOffer("a", info.length);
  const index = assembler.nextRequest("a", 0)!;
  assert.throws(
    () => answer(assembler, "a", { index, content: new Uint8Array(99_999), nowMs: 0 }),
    { code: "bad-extension" },
  );
});

test("one honest peer alone", () => {
  const assembler = makeAssembler();
  assembler.handleOffer("honest", info.length);
  const result = run(assembler, new Map([["honest", info]]));
  assert.deepEqual(result.infoBytes, info);
  assert.equal(result.sent.get("honest"), 7);
});

test("several honest peers share the work", () => {
  const assembler = makeAssembler();
  const peers = new Map(["a", "b", "c"].map((peer) => [peer, info]));
  for (const peer of peers.keys()) assembler.handleOffer(peer, info.length);
  const result = run(assembler, peers);
  assert.deepEqual(result.infoBytes, info);
  assert.ok(result.sent.size >= 2, `${result.sent.size} of 3 peers were asked`);
  assert.ok([...result.sent.values()].every((count) => count <= 4));
});

test("WIR-10: one liar and one honest peer", () => {
  const spoiled = Uint8Array.from(info);
  spoiled[50_000]! ^= 1;
  for (const order of [
    ["liar", "honest"],
    ["honest", "liar"],
  ]) {
    const assembler = makeAssembler();
    const peers = new Map(order.map((peer) => [peer, peer === "liar" ? spoiled : info]));
    for (const peer of peers.keys()) assembler.handleOffer(peer, info.length);
    const result = run(assembler, peers);
    assert.deepEqual(result.infoBytes, info);
    assert.ok(!result.liars.includes("honest"));
  }
});

test("WIR-10: three liars are each proven when they are asked alone", () => {
  const assembler = makeAssembler();
  const peers = new Map<string, Uint8Array>();
  for (const liar of ["x", "y", "z"]) peers.set(liar, new Uint8Array(info.length));
  peers.set("honest", info);
  for (const peer of peers.keys()) assembler.handleOffer(peer, info.length);
  const result = run(assembler, peers);
  assert.deepEqual(result.infoBytes, info);
  assert.ok(!result.liars.includes("honest"));
});

test("WIR-10: a liar about the size, silent or not, only costs time", () => {
  for (const content of [undefined, new Uint8Array(20_000_000)]) {
    const assembler = makeAssembler();
    assembler.handleOffer("liar", 20_000_000);
    assembler.handleOffer("honest", info.length);
    const peers = new Map([
      ["liar", content],
      ["honest", info],
    ]);
    const result = run(assembler, peers);
    assert.deepEqual(result.infoBytes, info);
    assert.ok(!result.liars.includes("honest"));
  }
});

test("WIR-15: a silent peer's blocks are requested from others", () => {
  const assembler = makeAssembler();
  assembler.handleOffer("silent", info.length);
  assembler.handleOffer("honest", info.length);
  const result = run(
    assembler,
    new Map([
      ["silent", undefined],
      ["honest", info],
    ]),
  );
  assert.deepEqual(result.infoBytes, info);
  assert.ok(result.seconds < 30, `${result.seconds} s`);
});

test("a peer that leaves, or rejects, gives its blocks back at once", () => {
  for (const leave of ["gone", "reject"]) {
    const assembler = makeAssembler();
    assembler.handleOffer("a", info.length);
    assembler.handleOffer("b", info.length);
    assert.equal(assembler.nextRequest("a", 0), 0);
    if (leave === "gone") assembler.handleGone("a");
    else assembler.handleReject("a", 0);
    assert.equal(assembler.nextRequest("b", 0), 0);
    assert.equal(assembler.nextRequest("a", 1000), undefined);
  }
});

test("a peer that rejected is asked again later", () => {
  const assembler = makeAssembler();
  assembler.handleOffer("a", info.length);
  assembler.nextRequest("a", 0);
  assembler.handleReject("a", 0);
  assert.equal(assembler.nextRequest("a", 29_000), undefined);
  assert.equal(assembler.nextRequest("a", 60_000), 0);
});

test("WIR-10: at most four blocks are requested from one peer at a time", () => {
  const assembler = makeAssembler();
  assembler.handleOffer("a", info.length);
  const asked = [0, 1, 2, 3, 4].map(() => assembler.nextRequest("a", 0));
  assert.deepEqual(asked, [0, 1, 2, 3, undefined]);
});

test("blocks from strangers and duplicates are dropped", () => {
  const assembler = makeAssembler();
  assembler.handleOffer("a", info.length);
  const index = assembler.nextRequest("a", 0)!;
  const spoiled = new Uint8Array(info.length);
  answer(assembler, "stranger", { index, content: spoiled, nowMs: 0 });
  answer(assembler, "a", { index, content: info, nowMs: 0 });
  answer(assembler, "a", { index, content: spoiled, nowMs: 0 });
  const result = run(assembler, new Map([["a", info]]));
  assert.deepEqual(result.infoBytes, info);
});

test("both infohashes of a hybrid must match, and SHA-256 alone of a v2 torrent", () => {
  const cases: readonly (readonly [Infohashes, boolean])[] = [
    [{ v1: sha1(info), v2: sha256(info) }, true],
    [{ v2: sha256(info) }, true],
    [{ v1: sha1(info), v2: new Uint8Array(32) }, false],
    [{ v1: new Uint8Array(20), v2: sha256(info) }, false],
    // Twenty bytes may be a v2 infohash that was cut, unless the whole one says otherwise.
    [{ v1: sha256(info).subarray(0, 20) }, true],
    [{ v1: sha256(info).subarray(0, 20), v2: sha256(info) }, false],
    [{ v1: sha256(info).subarray(12) }, false],
  ];
  for (const [of, intact] of cases) {
    const assembler = makeAssembler(of);
    assembler.handleOffer("a", info.length);
    const result = run(assembler, new Map([["a", info]]));
    // A failure shows no difference of 100,000 bytes, which takes minutes.
    assert.equal(result.infoBytes !== undefined, intact);
    assert.deepEqual(result.liars, intact ? [] : ["a"]);
  }
});
