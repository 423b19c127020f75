import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1, toHex, toLatin1 } from "../base/bytes.ts";
import { AnnounceError } from "./announce-error.ts";
import {
  AnnounceRequest,
  LEFT_UNKNOWN,
  NUMWANT_DEFAULT,
  type OutgoingAnnounce,
} from "./announce-request.ts";
import { announceUrl, parseAnnounceQuery } from "./http-request.ts";
import { percentEncode } from "./query.ts";

const HASH = "%AA".repeat(20);
const PEER = "-EV0100-abcdefghijkl";
const GOOD = `info_hash=${HASH}&peer_id=${PEER}&port=6881`;

function parse(query: string, request = new AnnounceRequest()): AnnounceRequest {
  const input = fromLatin1(query);
  parseAnnounceQuery(input, { start: 0, end: input.length }, request);
  return request;
}

const withPort = (port: string): string => `info_hash=${HASH}&peer_id=${PEER}&port=${port}`;
const withHash = (hash: string): string => `info_hash=${hash}&peer_id=${PEER}&port=1`;

const refused: readonly (readonly [string, string, string])[] = [
  ["TRK-3: port 0", withPort("0"), "bad-parameter"],
  ["TRK-3: port 65536", withPort("65536"), "bad-parameter"],
  ["TRK-3: port 71617, which is 6081 in 16 bits", withPort("71617"), "bad-parameter"],
  ["TRK-3: port with an exponent", withPort("1e3"), "bad-parameter"],
  ["TRK-3: port in hexadecimal", withPort("0x1AE1"), "bad-parameter"],
  ["TRK-3: port with a space", withPort(" 6881"), "bad-parameter"],
  ["TRK-3: port with an escaped space", withPort("%206881"), "bad-parameter"],
  ["TRK-3: port with a plus", withPort("+6881"), "bad-parameter"],
  ["TRK-3: negative port", withPort("-6881"), "bad-parameter"],
  ["TRK-3: empty port", withPort(""), "bad-parameter"],
  ["TRK-3: port with a leading zero", withPort("06881"), "bad-parameter"],
  ["TRK-3: port with a fraction", withPort("6881.5"), "bad-parameter"],
  ["TRK-3: no port", `info_hash=${HASH}&peer_id=${PEER}`, "missing-parameter"],
  ["TRK-3: port twice", `${GOOD}&port=6881`, "repeated-parameter"],
  ["TRK-4: info_hash of 19 bytes", withHash("%AA".repeat(19)), "bad-parameter"],
  ["TRK-4: info_hash of 21 bytes", withHash("%AA".repeat(21)), "bad-parameter"],
  ["TRK-4: info_hash in hexadecimal", withHash("aa".repeat(20)), "bad-parameter"],
  ["TRK-4: empty info_hash", withHash(""), "bad-parameter"],
  ["TRK-4: info_hash twice", `${GOOD}&info_hash=${HASH}`, "repeated-parameter"],
  ["TRK-4: no info_hash", `peer_id=${PEER}&port=1`, "missing-parameter"],
  ["TRK-4: a bare percent sign", withHash(`${"%AA".repeat(19)}%`), "bad-escape"],
  ["TRK-4: half an escape", withHash(`${"%AA".repeat(19)}%A`), "bad-escape"],
  ["TRK-4: an escape of no digits", withHash(`${"%AA".repeat(19)}%GG`), "bad-escape"],
  ["TRK-4: an escape across parameters", `info_hash=%A&A=${PEER}`, "bad-escape"],
  [
    "TRK-4: peer_id of 19 bytes",
    `info_hash=${HASH}&peer_id=${PEER.slice(1)}&port=1`,
    "bad-parameter",
  ],
  ["TRK-4: peer_id twice", `${GOOD}&peer_id=${PEER}`, "repeated-parameter"],
  ["TRK-4: no peer_id", `info_hash=${HASH}&port=1`, "missing-parameter"],
  ["TRK-5: negative uploaded", `${GOOD}&uploaded=-1`, "bad-parameter"],
  ["TRK-5: negative downloaded", `${GOOD}&downloaded=-5`, "bad-parameter"],
  ["TRK-5: negative left", `${GOOD}&left=-1`, "bad-parameter"],
  ["TRK-5: uploaded of 2^53", `${GOOD}&uploaded=9007199254740992`, "bad-parameter"],
  ["TRK-5: downloaded of 2^64", `${GOOD}&downloaded=18446744073709551616`, "bad-parameter"],
  ["TRK-5: left of 21 digits", `${GOOD}&left=${"9".repeat(21)}`, "bad-parameter"],
  ["TRK-5: left is no number", `${GOOD}&left=NaN`, "bad-parameter"],
  ["TRK-5: left twice", `${GOOD}&left=1&left=0`, "repeated-parameter"],
  ["TRK-6: numwant is no number", `${GOOD}&numwant=many`, "bad-parameter"],
  ["TRK-15: SQL as event", `${GOOD}&event=started';--`, "bad-parameter"],
  ["an event nobody knows", `${GOOD}&event=Started`, "bad-parameter"],
  ["TRK-12: 65 parameters", `${GOOD}${"&a=b".repeat(62)}`, "too-many-parameters"],
  [
    "TRK-12: 10,000 parameters",
    `${GOOD}${"&".repeat(2)}${"&a".repeat(4000)}`,
    "too-many-parameters",
  ],
  ["TRK-12: a query of 100 kB", `${GOOD}&a=${"b".repeat(100_000)}`, "too-long"],
  ["a key of 65 bytes", `${GOOD}&key=${"k".repeat(65)}`, "bad-parameter"],
  ["TRK-1: an ip of 65 bytes", `${GOOD}&ip=${"1".repeat(65)}`, "bad-parameter"],
  ["nothing", "", "missing-parameter"],
];

for (const [name, query, code] of refused) {
  test(`${name} is refused`, () => {
    assert.throws(
      () => parse(query),
      (error) => {
        assert.ok(error instanceof AnnounceError);
        assert.equal(error.code, code);
        assert.doesNotMatch(error.reason, /EV0100|SQL|--/);
        return true;
      },
    );
  });
}

const accepted: readonly (readonly [string, string, Partial<AnnounceRequest>])[] = [
  ["port 1", withPort("1"), { port: 1 }],
  ["port 65535", withPort("65535"), { port: 65535 }],
  ["without left it is not a seed", GOOD, { left: LEFT_UNKNOWN }],
  ["left 0 is a seed", `${GOOD}&left=0`, { left: 0 }],
  ["TRK-5: left of 2^64-1", `${GOOD}&left=18446744073709551615`, { left: LEFT_UNKNOWN }],
  ["TRK-5: uploaded of 2^53-1", `${GOOD}&uploaded=9007199254740991`, { uploaded: 2 ** 53 - 1 }],
  ["TRK-6: numwant of 10^9", `${GOOD}&numwant=1000000000`, { numwant: 1e9 }],
  ["TRK-6: numwant of 10^15", `${GOOD}&numwant=1000000000000000`, { numwant: 2 ** 31 - 1 }],
  ["numwant 0", `${GOOD}&numwant=0`, { numwant: 0 }],
  ["numwant -1 as in UDP", `${GOOD}&numwant=-1`, { numwant: NUMWANT_DEFAULT }],
  ["an empty numwant", `${GOOD}&numwant=`, { numwant: NUMWANT_DEFAULT }],
  ["an empty event", `${GOOD}&event=`, { event: "none" }],
  ["BEP 21: paused", `${GOOD}&event=paused`, { event: "paused" }],
  ["compact absent means dictionaries", GOOD, { compact: false }],
  ["compact=0", `${GOOD}&compact=0`, { compact: false }],
  ["compact empty", `${GOOD}&compact=`, { compact: false }],
  ["compact=1", `${GOOD}&compact=1`, { compact: true }],
  ["PUB-3.2: compact=YES!", `${GOOD}&compact=YES!`, { compact: true }],
  ["no_peer_id", `${GOOD}&no_peer_id=1`, { noPeerId: true }],
  ["a trackerid with a value", `${GOOD}&trackerid=x`, { emptyTrackerId: false }],
  ["a key in hexadecimal", `${GOOD}&key=CAFEBABE`, { key: 0xcafebabe | 0 }],
  ["a short key", `${GOOD}&key=1f`, { key: 0x1f }],
  ["an escaped ip", `${GOOD}&ip=2001%3Adb8%3A%3A1`, { claimedAddress: "2001:db8::1" }],
  ["unknown parameters", `${GOOD}&supportcrypto=1&corrupt&=&redundant=0`, { port: 6881 }],
  ["empty parameters", `&&${GOOD}&&`, { port: 6881 }],
  ["TRK-12: 64 parameters", `${GOOD}${"&a=b".repeat(61)}`, { port: 6881 }],
];

for (const [name, query, expected] of accepted) {
  test(`${name} is accepted`, () => {
    const request = parse(query);
    for (const [field, value] of Object.entries(expected)) {
      assert.deepEqual(request[field as keyof AnnounceRequest], value, field);
    }
  });
}

test("keys that are not hexadecimal numbers still differ", () => {
  const keys = ["key123456", "key123457", "zz", "/0", ":a", "G", ""].map(
    (key) => parse(`${GOOD}&key=${key}`).key,
  );
  assert.equal(new Set(keys).size, keys.length);
});

test("PUB-3.2: the seed paper's request is read", () => {
  // HTTP/1.0, a slash before the question mark, `compact=YES!`, an empty trackerid.
  const line =
    "GET /announce/?uploaded=0&downloaded=0&left=1024&compact=YES!&numwant=3&ip=127.0.0.1" +
    "&info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A&event=started&trackerid=&key=k3y" +
    "&peer_id=evertestclient000001&port=6969 HTTP/1.0";
  const input = fromLatin1(line);
  const range = { start: line.indexOf("?") + 1, end: line.lastIndexOf(" ") };
  const request = new AnnounceRequest();
  parseAnnounceQuery(input, range, request);
  assert.equal(toHex(request.infohash), "123456789abcdef123456789abcdef123456789a");
  assert.equal(toLatin1(request.peerId), "evertestclient000001");
  assert.deepEqual(
    [request.uploaded, request.downloaded, request.left, request.numwant, request.port],
    [0, 0, 1024, 3, 6969],
  );
  assert.equal(request.event, "started");
  assert.equal(request.compact, true);
  assert.equal(request.emptyTrackerId, true);
  assert.equal(request.claimedAddress, "127.0.0.1");
});

test("nothing of a request remains in the next one", () => {
  const request = parse(
    `${GOOD}&left=0&event=stopped&numwant=9&key=ff&compact=1&no_peer_id=1&trackerid=&ip=1.2.3.4` +
      "&uploaded=5&downloaded=6",
  );
  assert.deepEqual(parse(GOOD, request), parse(GOOD));
});

const OUTGOING: OutgoingAnnounce = {
  infohash: new Uint8Array(20).fill(0xaa),
  peerId: fromLatin1(PEER),
  port: 6881,
  uploaded: 1,
  downloaded: 2,
  left: 3,
  event: "started",
  numwant: 50,
  key: 0xcafebabe,
};

/** All 256 byte values, the last ones repeated, as 13 infohashes. */
const EVERY_BYTE = Array.from({ length: 13 }, (_, row) =>
  Uint8Array.from({ length: 20 }, (__, i) => (row * 20 + i) & 0xff),
);

test("BTFS-7: all 256 byte values survive percent-encoding, NUL among them", () => {
  for (const infohash of EVERY_BYTE) {
    const url = announceUrl("http://t.example/announce", { ...OUTGOING, infohash });
    assert.match(url, /^[\x21-\x7e]+$/);
    const request = parse(url.slice(url.indexOf("?") + 1));
    assert.deepEqual(request.infohash, infohash);
    // Like a careless client: every byte escaped, in lower case.
    const escaped = toHex(infohash).replace(/../g, "%$&");
    assert.deepEqual(parse(withHash(escaped)).infohash, infohash);
  }
  assert.equal(percentEncode(fromLatin1("az-._~ +%\0")), "az-._~%20%2B%25%00");
});

test("a plus sign in an infohash is a plus sign", () => {
  assert.deepEqual(parse(withHash("+".repeat(20))).infohash, new Uint8Array(20).fill(0x2b));
});

test("a tracker reads exactly what a client sent", () => {
  const url = announceUrl("http://t.example/announce", OUTGOING);
  const request = parse(url.slice(url.indexOf("?") + 1));
  assert.deepEqual(request.infohash, OUTGOING.infohash);
  assert.deepEqual(request.peerId, OUTGOING.peerId);
  const { port, uploaded, downloaded, left, event, numwant, key } = request;
  assert.deepEqual(
    { port, uploaded, downloaded, left, event, numwant, key: key >>> 0 },
    {
      port: 6881,
      uploaded: 1,
      downloaded: 2,
      left: 3,
      event: "started",
      numwant: 50,
      key: 0xcafebabe,
    },
  );
  assert.ok(request.compact && request.noPeerId);
});

test("the tracker's own URL stays as it is", () => {
  for (const [tracker, begin] of [
    ["http://t.example/announce", "http://t.example/announce?info_hash="],
    ["https://t.example/k3y/announce?a=b", "https://t.example/k3y/announce?a=b&info_hash="],
    ["http://t.example/announce?", "http://t.example/announce?info_hash="],
    ["http://t.example/announce?a&", "http://t.example/announce?a&info_hash="],
    ["http://t.example/announce#x", "http://t.example/announce?info_hash="],
  ] as const) {
    assert.ok(announceUrl(tracker, OUTGOING).startsWith(begin), tracker);
  }
  const regular = announceUrl("http://t.example/a", { ...OUTGOING, event: "none" });
  assert.doesNotMatch(regular, /event=|trackerid=/);
  const echo = announceUrl("http://t.example/a", { ...OUTGOING, trackerId: fromLatin1("a b") });
  assert.match(echo, /&trackerid=a%20b$/);
  assert.doesNotMatch(regular, /crypto/);
  const takes = announceUrl("http://t.example/a", { ...OUTGOING, encryption: "supported" });
  assert.match(takes, /&supportcrypto=1(?!.*requirecrypto)/);
  const demands = announceUrl("http://t.example/a", { ...OUTGOING, encryption: "required" });
  assert.match(demands, /&supportcrypto=1&requirecrypto=1/);
  assert.throws(() => announceUrl("udp://t.example/a", OUTGOING), { code: "bad-url" });
});
