import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import { formatMagnet, parseMagnet, parsePublicationLink } from "./magnet.ts";
import { MetainfoError } from "./metainfo-error.ts";

const V1 = "0a5dea2cdd028350e51cf424f6ce18cca73cc3d2";
const V1_BASE32 = "BJO6ULG5AKBVBZI46QSPNTQYZSTTZQ6S";
const V2 = "42b1b70f8b93b013878ecbfe328a01d7c8ab3001c6cfc806a70d549defd9c492";
const START = `magnet:?xt=urn:btih:${V1}`;

test("MET-20: links without a usable infohash say what was expected", () => {
  for (const [link, expected] of [
    ["", /magnet:\?/],
    ["http://x/?xt=urn:btih:" + V1, /magnet:\?/],
    ["magnet:?", /xt=urn:btih/],
    ["magnet:?dn=x", /xt=urn:btih/],
    ["magnet:?xt=urn:ed2k:31D6CFE0D16AE931B73C59D7E0C089C0", /xt=urn:btih/],
    ["magnet:?xs=urn:btpk:" + V2, /xt=urn:btih/],
    [`magnet:?xt=urn:btih:${"z".repeat(40)}`, /40 hexadecimal or 32 base32/],
    [`magnet:?xt=urn:btih:${V1.slice(1)}`, /40 hexadecimal/],
    [`magnet:?xt=urn:btih:${V1}0`, /40 hexadecimal/],
    [`magnet:?xt=urn:btih:${V1_BASE32.slice(1)}`, /32 base32/],
    [`magnet:?xt=urn:btih:${V1_BASE32.slice(1)}1`, /32 base32/],
    ["magnet:?xt=urn:btih:", /40 hexadecimal/],
    [`magnet:?xt=urn:btmh:1220${V2.slice(2)}`, /64 hexadecimal/],
    [`magnet:?xt=urn:btmh:1120${V2}`, /1220/],
    [`magnet:?xt=urn:btmh:${V2}`, /1220/],
    [`magnet:?xt=urn:btmh:1220${"g".repeat(64)}`, /64 hexadecimal/],
    [`${START}&xt=urn:btih:${"1".repeat(40)}`, /two different btih/],
    [`magnet:?xt=urn:btmh:1220${V2}&xt.2=urn:btmh:1220${"1".repeat(64)}`, /two different btmh/],
  ] as const) {
    assert.throws(
      () => parseMagnet(link),
      (error) =>
        error instanceof MetainfoError &&
        error.code === "bad-magnet" &&
        expected.test(error.message),
      link,
    );
  }
});

test("BEP 9: v1, v2 and hybrid links are read in every spelling", () => {
  for (const link of [
    START,
    `magnet:?xt=urn:btih:${V1.toUpperCase()}`,
    `magnet:?xt=urn:btih:${V1_BASE32}`,
    `magnet:?xt=urn:btih:${V1_BASE32.toLowerCase()}`,
    `MAGNET:?XT=URN:BTIH:${V1}`,
    `magnet:?xt.1=urn:btih:${V1}&xt.2=urn:btih:${V1}`,
    `magnet:?dn=x&amp;xt=urn%3Abtih%3A${V1}`,
    `  ${START}\n`,
  ]) {
    const { infohashes } = parseMagnet(link);
    assert.equal(toHex(infohashes.v1!), V1, link);
    assert.equal(infohashes.v2, undefined);
  }
  const hybrid = parseMagnet(`${START}&xt=urn:btmh:1220${V2}`);
  assert.equal(toHex(hybrid.infohashes.v1!), V1);
  assert.equal(toHex(hybrid.infohashes.v2!), V2);
  const v2Only = parseMagnet(`magnet:?xt=urn:btmh:1220${V2}`);
  assert.equal(v2Only.infohashes.v1, undefined);
});

test("every parameter that is known, and none that is not", () => {
  const link = parseMagnet(
    `${START}&dn=a+b%20%C3%BC%2B&xl=12&tr=http%3A%2F%2Fa%2Fx%3Fk%3D1&tr.1=udp://b:80&ws=https://c/` +
      `&x.pe=1.2.3.4:6881&x.pe=[2001:db8::1]:1&x.pe=host.example:2&xs=https://d/t.torrent` +
      `&as=http://e/t.torrent&so=0,2,4,6-8&foo=bar&novalue`,
  );
  assert.equal(link.name, "a b \u00fc+");
  assert.equal(link.exactLength, 12);
  assert.deepEqual(link.trackers, ["http://a/x?k=1", "udp://b:80"]);
  assert.deepEqual(link.webSeeds, ["https://c/"]);
  assert.deepEqual(link.peers, ["1.2.3.4:6881", "[2001:db8::1]:1", "host.example:2"]);
  assert.deepEqual(link.exactSources, ["https://d/t.torrent", "http://e/t.torrent"]);
  assert.deepEqual(link.selectOnly, [
    [0, 0],
    [2, 2],
    [4, 4],
    [6, 8],
  ]);
});

test("MET-18: addresses of other schemes are left out", () => {
  const hostile = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "gopher://x/",
    "ftp://x/",
    "x",
    "http://",
  ];
  const query = hostile.map((url) => `&tr=${url}&ws=${url}&xs=${url}&as=${url}`).join("");
  const link = parseMagnet(START + query);
  assert.deepEqual([link.trackers, link.webSeeds, link.exactSources], [[], [], []]);
  const peers = ["1.2.3.4", "1.2.3.4:0", "1.2.3.4:65536", ":5", "a b:5", "[::1]", "x:1:2"];
  assert.deepEqual(parseMagnet(START + peers.map((peer) => `&x.pe=${peer}`).join("")).peers, []);
});

test("MET-21: ranges stay ranges, in order and merged", () => {
  for (const [so, expected] of [
    ["0-4294967295", [[0, 4_294_967_295]]],
    [
      "5,1-3,2-4,9",
      [
        [1, 5],
        [9, 9],
      ],
    ],
    ["3-1", undefined],
    ["-1,x,1-,1.5,0x10, 2,99999999999999999999", undefined],
    ["7,-1", [[7, 7]]],
    ["", undefined],
  ] as const) {
    assert.deepEqual(parseMagnet(`${START}&so=${so}`).selectOnly, expected, so);
  }
  const many = Array.from({ length: 50_000 }, (_, index) => index * 2).join(",");
  assert.equal(parseMagnet(`${START}&so=${many}`).selectOnly?.length, 1000);
});

test("MET-21: 20,000 trackers and 10,000 peers are cut to a useful number", () => {
  const trackers = Array.from({ length: 20_000 }, (_, i) => `&tr=http%3A%2F%2Ft${i}%2F`).join("");
  const peers = Array.from({ length: 10_000 }, (_, i) => `&x.pe=1.2.3.4:${i + 1}`).join("");
  const link = parseMagnet(START + trackers + peers);
  assert.equal(link.trackers.length, 100);
  assert.equal(link.peers.length, 200);
  assert.throws(() => parseMagnet(START + "x".repeat(5_000_000)), { code: "too-large" });
});

test("MET-21: broken escapes are text, never a URIError", () => {
  for (const [raw, name] of [
    ["%", "%"],
    ["%4", "%4"],
    ["%zz%41", "%zzA"],
    ["100%25%", "100%%"],
    ["%ff", "\ufffd"],
    ["%e2%82%ac", "\u20ac"],
    ["%E2%82", "\ufffd"],
  ] as const) {
    assert.equal(parseMagnet(`${START}&dn=${raw}`).name, name);
  }
  assert.equal(parseMagnet(`${START}&xl=1e5`).exactLength, undefined);
  assert.equal(parseMagnet(`${START}&dn=${"n".repeat(5000)}`).name?.length, 1000);
});

test("a formatted link parses back to the same values", () => {
  const ports = fc.integer({ min: 1, max: 65535 });
  const url = fc.webUrl({ withQueryParameters: true });
  const link = fc.record({
    name: fc.string({ unit: "grapheme", maxLength: 50 }),
    exactLength: fc.nat(),
    trackers: fc.uniqueArray(url, { maxLength: 3 }),
    webSeeds: fc.uniqueArray(url, { maxLength: 3 }),
    peers: fc.uniqueArray(
      ports.map((port) => `10.0.0.1:${port}`),
      { maxLength: 3 },
    ),
  });
  fc.assert(
    fc.property(link, (fields) => {
      const infohashes = { v1: fromHex(V1)!, v2: fromHex(V2)! };
      const parsed = parseMagnet(
        formatMagnet({
          infohashes,
          ...fields,
          selectOnly: [
            [1, 1],
            [3, 9],
          ],
        }),
      );
      assert.deepEqual(
        { ...parsed, infohashes: undefined },
        {
          ...fields,
          exactSources: [],
          infohashes: undefined,
          selectOnly: [
            [1, 1],
            [3, 9],
          ],
        },
      );
      assert.equal(toHex(parsed.infohashes.v2!), V2);
    }),
  );
});

test("a v2-only link is written with its multihash, and a broken name does not throw", () => {
  assert.equal(formatMagnet({ infohashes: { v2: fromHex(V2)! } }), `magnet:?xt=urn:btmh:1220${V2}`);
  // A name cut inside a surrogate pair must not throw.
  assert.match(formatMagnet({ infohashes: { v1: fromHex(V1)! }, name: "\ud83d" }), /dn=%EF%BF%BD/);
});

const { bep46: BEP46 } = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as { bep46: readonly { k: string; salt?: string; target: string }[] };

for (const { k, salt, target } of BEP46) {
  test(`BEP 46: a link with a key ${salt === undefined ? "alone" : "and a salt"}, and where its item is found`, () => {
    const text = `magnet:?xs=urn:btpk:${k}${salt === undefined ? "" : `&s=${salt}`}`;
    const link = parsePublicationLink(text)!;
    const { publicKey, salt: bytes } = link.publication;
    assert.equal(toHex(sha1(concatBytes([publicKey, bytes]))), target);
    assert.equal(formatMagnet(link), text);
    assert.throws(() => parseMagnet(text), /xt=urn:btih/, "it names no version");
  });
}

test("BEP 46: a key beside an infohash, trackers, capital letters and escapes", () => {
  const text = `magnet:?xt=urn:btih:${V1}&XS=URN%3ABTPK%3A${V2.toUpperCase()}&tr=http%3A%2F%2Ft%2Fa`;
  const link = parseMagnet(text);
  assert.deepEqual(link.publication, { publicKey: fromHex(V2)!, salt: new Uint8Array(0) });
  assert.deepEqual(link.exactSources, [], "a key is no URL");
  assert.deepEqual(parseMagnet(formatMagnet(link)), link);
  assert.deepEqual(parsePublicationLink(text)!.trackers, ["http://t/a"]);
  assert.equal(parsePublicationLink(START), undefined);
});

test("BEP 46: keys and salts that are none", () => {
  for (const [end, why] of [
    [`xs=urn:btpk:${V2.slice(2)}`, /64 hexadecimal digits/],
    [`xs=urn:btpk:${"g".repeat(64)}`, /64 hexadecimal digits/],
    [`xs=urn:btpk:${V2}&xs.2=urn:btpk:${"1".repeat(64)}`, /two different keys/],
    [`xs=urn:btpk:${V2}&s=${"00".repeat(65)}`, /128 hexadecimal digits/],
    [`xs=urn:btpk:${V2}&s=news`, /128 hexadecimal digits/],
  ] as const) {
    assert.throws(() => parsePublicationLink(`magnet:?${end}`), why);
    assert.throws(() => parseMagnet(`${START}&${end}`), why);
  }
});
