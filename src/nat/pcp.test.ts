import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../base/bytes.ts";
import { NatError } from "./nat-error.ts";
import { decodePcp, encodePcpAnnounce, encodePcpMap } from "./pcp.ts";

const NONCE = fromHex("000102030405060708090a0b")!;
const US = "00000000000000000000ffffc0a80107";

test("RFC 6887, 11.1: a request for a mapping", () => {
  const wish = {
    innerAddress: "192.168.1.7",
    innerPort: 6881,
    transport: "tcp",
    nonce: NONCE,
    outerPort: 6882,
    outerAddress: undefined,
    lifetimeSeconds: 7200,
  } as const;
  const head = `0201000000001c20${US}`;
  const any = "00000000000000000000ffff00000000";
  assert.equal(toHex(encodePcpMap(wish)), `${head}000102030405060708090a0b060000001ae11ae2${any}`);
  const six = { ...wish, innerAddress: "2620:fe::7", transport: "udp" } as const;
  assert.equal(
    toHex(encodePcpMap(six)),
    `0201000000001c20262000fe000000000000000000000007000102030405060708090a0b110000001ae11ae2${"00".repeat(16)}`,
  );
});

test("RFC 6887, 14.1: a request for a sign of life", () => {
  assert.equal(toHex(encodePcpAnnounce("192.168.1.7")), `0200000000000000${US}`);
});

test("RFC 6887, 11.1: the answer to it", () => {
  const zeros = "00".repeat(12);
  const hex = `0281000000000e1000000064${zeros}000102030405060708090a0b110000001ae11ae200000000000000000000ffffc6336407`;
  assert.deepEqual(decodePcp(fromHex(hex)!), {
    kind: "mapping",
    result: 0,
    lifetimeSeconds: 3600,
    epochSeconds: 100,
    nonce: NONCE,
    transport: "udp",
    innerPort: 6881,
    outerPort: 6882,
    outerAddress: "198.51.100.7",
  });
});

test("RFC 6887, 9: a router of another version says which", () => {
  assert.deepEqual(decodePcp(fromHex("0081000100000000")!), { kind: "version", version: 0 });
  assert.deepEqual(decodePcp(fromHex(`01810001${"00".repeat(20)}`)!), {
    kind: "version",
    version: 1,
  });
});

for (const [what, bytes] of [
  ["nothing", ""],
  ["a request", `0201000000001c20${US}${"00".repeat(36)}`],
  ["a head that is cut off", `02810000${"00".repeat(16)}`],
  ["a mapping without a body", `02810000${"00".repeat(20)}`],
  ["a length that is no multiple of four", `02810000${"00".repeat(57)}`],
  ["more than 1100 bytes", `02810000${"00".repeat(1100)}`],
  ["an opcode of nobody", `02850000${"00".repeat(56)}`],
  ["a protocol of nobody", `02810000${"00".repeat(56)}`],
] as const) {
  test(`WIR-26: PCP: ${what} is no answer`, () => {
    assert.throws(() => decodePcp(fromHex(bytes)!), NatError);
  });
}
