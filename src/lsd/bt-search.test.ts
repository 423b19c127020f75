import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, fromHex } from "../base/bytes.ts";
import { decodeBtSearch, encodeBtSearch, LSD_GROUPS, SEARCH_INFOHASHES_MAX } from "./bt-search.ts";

const AB = "ab".repeat(20);
const CD = "cd".repeat(20);
const SEARCH = { port: 6881, infohashes: [fromHex(AB)!, fromHex(CD)!], cookie: "0011223344556677" };

for (const [group, host] of [
  [LSD_GROUPS[0]!, "239.192.152.143:6771"],
  [LSD_GROUPS[1]!, "[ff15::efc0:988f]:6771"],
] as const) {
  test(`a search is written as BEP 14 shows it, for ${host}`, () => {
    const expected =
      `BT-SEARCH * HTTP/1.1\r\nHost: ${host}\r\nPort: 6881\r\n` +
      `Infohash: ${AB}\r\nInfohash: ${CD}\r\ncookie: 0011223344556677\r\n\r\n\r\n`;
    assert.equal(Buffer.from(encodeBtSearch(SEARCH, group)).toString(), expected);
    assert.deepEqual(decodeBtSearch(encodeUtf8(expected)), SEARCH);
  });
}

test("a full packet is not longer than BEP 14 allows", () => {
  const infohashes = Array.from({ length: SEARCH_INFOHASHES_MAX }, () => SEARCH.infohashes[0]!);
  for (const group of LSD_GROUPS) {
    assert.ok(encodeBtSearch({ ...SEARCH, port: 65_535, infohashes }, group).length <= 1400);
  }
});

test("the packet of libtorrent 2.0.8 is read", () => {
  const packet =
    "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 44897\r\n" +
    `Infohash: ${AB}\r\ncookie: 8b74842\r\n\r\n\r\n`;
  const expected = { port: 44_897, infohashes: [SEARCH.infohashes[0]], cookie: "8b74842" };
  assert.deepEqual(decodeBtSearch(encodeUtf8(packet)), expected);
});

test("names in any case, other headers, bare line ends and capitals are read", () => {
  const packet = `BT-SEARCH * HTTP/1.1\nX-Other: 1\nPORT:  80 \nINFOHASH: ${AB.toUpperCase()}\n\n`;
  const expected = { port: 80, infohashes: [SEARCH.infohashes[0]], cookie: undefined };
  assert.deepEqual(decodeBtSearch(encodeUtf8(packet)), expected);
});

const packetOf = (...lines: readonly string[]): Uint8Array =>
  encodeUtf8(["BT-SEARCH * HTTP/1.1", ...lines, "", ""].join("\r\n"));

const REFUSED: readonly [string, Uint8Array][] = [
  ["nothing", new Uint8Array(0)],
  ["another method", encodeUtf8(`M-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: ${AB}\r\n\r\n`)],
  ["no port", packetOf(`Infohash: ${AB}`)],
  ["port 0", packetOf("Port: 0", `Infohash: ${AB}`)],
  ["port 65536", packetOf("Port: 65536", `Infohash: ${AB}`)],
  ["a port with a sign", packetOf("Port: +80", `Infohash: ${AB}`)],
  ["an octal port", packetOf("Port: 080", `Infohash: ${AB}`)],
  ["no infohash", packetOf("Port: 80")],
  ["half an infohash", packetOf("Port: 80", `Infohash: ${AB.slice(20)}`)],
  ["an infohash after the end", packetOf("Port: 80", "", `Infohash: ${AB}`)],
  ["too long", packetOf("Port: 80", `Infohash: ${AB}`, `X: ${"x".repeat(1400)}`)],
];
for (const [name, packet] of REFUSED) {
  test(`WIR-25: refused: ${name}`, () => {
    assert.equal(decodeBtSearch(packet), undefined);
  });
}
