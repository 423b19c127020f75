import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../base/bytes.ts";
import { decodeHolepunch, encodeHolepunch, type HolepunchMessage } from "./ut-holepunch.ts";
import { WireError } from "./wire-error.ts";

const MESSAGES: readonly (readonly [hex: string, message: HolepunchMessage])[] = [
  // The example of the protocol's sheet.
  [
    "00000a0000071ae100000000",
    { kind: "rendezvous", endpoint: { address: "10.0.0.7", port: 6881 }, error: 0 },
  ],
  [
    "010120010db8000000000000000000000001000100000000",
    { kind: "connect", endpoint: { address: "2001:db8::1", port: 1 }, error: 0 },
  ],
  [
    "020009090909ffff00000003",
    { kind: "error", endpoint: { address: "9.9.9.9", port: 65_535 }, error: 3 },
  ],
];
for (const [hex, message] of MESSAGES) {
  test(`ut_holepunch: ${message.kind} is written and read`, () => {
    assert.equal(toHex(encodeHolepunch(message)), hex);
    assert.deepEqual(decodeHolepunch(fromHex(hex)!), message);
  });
}

test("ut_holepunch: the code may be missing where there is no error, and more bytes are ignored", () => {
  const [[, message]] = MESSAGES as readonly [(typeof MESSAGES)[number]];
  assert.deepEqual(decodeHolepunch(fromHex("00000a0000071ae1")!), message);
  assert.deepEqual(decodeHolepunch(fromHex("00000a0000071ae100000000ff")!), message);
});

for (const hex of [
  "",
  "00",
  "03000a0000071ae100000000",
  "00020a0000071ae100000000",
  "00000a0000071a",
  "00000a0000071ae10000",
  "01010a0000071ae100000000",
  "02000a0000071ae1",
]) {
  test(`house rule 2: ut_holepunch of ${hex.length / 2} bytes "${hex}" is refused`, () => {
    assert.throws(() => decodeHolepunch(fromHex(hex)!), WireError);
  });
}
