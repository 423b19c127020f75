import assert from "node:assert/strict";
import { test } from "node:test";
import { LinkSizes } from "./link-sizes.ts";
import type { OwnInterface } from "./own-interfaces.ts";

function own(name: string, cidr: string): OwnInterface {
  const address = cidr.replace(/\/.*/, "");
  const family = cidr.includes(":") ? "IPv6" : "IPv4";
  return { name, address, cidr, family, internal: name === "lo" };
}

const INTERFACES = [
  own("lo", "127.0.0.1/8"),
  own("lo", "::1/128"),
  own("eth0", "10.1.2.3/24"),
  own("eth0", "fd00::7/64"),
  own("fast0", "10.9.0.1/16"),
  own("odd0", "10.7.0.1/16"),
];
const PACKET_BYTES = new Map([
  ["lo", 65_536],
  ["eth0", 1500],
  ["fast0", 9000],
]);

test("a link carries what its packets hold besides the heads of IP and UDP", () => {
  const sizes = new LinkSizes(
    () => INTERFACES,
    (name) => PACKET_BYTES.get(name),
  );
  const cases: [address: string, bytes: number | undefined][] = [
    ["127.0.0.1", 65_507],
    ["127.9.9.9", 65_507],
    ["::1", 65_488],
    ["10.1.2.4", 1472],
    ["fd00::8", 1452],
    ["10.9.200.1", 8972],
    // Our own addresses lead through the loopback.
    ["10.9.0.1", 65_507],
    // Behind a router, on a link that says nothing, and no address.
    ["8.8.8.8", undefined],
    ["2001:db8::1", undefined],
    ["10.7.0.2", undefined],
    ["name", undefined],
  ];
  for (const [address, bytes] of cases) assert.equal(sizes.bytesTo(address), bytes, address);
});

test("interfaces come and go: they are looked at again after ten seconds", () => {
  let nowMs = 1000;
  let looks = 0;
  const sizes = new LinkSizes(
    () => {
      looks += 1;
      return nowMs < 5000 ? INTERFACES : [];
    },
    (name) => PACKET_BYTES.get(name),
    () => nowMs,
  );
  assert.equal(sizes.bytesTo("10.9.200.1"), 8972);
  nowMs = 10_900;
  assert.equal(sizes.bytesTo("10.9.200.1"), 8972);
  assert.equal(looks, 1);
  nowMs = 11_000;
  assert.equal(sizes.bytesTo("10.9.200.1"), undefined);
});
