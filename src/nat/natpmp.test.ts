import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../base/bytes.ts";
import { decodeNatPmp, encodeAddressRequest, encodeMapRequest } from "./natpmp.ts";
import { NatError } from "./nat-error.ts";

test("RFC 6886, 3.2: the request for the outer address is two zero bytes", () => {
  assert.equal(toHex(encodeAddressRequest()), "0000");
});

test("RFC 6886, 3.3: a request for a mapping, and its return", () => {
  const wish = {
    transport: "tcp",
    innerPort: 6881,
    outerPort: 6882,
    lifetimeSeconds: 7200,
  } as const;
  assert.equal(toHex(encodeMapRequest(wish)), "000200001ae11ae200001c20");
  const gone = { ...wish, transport: "udp", outerPort: 0, lifetimeSeconds: 0 } as const;
  assert.equal(toHex(encodeMapRequest(gone)), "000100001ae1000000000000");
});

test("RFC 6886, 3.2 and 3.3: the answers", () => {
  assert.deepEqual(decodeNatPmp(fromHex("008000000000003cc6336407")!), {
    kind: "address",
    result: 0,
    epochSeconds: 60,
    address: "198.51.100.7",
  });
  assert.deepEqual(decodeNatPmp(fromHex("00820000000000781ae11ae200001c20")!), {
    kind: "mapping",
    result: 0,
    epochSeconds: 120,
    transport: "tcp",
    innerPort: 6881,
    outerPort: 6882,
    lifetimeSeconds: 7200,
  });
  assert.deepEqual(decodeNatPmp(fromHex("0081000400000001")!), {
    kind: "refusal",
    result: 4,
    epochSeconds: 1,
    op: 1,
  });
});

for (const [what, hex] of [
  ["nothing", ""],
  ["a request", "000200001ae11ae200001c20"],
  ["a head without an address", "0080000000000001"],
  ["a mapping that is cut off", "00820000000000781ae11ae2"],
  ["another version", "02820000000000781ae11ae200001c20"],
  ["an opcode of nobody", "00830000000000781ae11ae200001c20"],
] as const) {
  test(`WIR-26: NAT-PMP: ${what} is no answer`, () => {
    assert.throws(() => decodeNatPmp(fromHex(hex)!), NatError);
  });
}
