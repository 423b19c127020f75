import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { encodeFailure } from "./http-answer.ts";
import {
  decodeScrapeReply,
  encodeScrapeReply,
  parseScrapeQuery,
  SCRAPE_INFOHASHES_MAX,
  scrapeUrl,
} from "./http-scrape.ts";

const HASHES = [0x61, 0, 0xff].map((byte) => new Uint8Array(20).fill(byte));

function parse(query: string): readonly Uint8Array[] {
  const input = fromLatin1(query);
  return parseScrapeQuery(input, { start: 0, end: input.length }).infohashes;
}

test("TRK-4, TRK-7: invalid scrapes are refused", () => {
  for (const [query, code] of [
    ["info_hash=short", "bad-parameter"],
    ["info_hash=", "bad-parameter"],
    [`info_hash=${"%aa".repeat(21)}`, "bad-parameter"],
    ["info_hash=%zz", "bad-escape"],
    [`info_hash=${"a".repeat(20)}&`.repeat(SCRAPE_INFOHASHES_MAX + 1), "too-many-parameters"],
    [`info_hash=${"a".repeat(20)}&`.repeat(5000), "too-long"],
    ["a&".repeat(129), "too-many-parameters"],
  ] as const) {
    assert.throws(() => parse(query), { code }, query.slice(0, 40));
  }
});

test("BEP 48: scrape URLs", () => {
  for (const [announce, scrape] of [
    ["http://example.com/announce", "http://example.com/scrape"],
    ["http://example.com/x/announce", "http://example.com/x/scrape"],
    ["http://example.com/announce.php", "http://example.com/scrape.php"],
    ["http://example.com/announce?x2%0644", "http://example.com/scrape?x2%0644"],
    ["https://example.com:8/k/announce#f", "https://example.com:8/k/scrape"],
    ["http://example.com/a", undefined],
    ["http://example.com/announce?x=2/4", "http://example.com/scrape?x=2/4"],
    ["http://example.com/x%064announce", undefined],
    ["http://example.com/announce/", undefined],
    ["udp://example.com/announce", undefined],
  ] as const) {
    assert.equal(scrapeUrl(announce, []), scrape, announce);
  }
});

test("a tracker reads exactly what a client asks, NUL bytes included (BTFS-7)", () => {
  const url = scrapeUrl("http://t.example/announce?k=1", HASHES)!;
  assert.deepEqual(parse(url.slice(url.indexOf("?") + 1)), HASHES);
  assert.deepEqual(parse(""), []);
});

test("PUB-3.10: counts come out as they went in, sorted by infohash", () => {
  const counts = { complete: 1, incomplete: 2, downloaded: 3, downloaders: 1 };
  const traffic = { uploadedBytes: 10, downloadedBytes: 2 ** 53 - 1 };
  const entries = HASHES.map((infohash) => ({ infohash, ...counts, ...traffic }));
  const body = encodeScrapeReply([...entries, entries[0]!], 900);
  const read = decodeScrapeReply(body);
  assert.ok(read instanceof Map);
  assert.equal(read.size, 3);
  for (const { infohash } of entries) {
    assert.deepEqual(read.get(toLatin1(infohash)), { ...counts, ...traffic });
  }
  assert.match(toLatin1(body), /5:flagsd20:min_request_intervali900eee$/);
});

test("BEP 48: a reply is canonical bencode, whatever the order and repetition of its entries", () => {
  const at = (byte: string) => ({ infohash: fromLatin1(byte.repeat(20)) });
  const few = { complete: 0, incomplete: 10, downloaded: 2 ** 53 - 1 };
  const entries = [
    { ...at("z"), ...few },
    { ...at("\xff"), ...few, downloaders: 9, uploadedBytes: 0, downloadedBytes: 1 },
    { ...at("a"), ...few },
    { ...at("z"), ...few },
  ];
  const counts = "8:completei0e10:downloadedi9007199254740991e";
  assert.equal(
    toLatin1(encodeScrapeReply(entries, 0)),
    `d5:filesd20:${"a".repeat(20)}d${counts}10:incompletei10ee` +
      `20:${"z".repeat(20)}d${counts}10:incompletei10ee` +
      `20:${"\xff".repeat(20)}d${counts}11:downloadersi9e10:incompletei10e` +
      "16:total_downloadedi1e14:total_uploadedi0ee" +
      "e5:flagsd20:min_request_intervali0eee",
  );
  assert.equal(
    toLatin1(encodeScrapeReply([], 1800)),
    "d5:filesde5:flagsd20:min_request_intervali1800eee",
  );
});

test("replies of others", () => {
  assert.deepEqual(decodeScrapeReply(encodeFailure("no")), { kind: "failure", reason: "no" });
  assert.throws(() => decodeScrapeReply(fromLatin1("de")), { code: "bad-reply" });
  assert.throws(() => decodeScrapeReply(fromLatin1("<html>")), { code: "bad-reply" });
  const odd = decodeScrapeReply(
    fromLatin1(`d5:filesd3:abcde20:${"a".repeat(20)}d8:completei-5e10:incompletei4eeee`),
  );
  assert.ok(odd instanceof Map);
  assert.equal(odd.size, 1);
  assert.equal(odd.get("a".repeat(20))?.complete, 0);
  assert.equal(odd.get("a".repeat(20))?.incomplete, 4);
});
