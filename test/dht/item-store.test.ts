import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../../src/base/bytes.ts";
import type { BencodeDict } from "../../src/bencode/bencode-value.ts";
import { ITEM_MS, ItemStore } from "../../src/dht/item-store.ts";
import { makeImmutable, NO_SALT, placeOf, signItem, targetOf } from "../../src/dht/item.ts";
import type { MutableItem } from "../../src/dht/item.ts";
import { signatures } from "./dht-world.ts";

const KEY = signatures.keyFromSeed(new Uint8Array(32).fill(9));
const OWN = new Uint8Array(20);

function putter(host = 1) {
  return { endpoint: { address: `11.0.${host >> 8}.${host & 255}`, port: 1 }, ownId: OWN };
}

function version(sequence: bigint, text: string, salt: Uint8Array = NO_SALT): MutableItem {
  const value = encodeUtf8(`${text.length}:${text}`);
  return signItem(KEY, { value, sequence, salt });
}

function argsOf(
  item: MutableItem,
  more: Readonly<Record<string, bigint | Uint8Array>> = {},
): BencodeDict {
  const args = new Map<string, Uint8Array | bigint>([
    ["k", item.publicKey],
    ["seq", item.sequence],
    ["sig", item.signature],
    ["v", item.value],
  ]);
  if (item.salt.length > 0) args.set("salt", item.salt);
  for (const [key, value] of Object.entries(more)) args.set(key, value);
  return args;
}

function code(store: ItemStore, args: BencodeDict, now = 0): number | undefined {
  return store.put(args, putter(), now)?.code;
}

test("DHT-4: what BEP 44 does not allow is refused with its code", () => {
  const store = new ItemStore(signatures);
  const good = version(1n, "x");
  const value = (text: string): BencodeDict => new Map([["v", encodeUtf8(text)]]);
  const cases: [name: string, args: BencodeDict, code: number][] = [
    ["no value", new Map(), 203],
    ["keys out of order", value("d1:bi1e1:ai1ee"), 203],
    ["1001 bytes", value(`997:${"x".repeat(997)}`), 205],
    ["another signature", argsOf(good, { sig: new Uint8Array(64) }), 206],
    ["another sequence number", argsOf(good, { seq: 2n }), 206],
    ["a salt of 65 bytes", argsOf(good, { salt: new Uint8Array(65) }), 207],
    ["a short key", argsOf(good, { k: new Uint8Array(31) }), 203],
    ["a negative sequence number", argsOf(good, { seq: -1n }), 203],
  ];
  for (const [name, args, expected] of cases) assert.equal(code(store, args), expected, name);
  assert.equal(store.size, 0);
});

test("DHT-4: a sequence number never goes back, and cas names the version that is stored", () => {
  const store = new ItemStore(signatures);
  const target = targetOf(placeOf(version(1n, "x")));
  assert.equal(code(store, argsOf(version(5n, "five"))), undefined);
  assert.equal(code(store, argsOf(version(4n, "four"))), 302);
  assert.equal(code(store, argsOf(version(5n, "other"))), 302);
  assert.equal(code(store, argsOf(version(5n, "five"))), undefined, "the same again");
  assert.equal(code(store, argsOf(version(6n, "six"), { cas: 4n })), 301);
  assert.equal(code(store, argsOf(version(6n, "six"), { cas: 5n })), undefined);
  const stored = store.get(target, 0);
  assert.equal(stored?.kind === "mutable" && stored.sequence, 6n);
  assert.equal(code(store, argsOf(version(1n, "salted", encodeUtf8("s")))), undefined);
  assert.equal(store.size, 2, "another salt is another item");
});

test("an item lives for two hours after it was put last", () => {
  const store = new ItemStore(signatures);
  const item = makeImmutable(encodeUtf8("i1e"));
  const target = targetOf(placeOf(item));
  code(store, new Map([["v", item.value]]), 0);
  code(store, new Map([["v", item.value]]), ITEM_MS - 1);
  assert.ok(store.get(target, 2 * ITEM_MS - 2));
  assert.equal(store.get(target, 2 * ITEM_MS - 1), undefined);
  store.expire(2 * ITEM_MS);
  assert.equal(store.size, 0);
});

test("DHT-4: one address fills no store, and all together not more than its bound", () => {
  const store = new ItemStore(signatures);
  const flood = (count: number, host: (i: number) => number): void => {
    for (let i = 0; i < count; i += 1) {
      const value = encodeUtf8(`i${i}${host(i)}e`);
      store.put(new Map([["v", value]]), putter(host(i)), 0);
    }
  };
  flood(500, () => 1);
  assert.equal(store.size, 64);
  flood(4000, (i) => 2 + (i % 200));
  assert.equal(store.size, 2000);
});
