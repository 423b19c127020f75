import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestOf, REACH, reachOf, reachOfBytes } from "./address-reach.ts";

const CASES: Readonly<Record<keyof typeof REACH, readonly string[]>> = {
  machine: [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "0.1.2.3",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    // Addresses that embed IPv4 ones: compatible, 6to4, NAT64, translated, Teredo (by its server, by its client).
    "::127.0.0.1",
    "2002:7f00:1::1",
    "64:ff9b::7f00:1",
    "::ffff:0:127.0.0.1",
    "2001:0:7f00:1::f6f6:f6f6",
    "2001:0:909:909::80ff:fffe",
    "no address",
    "",
  ],
  network: [
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "192.0.0.1",
    "192.0.0.171",
    "fd00::1",
    "fc00::1",
    "fe80::1",
    "febf::1",
    "fe80::1%eth0",
    "fec0::1",
    "64:ff9b:1::1",
    "64:ff9b:1:ffff::7f00:1",
    "2001:2::1",
    "5f00::1",
    "::ffff:192.168.1.1",
    "2002:c0a8:101::",
    "64:ff9b::a00:1",
    "::10.0.0.1",
    "::ffff:0:10.0.0.1",
    "2001:0:909:909::f5ff:fffe",
  ],
  world: [
    "9.9.9.9",
    "172.32.0.1",
    "172.15.255.255",
    "100.128.0.1",
    "100.63.255.255",
    "192.169.0.1",
    "192.0.1.1",
    "198.17.255.255",
    "198.20.0.1",
    "223.255.255.255",
    "126.0.0.1",
    "128.0.0.1",
    "2620:fe::9",
    "::9.9.9.9",
    "2002:909:909::",
    "64:ff9b::909:909",
    "2001:200::1",
    "2001:1::1",
    "2001:3::1",
    "2001:4:112::1",
    "2001:0:909:909::f6f6:f6f6",
    "3ffe::1",
  ],
  nowhere: [
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "192.88.99.1",
    "192.0.2.1",
    "198.51.100.7",
    "203.0.113.9",
    "::ffff:224.0.0.1",
    "2002:e000:1::",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "2001:db8::1",
    "3fff::1",
    "2001:10::1",
    "2001:20::1",
    "4000::1",
    "1::1",
    "64:ff9b:2::1",
    "::ffff:0:255.255.255.255",
  ],
};

for (const [name, addresses] of Object.entries(CASES)) {
  const reach = REACH[name as keyof typeof REACH];
  for (const address of addresses) {
    test(`HUB-7: "${address}" leads to: ${name}`, () => assert.equal(reachOf(address), reach));
  }
}

test("HUB-7: a mapped address in 16 bytes is as near as the four it holds", () => {
  const mapped = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1]);
  assert.equal(reachOfBytes(mapped), REACH.network);
  mapped.set([127, 0, 0, 1], 12);
  assert.equal(reachOfBytes(mapped), REACH.machine);
});

test("HUB-7: the nearest addresses of a name count, and those that lead nowhere do not", () => {
  assert.deepEqual(nearestOf(["9.9.9.9", "10.0.0.1", "fd00::1", "224.0.0.1"]), {
    reach: REACH.network,
    addresses: ["10.0.0.1", "fd00::1"],
  });
  assert.deepEqual(nearestOf(["224.0.0.1"]), { reach: REACH.nowhere, addresses: [] });
  assert.deepEqual(nearestOf([]), { reach: REACH.nowhere, addresses: [] });
});
