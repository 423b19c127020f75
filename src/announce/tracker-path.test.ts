import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeUtf8, fromHex, fromLatin1 } from "../base/bytes.ts";
import { AnnounceRequest } from "./announce-request.ts";
import type { Credential } from "./credential.ts";
import { parseAnnounceQuery } from "./http-request.ts";
import { parseScrapeQuery } from "./http-scrape.ts";
import { parseTrackerPath, parseUrlCredential } from "./tracker-path.ts";
import { encodeUrlOptions, parseUrlOptions } from "./udp-options.ts";

const KEY = "0123456789abcdefABCDEF-_";
const OTHER = "ffffffffffffffffffffffff";
const passkey = (text: string): Credential => ({ kind: "passkey", text });
const device = (text: string): Credential => ({ kind: "device", text });

const paths: readonly (readonly [path: string, credential: Credential | undefined])[] = [
  ["/announce", undefined],
  ["/announce/", undefined],
  [`/${KEY}/announce`, passkey(KEY)],
  [`/${KEY}/announce/`, passkey(KEY)],
  [`/announce/${KEY}`, passkey(KEY)],
  [`/announce/${KEY}/`, passkey(KEY)],
  [`/device/${KEY}/announce`, device(KEY)],
  [`/announce/device/${KEY}`, device(KEY)],
  [`/${"k".repeat(128)}/announce`, passkey("k".repeat(128))],
];

for (const [path, credential] of paths) {
  test(`TRK-13: ${path.slice(0, 50)} is an address of the tracker, as is that of its scrape`, () => {
    assert.deepEqual(parseTrackerPath(path), { act: "announce", credential });
    const scrape = path.replace("announce", "scrape");
    assert.deepEqual(parseTrackerPath(scrape), { act: "scrape", credential });
    assert.deepEqual(parseUrlCredential(path), credential, "over UDP");
  });
}

const foreign: readonly string[] = [
  "",
  "/",
  "//announce",
  "/announcer",
  "/t/announce",
  "/announce/short",
  `/${"k".repeat(129)}/announce`,
  `/${KEY}/${KEY}/announce`,
  `/${KEY}/announce/${KEY}`,
  `/other/${KEY}/announce`,
  `/${KEY}%2fannounce`,
  `/${KEY.replace("0", "%30")}/announce`,
  `/${KEY}/../announce`,
  `/${KEY}/announce\n`,
];

for (const path of foreign) {
  test(`${JSON.stringify(path.slice(0, 60))} is no address of the tracker, and shows nothing`, () => {
    assert.equal(parseTrackerPath(path), undefined);
    assert.equal(parseUrlCredential(path), undefined);
  });
}

const queries: readonly (readonly [query: string, credential: Credential | undefined])[] = [
  ["", undefined],
  ["key=abc&pass=1", undefined],
  [`passkey=${KEY}`, passkey(KEY)],
  [`a=b&device=${KEY}&c=d`, device(KEY)],
  [`passkey=${KEY.replace("0", "%30")}`, passkey(KEY)],
  [`passkey=${KEY}&passkey=${KEY}`, passkey(KEY)],
  [`passkey=${KEY}&passkey=${OTHER}`, passkey("")],
  [`passkey=${KEY}&device=${KEY}`, passkey("")],
  ["passkey=", passkey("")],
  ["passkey=short", passkey("")],
  [`passkey=${KEY}%00`, passkey("")],
  [`passkey=${"k".repeat(128)}`, passkey("k".repeat(128))],
  [`passkey=${"k".repeat(129)}`, passkey("")],
  [`passkey=${"k".repeat(5_000)}`, passkey("")],
  ["device=%ff%fe", device("")],
];

for (const [query, credential] of queries) {
  test(`TRK-13: the query ${JSON.stringify(query.slice(0, 60))} (${query.length}) shows ${credential?.kind ?? "nothing"}`, () => {
    const request = new AnnounceRequest();
    const ask = `info_hash=${"a".repeat(20)}&peer_id=${"b".repeat(20)}&port=1`;
    const input = fromLatin1(`${ask}&${query}`);
    parseAnnounceQuery(input, { start: 0, end: input.length }, request);
    assert.deepEqual(request.credential, credential);
    const scrape = parseScrapeQuery(input, { start: 0, end: input.length });
    assert.deepEqual(scrape.credential, credential);
    assert.equal(scrape.infohashes.length, 1);
    assert.deepEqual(parseUrlCredential(`/announce?${query}`), credential, "over UDP");
    request.reset();
    assert.equal(request.credential, undefined, "it does not stay for the next request");
  });
}

test("TRK-13: path and query may hold the same credential; two different ones match nobody", () => {
  assert.deepEqual(parseUrlCredential(`/${KEY}/announce?passkey=${KEY}`), passkey(KEY));
  assert.deepEqual(parseUrlCredential(`/${KEY}/announce?passkey=${OTHER}`), passkey(""));
  assert.deepEqual(parseUrlCredential(`/device/${KEY}/announce?passkey=${KEY}`), device(""));
});

test("BEP 41: a credential split over several options is joined; junk, the end and truncated options stay bounded", () => {
  const url = encodeUtf8(`/${KEY}/announce?a=b`);
  const split = (at: number): Uint8Array =>
    Uint8Array.from([
      ...encodeUrlOptions(url.subarray(0, at)),
      // An empty option, and an unknown one.
      1,
      1,
      0x7f,
      3,
      0xff,
      0xff,
      0xff,
      ...encodeUrlOptions(url.subarray(at)),
    ]);
  for (let at = 0; at <= url.length; at += 1) {
    assert.deepEqual(parseUrlCredential(parseUrlOptions(split(at), 0)), passkey(KEY), `at ${at}`);
  }
  const ended = Uint8Array.from([...encodeUrlOptions(encodeUtf8("/announce")), 0, ...split(5)]);
  assert.equal(parseUrlCredential(parseUrlOptions(ended, 0)), undefined, "behind the end");
  const whole = encodeUrlOptions(url);
  for (let length = 0; length < whole.length; length += 1) {
    assert.equal(parseUrlCredential(parseUrlOptions(whole.subarray(0, length), 0)), undefined);
  }
  assert.equal(parseUrlCredential(parseUrlOptions(fromHex("0200")!, 0)), undefined);
  const most = new Uint8Array(2048).fill(0x61);
  assert.equal(parseUrlOptions(encodeUrlOptions(most), 0).length, 2048);
  for (const bytes of [2049, 60_000]) {
    const options = encodeUrlOptions(new Uint8Array(bytes).fill(0x61));
    assert.throws(() => parseUrlOptions(options, 0), { code: "too-long" });
  }
});
