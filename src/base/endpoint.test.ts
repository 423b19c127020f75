import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "./bytes.ts";
import {
  addressBytes,
  decodeCompact,
  encodeCompact,
  formatAddress,
  formatEndpoint,
  parseEndpoint,
} from "./endpoint.ts";

test("anything but a literal address and port is refused", () => {
  for (const text of [
    "",
    "1.2.3.4",
    "1.2.3.4:",
    "1.2.3.4:0",
    "1.2.3.4:65536",
    "1.2.3.4:123456",
    "1.2.3:80",
    "1.2.3.4.5:80",
    "1.2.3.256:80",
    "01.2.3.4:80",
    "1.2.3.04:80",
    "host:80",
    "::1:80",
    "[::1]",
    "[::1]:0",
    "[:::1]:80",
    "[1::2::3]:80",
    "[1:2:3:4:5:6:7]:80",
    "[1:2:3:4:5:6:7:8:9]:80",
    "[12345::]:80",
    "[::1.2.3]:80",
    "[::256.1.1.1]:80",
    "[g::]:80",
    " 1.2.3.4:80",
    "1.2.3.4:80 ",
    "[1:2:3:4:5:6:7:8::]:80",
  ]) {
    assert.equal(parseEndpoint(text), undefined, text);
  }
});

test("RFC 5952: one text for every address", () => {
  for (const [text, canonical] of [
    ["[2001:DB8:0:0:0:0:0:1]:80", "[2001:db8::1]:80"],
    ["[2001:db8:0:1:0:0:0:1]:80", "[2001:db8:0:1::1]:80"],
    ["[2001:db8:0:1:1:1:1:1]:80", "[2001:db8:0:1:1:1:1:1]:80"],
    ["[1:0:0:2:0:0:0:3]:80", "[1:0:0:2::3]:80"],
    ["[1:0:0:2:3:0:0:4]:80", "[1::2:3:0:0:4]:80"],
    ["[::]:80", "[::]:80"],
    ["[1::]:80", "[1::]:80"],
    ["[::ffff:1.2.3.4]:80", "1.2.3.4:80"],
    ["[::ffff:102:304]:80", "1.2.3.4:80"],
    ["[64:ff9b::1.2.3.4]:80", "[64:ff9b::102:304]:80"],
    ["1.2.3.4:65535", "1.2.3.4:65535"],
  ] as const) {
    assert.equal(formatEndpoint(parseEndpoint(text)!), canonical);
  }
});

test("TRK-21: an IPv4-mapped IPv6 address is the IPv4 address", () => {
  assert.equal(toHex(addressBytes("::ffff:10.0.0.1")!), "0a000001");
  assert.equal(formatAddress(addressBytes("::ffff:10.0.0.1")!), "10.0.0.1");
});

test("compact forms leave out port 0 and a truncated end", () => {
  assert.equal(toHex(encodeCompact({ address: "10.0.0.7", port: 6881 })), "0a0000071ae1");
  assert.equal(
    toHex(encodeCompact({ address: "2001:db8::1", port: 1 })),
    "20010db80000000000000000000000010001",
  );
  assert.throws(() => encodeCompact({ address: "host", port: 1 }), TypeError);
  assert.deepEqual(decodeCompact(Uint8Array.from([1, 2, 3, 4, 0, 0, 1, 2, 3, 4, 0, 5, 9, 9]), 6), [
    { address: "1.2.3.4", port: 5 },
  ]);
});

test("every address comes back from its text and from its compact form", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.integer({ min: 1, max: 65_535 }), (text, port) => {
      const bytes = addressBytes(text);
      assert.ok(bytes, text);
      const endpoint = { address: formatAddress(bytes), port };
      assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint);
      const compact = encodeCompact(endpoint);
      assert.deepEqual(decodeCompact(compact, compact.length === 6 ? 6 : 18), [endpoint]);
    }),
    { numRuns: 1000 },
  );
});
