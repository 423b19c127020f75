import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { toHex } from "../base/bytes.ts";
import { addressBytes } from "../base/endpoint.ts";
import { sha1 } from "../base/hash.ts";
import { BLOOM_BYTES, BloomFilter } from "./bloom-filter.ts";

interface Vector {
  readonly first32: string;
  readonly sha1: string;
  readonly estimate: number;
  readonly single: { readonly ip: string; readonly bits: readonly number[] };
}

const { bep33 } = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as { bep33: Vector };

test("the filter of BEP 33's 1256 addresses, and how many it says they are", () => {
  const v4 = new BloomFilter();
  for (let i = 0; i < 256; i += 1) v4.add(addressBytes(`192.0.2.${i}`)!);
  const both = new BloomFilter();
  for (let i = 0; i < 1000; i += 1) both.add(addressBytes(`2001:db8::${i.toString(16)}`)!);
  // Two nodes know different peers, and one more twice: joined filters count each once.
  both.add(addressBytes("192.0.2.7")!);
  both.join(v4.bytes);
  assert.equal(toHex(both.bytes.subarray(0, 32)), bep33.first32);
  assert.equal(toHex(sha1(both.bytes)), bep33.sha1);
  assert.ok(Math.abs(both.estimate() - bep33.estimate) < 1e-6, `${both.estimate()}`);
});

test("one address sets the bits that BEP 33 names", () => {
  const filter = new BloomFilter();
  filter.add(addressBytes(bep33.single.ip)!);
  const bits = Array.from({ length: 2048 }, (_, bit) => bit).filter(
    (bit) => (filter.bytes[bit >> 3]! & (1 << (bit & 7))) !== 0,
  );
  assert.deepEqual(bits, bep33.single.bits);
});

test("an empty filter says nobody, a full one is still a number", () => {
  assert.equal(new BloomFilter().estimate(), 0);
  const full = new BloomFilter(new Uint8Array(BLOOM_BYTES).fill(0xff)).estimate();
  assert.ok(full > 6000 && Number.isFinite(full));
});
