import assert from "node:assert/strict";
import { test } from "node:test";
import { addressBytes } from "../base/endpoint.ts";
import { networkList } from "./network-list.ts";

test("TRK-1: addresses and networks of both families, and nothing beside them", () => {
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
