import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { addressBytes } from "../base/endpoint.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { idChecksum, isSecureId, makeSecureId } from "./secure-id.ts";

const { bep42 } = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as { bep42: readonly { ip: string; rand: number; crc: string }[] };

test("the checksum of an address is that of BEP 42's table", () => {
  for (const { ip, rand, crc } of bep42) {
    const found = idChecksum(addressBytes(ip)!, rand).toString(16).padStart(8, "0");
    assert.equal(found, crc, ip);
  }
});

test("an id fits the address that it was made for, and no other", () => {
  const random = seededRandom(3);
  for (const ip of ["124.31.75.21", "2001:470:1:2::3"]) {
    for (let i = 0; i < 20; i += 1) {
      const id = makeSecureId(addressBytes(ip)!, random);
      assert.ok(isSecureId(id, ip));
      assert.ok(!isSecureId(id, ip.includes(":") ? "2001:471:1:2::3" : "124.31.74.21"));
    }
  }
});

test("addresses that strangers do not reach fit every id", () => {
  const id = seededRandom(4).bytes(20);
  for (const ip of [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.9",
    "172.20.1.1",
    "169.254.1.1",
    "fe80::1",
  ]) {
    assert.ok(isSecureId(id, ip), ip);
  }
  assert.ok(!isSecureId(id, "124.31.75.21"));
  assert.ok(!isSecureId(id, "no address"));
});
