import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { clientAddress } from "../base/client-address.ts";
import { believedAddress } from "./source-address.ts";

const claims: readonly (readonly [source: string, claimed: string, believed: string])[] = [
  ["192.168.1.4", "127.0.0.1", "192.168.1.4"],
  ["127.0.0.1", "0.0.0.0", "127.0.0.1"],
  ["127.0.0.1", "224.0.0.1", "127.0.0.1"],
  ["127.0.0.1", "255.255.255.255", "127.0.0.1"],
  ["127.0.0.1", "ff02::1", "127.0.0.1"],
  ["127.0.0.1", "::", "127.0.0.1"],
  ["127.0.0.1", "victim.example", "127.0.0.1"],
  ["127.0.0.1", "127.0.0.2", "127.0.0.1"],
  ["10.1.1.1", "192.168.1.9", "10.1.1.1"],
  ["10.1.1.1", "100.64.0.9", "10.1.1.1"],
  ["10.1.1.1", "fe80::9", "10.1.1.1"],
  ["127.0.0.1", "203.1.113.9", "203.1.113.9"],
  ["::1", "2001:dc8::9", "2001:dc8::9"],
  ["10.1.1.1", "203.1.113.9", "203.1.113.9"],
  ["192.168.1.4", "::ffff:203.1.113.9", "203.1.113.9"],
  ["fd00::4", "fd00::9", "fd00::4"],
  ["fe80::4", "", "fe80::4"],
];

for (const [source, claimed, believed] of claims) {
  test(`TRK-1: from ${source}, ip=${claimed} is taken as ${believed}`, () => {
    assert.equal(formatAddress(believedAddress(claimed, addressBytes(source)!)), believed);
  });
}

test("TRK-2: of the hops that our proxy names, only the last is its own", () => {
  const of = (forwarded: string | null): string =>
    formatAddress(clientAddress("10.0.0.1", forwarded)!);
  assert.equal(of(null), "10.0.0.1", "not a proxy");
  assert.equal(of("203.1.113.9, 198.52.100.7"), "198.52.100.7");
  assert.equal(of("2001:dc8::1"), "2001:dc8::1");
  assert.equal(of("203.1.113.9, 198.52.100.7:4711"), "198.52.100.7");
  assert.equal(of("203.1.113.9, [2001:dc8::1]:4711"), "2001:dc8::1");
  assert.equal(of("[2001:dc8::1]"), "2001:dc8::1");
  for (const nobody of ["203.1.113.9, unknown", "", ",", "203.1.113.9, unix:", "_hidden", "[::1"]) {
    assert.equal(clientAddress("10.0.0.1", nobody), undefined, nobody);
  }
  assert.equal(clientAddress("nowhere", null), undefined);
});
