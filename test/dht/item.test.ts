import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encodeUtf8, fromHex, toHex } from "../../src/base/bytes.ts";
import { dictOf } from "../../src/bencode/encode.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import {
  isSigned,
  makeImmutable,
  NO_SALT,
  placeOf,
  readItem,
  signItem,
  targetOf,
  VALUE_BYTES_MAX,
} from "../../src/dht/item.ts";
import { decodePointer, encodePointer } from "../../src/dht/mutable-torrent.ts";

interface Vector {
  readonly k: string;
  readonly seq: number;
  readonly v: string;
  readonly sig: string;
  readonly target?: string;
  readonly seed?: string;
  readonly salt_ascii?: string;
  readonly immutable?: boolean;
}

const { bep44, bep46 } = JSON.parse(
  readFileSync(new URL("../vectors/vectors.json", import.meta.url), "utf8"),
) as {
  bep44: readonly Vector[];
  bep46: readonly { k: string; salt?: string; target: string }[];
};
const signatures = new NodeSignatures();

function hex(text: string): Uint8Array {
  return fromHex(text)!;
}

test("signatures and targets are those of BEP 44", () => {
  for (const { k, seq, v, sig, target, seed, salt_ascii: saltText, immutable } of bep44) {
    const value = encodeUtf8(v);
    if (immutable) {
      assert.equal(toHex(targetOf(placeOf(makeImmutable(value)))), target);
      continue;
    }
    const salt = encodeUtf8(saltText ?? "");
    const key = seed ? signatures.keyFromSeed(hex(seed)) : undefined;
    const publicKey = key ? key.publicKey : hex(k);
    if (k) assert.equal(toHex(publicKey), k);
    const sequence = BigInt(seq);
    const item = {
      kind: "mutable",
      value,
      publicKey,
      salt,
      sequence,
      signature: hex(sig),
    } as const;
    assert.ok(isSigned(item, signatures), v);
    assert.ok(!isSigned({ ...item, sequence: sequence + 1n }, signatures));
    assert.ok(!isSigned({ ...item, salt: encodeUtf8("x") }, signatures));
    if (target) assert.equal(toHex(targetOf(placeOf(item))), target);
    if (key) assert.deepEqual(signItem(key, { value, salt, sequence }), item);
  }
});

test("targets of mutable torrents are those of BEP 46", () => {
  for (const { k, salt, target } of bep46) {
    const place = { kind: "mutable", publicKey: hex(k), salt: hex(salt ?? "") } as const;
    assert.equal(toHex(targetOf(place)), target);
  }
});

test("a pointer names a torrent by v1, by v2, or by both (BEP 46)", () => {
  const v1 = new Uint8Array(20).fill(0x61);
  const v2 = new Uint8Array(32).fill(7);
  assert.equal(toHex(encodePointer({ v1 })), toHex(encodeUtf8("d2:ih20:aaaaaaaaaaaaaaaaaaaae")));
  for (const infohashes of [{ v1, v2: undefined }, { v1, v2 }, { v2 }]) {
    assert.deepEqual(decodePointer(encodePointer(infohashes)), infohashes);
  }
  for (const other of ["i1e", "de", "d2:ih3:abce", "x"]) {
    assert.equal(decodePointer(encodeUtf8(other)), undefined);
  }
});

test("sequence numbers beyond 2^53 keep every digit; what is no sequence number is refused", () => {
  const key = signatures.keyFromSeed(new Uint8Array(32).fill(1));
  const value = encodeUtf8("1:x");
  const item = signItem(key, { value, salt: NO_SALT, sequence: 2n ** 53n + 1n });
  assert.equal(item.sequence, 9007199254740993n);
  assert.ok(isSigned(item, signatures));
  for (const sequence of [-1n, 2n ** 63n]) {
    assert.throws(() => signItem(key, { value, salt: NO_SALT, sequence }), { code: "bad-item" });
  }
  const salt = new Uint8Array(65);
  assert.throws(() => signItem(key, { value, salt, sequence: 1n }), { code: "bad-item" });
});

test("a reply counts when it proves itself: by its hash, or by the key that was asked for", () => {
  const value = encodeUtf8("12:Hello World!");
  const place = placeOf(makeImmutable(value));
  assert.ok(readItem(dictOf({ v: value }) as never, place, signatures));
  const forged = dictOf({ v: encodeUtf8("5:other") }) as never;
  assert.equal(readItem(forged, place, signatures), undefined);
  const key = signatures.keyFromSeed(new Uint8Array(32).fill(1));
  const other = signatures.keyFromSeed(new Uint8Array(32).fill(2));
  const item = signItem(key, { value, salt: NO_SALT, sequence: 3n });
  const results = (from: typeof item): never =>
    dictOf({ k: from.publicKey, seq: from.sequence, sig: from.signature, v: from.value }) as never;
  assert.deepEqual(readItem(results(item), placeOf(item), signatures), item);
  assert.equal(readItem(results({ ...item, sequence: 4n }), placeOf(item), signatures), undefined);
  const foreign = signItem(other, { value, salt: NO_SALT, sequence: 9n });
  assert.equal(readItem(results(foreign), placeOf(item), signatures), undefined);
});

test("a value is bencoded and short", () => {
  for (const text of ["", "x", "d1:bi1e1:ai1ee", "i1ei2e"]) {
    assert.throws(() => makeImmutable(encodeUtf8(text)), { code: "bad-item" }, text);
  }
  const length = VALUE_BYTES_MAX - "996:".length;
  assert.ok(makeImmutable(encodeUtf8(`${length}:${"x".repeat(length)}`)));
  assert.throws(() => makeImmutable(encodeUtf8(`${length + 1}:${"x".repeat(length + 1)}`)), {
    code: "bad-item",
  });
});
