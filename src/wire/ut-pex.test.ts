import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, fromHex } from "../base/bytes.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import { decodePex, encodePex, PEX_FLAG, type PexMessage } from "./ut-pex.ts";
import { WireError } from "./wire-error.ts";

const MESSAGE: PexMessage = {
  added: [
    { endpoint: { address: "9.1.2.3", port: 6881 }, flags: PEX_FLAG.seed | PEX_FLAG.reachable },
    { endpoint: { address: "9.1.2.4", port: 80 }, flags: 0 },
    { endpoint: { address: "2620:fe::9", port: 6882 }, flags: PEX_FLAG.utp },
  ],
  dropped: [
    { address: "9.1.2.5", port: 1 },
    { address: "2620:fe::8", port: 2 },
  ],
};

test("both families, their flags and who is gone, byte by byte", () => {
  const address = (last: number): Uint8Array =>
    Uint8Array.of(0x26, 0x20, 0x00, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
  const expected = Buffer.concat([
    encodeUtf8("d5:added12:"),
    Uint8Array.of(9, 1, 2, 3, 0x1a, 0xe1, 9, 1, 2, 4, 0, 80),
    encodeUtf8("7:added.f2:"),
    Uint8Array.of(0x12, 0),
    encodeUtf8("6:added618:"),
    address(9),
    Uint8Array.of(0x1a, 0xe2),
    encodeUtf8("8:added6.f1:"),
    Uint8Array.of(4),
    encodeUtf8("7:dropped6:"),
    Uint8Array.of(9, 1, 2, 5, 0, 1),
    encodeUtf8("8:dropped618:"),
    address(8),
    Uint8Array.of(0, 2),
    encodeUtf8("e"),
  ]);
  assert.deepEqual(Buffer.from(encodePex(MESSAGE)), expected);
  assert.deepEqual(decodePex(expected), MESSAGE);
});

test("lists that are empty are left out", () => {
  assert.deepEqual(encodePex({ added: [], dropped: [] }), encodeUtf8("de"));
  assert.deepEqual(decodePex(encodeUtf8("de")), { added: [], dropped: [] });
});

test("an entry with port 0 is left out, and the flags of the others stay theirs", () => {
  const added = fromHex("090102030000" + "090102041ae1")!;
  const payload = encode(dictOf({ added, "added.f": Uint8Array.of(1, 2) }));
  assert.deepEqual(decodePex(payload).added, [
    { endpoint: { address: "9.1.2.4", port: 6881 }, flags: 2 },
  ]);
});

test("missing flags are none, a rest of an entry is ignored, and so is a list that is none", () => {
  const added = fromHex("090102041ae1" + "0901")!;
  const payload = encode(dictOf({ added, added6: 7, dropped: 8 }));
  assert.deepEqual(decodePex(payload), {
    added: [{ endpoint: { address: "9.1.2.4", port: 6881 }, flags: 0 }],
    dropped: [],
  });
});

test("WIR-11: of a long list the first hundred count, in all", () => {
  const added = new Uint8Array(200 * 6).fill(9);
  const added6 = new Uint8Array(200 * 18).fill(0x26);
  const read = decodePex(encode(dictOf({ added, added6, dropped: added, dropped6: added6 })));
  assert.equal(read.added.length, 100);
  assert.equal(read.dropped.length, 100);
});

const REFUSED: readonly [string, Uint8Array][] = [
  ["no bencode", encodeUtf8("x")],
  ["no dictionary", encodeUtf8("le")],
  ["too long", encode(dictOf({ added: new Uint8Array(20_000) }))],
  ["too deep", encodeUtf8("d1:a" + "l".repeat(9) + "e".repeat(9) + "e")],
  ["too many keys", encode(dictOf(Object.fromEntries(range(100).map((n) => [`k${n}`, n]))))],
];
for (const [name, payload] of REFUSED) {
  test(`WIR-11: refused: ${name}`, () => {
    assert.throws(() => decodePex(payload), WireError);
  });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
