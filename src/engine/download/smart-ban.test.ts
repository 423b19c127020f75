import assert from "node:assert/strict";
import { test } from "node:test";
import { sha1 } from "../../base/hash.ts";
import { concatBytes } from "../../base/bytes.ts";
import { SmartBan } from "./smart-ban.ts";

/** Digests of a piece whose block contents are these texts. */
function digestsOf(blocks: readonly string[]): Uint8Array {
  return concatBytes(blocks.map((block) => sha1(new TextEncoder().encode(block))));
}

const TRUE = ["a", "b", "c", "d"];

function sendersOf(ban: SmartBan, addresses: readonly (string | undefined)[]): Int32Array {
  return Int32Array.from(addresses, (address) =>
    address === undefined ? -1 : ban.senderOf(address),
  );
}

test("a piece that was never corrupt proves nothing and is not watched", () => {
  const ban = new SmartBan();
  assert.equal(ban.watches(3), false);
  assert.deepEqual(ban.handleIntact(3, digestsOf(TRUE)), []);
});

test("WIR-12: the sender of the block that differs is named, the others are not", () => {
  const ban = new SmartBan();
  const senders = sendersOf(ban, ["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.3"]);
  ban.handleCorrupt(3, digestsOf(["a", "LIE", "c", "d"]), senders);
  assert.ok(ban.watches(3));
  assert.deepEqual(ban.handleIntact(3, digestsOf(TRUE)), ["10.0.0.2"]);
  assert.equal(ban.watches(3), false);
});

test("WIR-13: one bad block among good ones of the same peer is enough proof", () => {
  const ban = new SmartBan();
  const senders = sendersOf(ban, ["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1"]);
  ban.handleCorrupt(3, digestsOf(["a", "b", "c", "LIE"]), senders);
  assert.deepEqual(ban.handleIntact(3, digestsOf(TRUE)), ["10.0.0.1"]);
});

test("several corrupt deliveries of one piece: every liar is found, each once", () => {
  const ban = new SmartBan();
  const honest = "10.0.0.9";
  for (const liar of ["10.0.0.1", "10.0.0.2", "10.0.0.1"]) {
    const senders = sendersOf(ban, [liar, honest, honest, honest]);
    ban.handleCorrupt(3, digestsOf([`LIE of ${liar}`, "b", "c", "d"]), senders);
  }
  assert.deepEqual(ban.handleIntact(3, digestsOf(TRUE)), ["10.0.0.1", "10.0.0.2"]);
});

test("WIR-28: an honest peer is never named, however many corrupt pieces it took part in", () => {
  const ban = new SmartBan();
  const honest = "10.0.0.9";
  for (let piece = 0; piece < 200; piece += 1) {
    const sybil = `127.1.0.${piece}`;
    const senders = sendersOf(ban, [honest, sybil, honest, honest]);
    ban.handleCorrupt(piece, digestsOf(["a", "LIE", "c", "d"]), senders);
  }
  for (let piece = 0; piece < 200; piece += 1) {
    assert.deepEqual(ban.handleIntact(piece, digestsOf(TRUE)), [`127.1.0.${piece}`]);
  }
});

test("a liar is named once, and again only for blocks that it sent under its new number", () => {
  const ban = new SmartBan();
  const spoil = (piece: number): void => {
    const senders = sendersOf(ban, ["10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.2"]);
    ban.handleCorrupt(piece, digestsOf(["LIE", "b", "c", "d"]), senders);
  };
  spoil(1);
  spoil(2);
  assert.deepEqual(ban.handleIntact(1, digestsOf(TRUE)), ["10.0.0.1"]);
  assert.deepEqual(ban.handleIntact(2, digestsOf(TRUE)), []);
  spoil(3);
  assert.deepEqual(ban.handleIntact(3, digestsOf(TRUE)), ["10.0.0.1"]);
});

test("blocks of unknown origin blame no peer", () => {
  const ban = new SmartBan();
  ban.handleCorrupt(
    3,
    digestsOf(["LIE", "b", "c", "d"]),
    sendersOf(ban, [undefined, "10.0.0.2", undefined, undefined]),
  );
  assert.deepEqual(ban.handleIntact(3, digestsOf(TRUE)), []);
});

test("an intact piece without digests forgets the evidence", () => {
  const ban = new SmartBan();
  const senders = sendersOf(ban, ["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1"]);
  ban.handleCorrupt(3, digestsOf(["a", "b", "c", "LIE"]), senders);
  assert.deepEqual(ban.handleIntact(3, undefined), []);
  assert.equal(ban.watches(3), false);
});

test("an address keeps its number over all its connections", () => {
  const ban = new SmartBan();
  const first = ban.senderOf("10.0.0.1");
  assert.notEqual(ban.senderOf("10.0.0.2"), first);
  assert.equal(ban.senderOf("10.0.0.1"), first);
});

test("evidence is bounded: the oldest pieces are forgotten first", () => {
  const ban = new SmartBan();
  const blocks = 1024;
  const digests = new Uint8Array(blocks * 20);
  const senders = new Int32Array(blocks).fill(ban.senderOf("10.0.0.1"));
  for (let piece = 0; piece < 100; piece += 1) ban.handleCorrupt(piece, digests, senders);
  assert.equal(ban.watches(35), false);
  assert.ok(ban.watches(36) && ban.watches(99));
});

test("senders are bounded: a long forgotten sender is not blamed, nor is its successor", () => {
  const ban = new SmartBan();
  ban.handleCorrupt(0, digestsOf(["LIE"]), sendersOf(ban, ["10.9.9.9"]));
  for (let i = 0; i < 16_384; i += 1) ban.senderOf(`10.1.${i >> 8}.${i & 255}`);
  assert.deepEqual(ban.handleIntact(0, digestsOf(["a"])), []);
});
