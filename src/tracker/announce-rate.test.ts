import assert from "node:assert/strict";
import { test } from "node:test";
import { chance } from "../../test/tracker/tracker-world.ts";
import { AnnounceRate } from "./announce-rate.ts";

const FIRST = new Uint8Array([198, 51, 100, 7]);
const OTHER = new Uint8Array([198, 51, 100, 8]);

function taken(rate: AnnounceRate, address: Uint8Array, storm: { count: number; atMs: number }) {
  let count = 0;
  for (let i = 0; i < storm.count; i += 1) if (rate.take(address, storm.atMs)) count += 1;
  return count;
}

test("TRK-11: a storm from one address is cut to its rate, other addresses are not", () => {
  const rate = new AnnounceRate(100, chance(1));
  assert.equal(taken(rate, FIRST, { count: 10_000, atMs: 5 }), 1_000, "ten seconds at once");
  assert.equal(taken(rate, OTHER, { count: 10, atMs: 5 }), 10);
  assert.equal(taken(rate, FIRST, { count: 10_000, atMs: 1_005 }), 100);
  assert.equal(taken(rate, FIRST, { count: 10_000, atMs: 600_000 }), 1_000);
});

test("TRK-11: an IPv6 network of 64 bits is one address", () => {
  const rate = new AnnounceRate(1, chance(1));
  const address = (last: number): Uint8Array => {
    const bytes = new Uint8Array(16).fill(0x20);
    bytes[15] = last;
    return bytes;
  };
  let count = 0;
  for (let last = 0; last < 256; last += 1) if (rate.take(address(last), 0)) count += 1;
  assert.equal(count, 10);
});
