import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes } from "./endpoint.ts";
import { networkList } from "./network-list.ts";

test("TRK-1: matches addresses and networks of both families, and nothing else", () => {
  const holds = networkList(["192.168.1.0/24", "10.0.0.7", "fd00::/8"]);
  const held = (address: string): boolean => holds(addressBytes(address)!);
  for (const inside of ["192.168.1.200", "10.0.0.7", "fd12::1", "::ffff:10.0.0.7"]) {
    assert.ok(held(inside), inside);
  }
  for (const outside of ["192.168.2.1", "10.0.0.8", "fe80::1", "127.0.0.1", "::1"]) {
    assert.ok(!held(outside), outside);
  }
  assert.ok(!networkList([])(addressBytes("127.0.0.1")!));
});

test("TRK-1: prefixes that end inside a byte, mapped addresses, the whole space, and invalid entries", () => {
  const rows: [network: string, inside: string, outside: string][] = [
    ["172.16.0.0/12", "172.31.255.255", "172.32.0.0"],
    ["fd00:8000::/17", "fd00:ffff::1", "fd00:7fff::1"],
    ["::ffff:10.1.0.0/112", "10.1.9.9", "10.2.0.0"],
    ["0.0.0.0/0", "9.9.9.9", "::1"],
    ["::/0", "fe80::1", "9.9.9.9"],
  ];
  for (const [network, inside, outside] of rows) {
    const holds = networkList([network]);
    assert.ok(holds(addressBytes(inside)!), `${inside} in ${network}`);
    assert.ok(!holds(addressBytes(outside)!), `${outside} in ${network}`);
  }
  for (const nonsense of ["", "x", "1.2.3.4/33", "1.2.3.4/-1", "::1/129", "1.2.3.4/x"]) {
    assert.ok(!networkList([nonsense])(addressBytes("1.2.3.4")!), nonsense);
  }
});
