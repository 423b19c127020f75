import assert from "node:assert/strict";
import { test } from "node:test";
import { type PeerAddress, tcpAddress } from "../../base/peer-address.ts";
import { Crowd } from "./crowd.ts";

const LIMITS = {
  connectionsMax: 200,
  connectionsPerAddressMax: 64,
  connectionsPerNetworkMax: 64,
};

/** How many of these addresses are accepted, with one connection each, at one moment. */
function admitted(addresses: readonly PeerAddress[], crowd = new Crowd(LIMITS), now = 0): number {
  let count = 0;
  for (const address of addresses) {
    if (crowd.isFull || !crowd.mayAccept(address, now)) continue;
    crowd.count(address, 1, now);
    count += 1;
  }
  return count;
}

function tcp(address: string): PeerAddress {
  return tcpAddress({ address, port: 6881 });
}

function numbered(count: number, address: (index: number) => string): PeerAddress[] {
  return Array.from({ length: count }, (_, index) => tcp(address(index + 1)));
}

/** Half of them over TCP, half over uTP. */
function mixed(addresses: readonly PeerAddress[]): PeerAddress[] {
  return addresses.map((address, index) =>
    address.kind === "tcp" && index % 2 === 0 ? { ...address, kind: "utp" } : address,
  );
}

function webrtc(count: number, name: (index: number) => string, introducers = 1): PeerAddress[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: "webrtc",
    id: name(index),
    via: `wss://${index % introducers}.example`,
  }));
}

const CROWDS: readonly [string, readonly PeerAddress[], number][] = [
  ["not an address", ["", "example.org", "1.2.3"].map(tcp), 0],
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
  ["one address over two transports", mixed(numbered(100, () => "203.0.113.9")), 64],
  ["one WebRTC peer", webrtc(100, () => "a"), 64],
  ["WebRTC peers of one introducer", webrtc(250, (i) => `peer ${i}`), 64],
  ["WebRTC peers of two introducers", webrtc(250, (i) => `peer ${i}`, 2), 128],
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
    for (; crowd.mayAccept(tcp("203.0.113.9"), now); count += 1) {
      crowd.count(tcp("203.0.113.9"), 1, now);
      crowd.count(tcp("203.0.113.9"), -1, now);
    }
    return count;
  };
  assert.deepEqual([storm(0), storm(0), storm(500), storm(1_500)], [64, 0, 10, 20]);
  assert.ok(crowd.mayAccept(tcp("203.0.114.9"), 1_500), "others do not wait");
  crowd.tick(60_000);
  assert.equal(storm(60_000), 64);
});
