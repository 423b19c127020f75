import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8 } from "../base/bytes.ts";
import { packetKind } from "./packet-kind.ts";

function packet(start: readonly number[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(start);
  return bytes;
}

const cases: [what: string, bytes: Uint8Array, kind: ReturnType<typeof packetKind>][] = [
  [
    "a query of the DHT",
    encodeUtf8("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"),
    "dht",
  ],
  ["data of uTP", packet([0x01, 0], 20), "utp"],
  ["a call of uTP", packet([0x41, 0], 20), "utp"],
  ["uTP of another version", packet([0x42, 0], 20), undefined],
  ["uTP of a type that is none", packet([0x51, 0], 20), undefined],
  ["uTP that was cut", packet([0x01, 0], 19), undefined],
  ["a tracker's answer to a connect", packet([0, 0, 0, 0], 16), "tracker"],
  ["a tracker's error without words", packet([0, 0, 0, 3], 8), "tracker"],
  ["a tracker's answer that was cut", packet([0, 0, 0, 1], 7), undefined],
  ["an action that is none", packet([0, 0, 0, 4], 16), undefined],
  ["a request to a tracker", packet([0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80], 16), undefined],
  ["nothing", new Uint8Array(0), undefined],
  ["noise", packet([0xff, 0xff], 100), undefined],
];
for (const [what, bytes, kind] of cases) {
  test(`${what} belongs to ${kind ?? "nobody"}`, () => {
    assert.equal(packetKind(bytes), kind);
  });
}
