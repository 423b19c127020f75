import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes } from "../base/endpoint.ts";
import { finish } from "../base/work.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { type IpRanges, IpRangesBuilder } from "./ip-ranges.ts";

function bytes(address: string): Uint8Array {
  return addressBytes(address)!;
}

function rangesOf(list: readonly (readonly [first: string, last: string])[]): IpRanges {
  const builder = new IpRangesBuilder();
  for (const [first, last] of list) builder.add(bytes(first), bytes(last));
  return finish(builder.build());
}

test("no range holds no address", () => {
  const ranges = rangesOf([]);
  assert.equal(ranges.count, 0);
  assert.equal(ranges.has(bytes("1.2.3.4")), false);
  assert.equal(ranges.has(bytes("::1")), false);
});

test("both ends of a range are in it, their neighbours are not", () => {
  const ranges = rangesOf([
    ["200.0.0.0", "255.255.255.255"],
    ["0.0.0.0", "0.0.0.9"],
    ["1.2.3.4", "1.2.3.4"],
    ["2001:db8::", "2001:db8::ffff"],
  ]);
  const inside = ["0.0.0.0", "0.0.0.9", "1.2.3.4", "200.0.0.0", "255.255.255.255"];
  const outside = ["0.0.0.10", "1.2.3.3", "1.2.3.5", "199.255.255.255", "::1", "2001:db8::1:0"];
  for (const each of [...inside, "2001:db8::", "2001:db8::ffff"]) {
    assert.ok(ranges.has(bytes(each)), each);
  }
  for (const each of outside) assert.equal(ranges.has(bytes(each)), false, each);
});

test("ranges that overlap, hold each other, or touch become one, in whatever order they come", () => {
  const list = [
    ["10.0.0.0", "10.0.0.255"],
    ["10.0.1.0", "10.0.1.255"],
    ["10.0.0.100", "10.0.0.110"],
    ["9.255.255.255", "10.0.0.0"],
    ["10.0.1.128", "10.0.2.0"],
    ["2001:db8::ffff:ffff", "2001:db8::ffff:ffff"],
    ["2001:db8::1:0:0", "2001:db8::1:0:5"],
  ] as const;
  for (const each of [list, list.toReversed()]) assert.equal(rangesOf(each).count, 2);
});

test("ranges with a gap of one address stay apart", () => {
  const ranges = rangesOf([
    ["10.0.0.0", "10.0.0.4"],
    ["10.0.0.6", "10.0.0.9"],
    ["::", "::ffff:ffff"],
    ["::1:0:1", "::1:0:1"],
  ]);
  assert.equal(ranges.count, 4);
  assert.equal(ranges.has(bytes("10.0.0.5")), false);
  assert.equal(ranges.has(bytes("::1:0:0")), false);
});

test("thousands of ranges by chance hold what a plain search finds", () => {
  const random = seededRandom(55);
  const list: [first: number, last: number][] = [];
  const builder = new IpRangesBuilder();
  for (let n = 0; n < 3000; n += 1) {
    const first = random.below(2 ** 20);
    const last = first + random.below(64);
    list.push([first, last]);
    builder.add(ipv4(first), ipv4(last));
  }
  const ranges = finish(builder.build());
  for (let n = 0; n < 3000; n += 1) {
    const address = random.below(2 ** 20);
    const expected = list.some(([first, last]) => first <= address && address <= last);
    assert.equal(ranges.has(ipv4(address)), expected, String(address));
  }
});

test("sorting is cut into steps", () => {
  const builder = new IpRangesBuilder();
  for (let n = 20_000; n > 0; n -= 1) builder.add(ipv4(n * 4), ipv4(n * 4 + 1));
  const work = builder.build();
  let steps = 0;
  while (!work.next().done) steps += 1;
  assert.ok(steps > 100, `${steps} steps`);
});

function ipv4(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
