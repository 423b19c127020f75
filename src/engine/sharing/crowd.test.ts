import assert from "node:assert/strict";
import { test } from "node:test";
import { Crowd, networkName } from "./crowd.ts";

const LIMITS = {
  connectionsMax: 200,
  connectionsPerAddressMax: 64,
  connectionsPerNetworkMax: 64,
};

/** How many of these addresses are accepted, with one connection each, at one moment. */
function admitted(addresses: readonly string[], crowd = new Crowd(LIMITS), now = 0): number {
  let count = 0;
  for (const address of addresses) {
    if (crowd.isFull || !crowd.mayAccept(address, now)) continue;
    crowd.count(address, 1, now);
    count += 1;
  }
  return count;
}

function numbered(count: number, address: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => address(index + 1));
}

const CROWDS: readonly [string, readonly string[], number][] = [
  ["not an address", ["", "example.org", "1.2.3"], 0],
  ["one address", numbered(100, () => "203.0.113.9"), 64],
  ["one /24", numbered(250, (i) => `203.0.113.${i}`), 64],
  ["one /24, written as IPv6", numbered(250, (i) => `::ffff:203.0.113.${i}`), 64],
  ["one /64", numbered(250, (i) => `2001:db8:1:2::${i}`), 64],
  ["one /48", numbered(250, (i) => `2001:db8:1:${i}::1`), 64],
  ["two /24", numbered(200, (i) => `203.0.${i % 2}.${i}`), 128],
  ["the whole world", numbered(250, (i) => `203.${i}.113.7`), 200],
  ["loopback", numbered(250, (i) => `127.0.3.${i}`), 150],
  ["a local network", numbered(120, (i) => `192.168.1.${i}`), 120],
  ["a campus of 10.0.0.0/8", numbered(200, (i) => `10.1.${i % 2}.${i}`), 200],
  ["a local /48", numbered(250, (i) => `fd00:1:2:${i}::1`), 150],
];
for (const [who, addresses, count] of CROWDS) {
  test(`WIR-20: of ${addresses.length} connections of ${who}, ${count} are taken`, () => {
    assert.equal(admitted(addresses), count);
  });
}

test("WIR-20: a storm of reconnects is slowed down, and forgotten when it is over", () => {
  const crowd = new Crowd(LIMITS);
  const storm = (now: number): number => {
    let count = 0;
    for (; crowd.mayAccept("203.0.113.9", now); count += 1) {
      crowd.count("203.0.113.9", 1, now);
      crowd.count("203.0.113.9", -1, now);
    }
    return count;
  };
  assert.deepEqual([storm(0), storm(0), storm(500), storm(1_500)], [64, 0, 10, 20]);
  assert.ok(crowd.mayAccept("203.0.114.9", 1_500), "others do not wait");
  crowd.tick(60_000);
  assert.equal(storm(60_000), 64);
});

test("a network is a /24 or a /48", () => {
  assert.equal(networkName("10.1.2.3"), networkName("10.1.2.4"));
  assert.notEqual(networkName("10.1.2.3"), networkName("10.1.3.3"));
  assert.equal(networkName("2001:db8:1:2::1"), networkName("2001:db8:1:3::1"));
  assert.notEqual(networkName("2001:db8:1::1"), networkName("2001:db8:2::1"));
  assert.equal(networkName("x"), undefined);
});
