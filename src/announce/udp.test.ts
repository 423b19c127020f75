import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encodeUtf8, fromHex, fromLatin1, toHex } from "../base/bytes.ts";
import { encodeCompact } from "../base/endpoint.ts";
import { AnnounceAnswer } from "./announce-answer.ts";
import { AnnounceRequest, LEFT_UNKNOWN, type OutgoingAnnounce } from "./announce-request.ts";
import { encodeUrlOptions, parseUrlOptions } from "./udp-options.ts";
import {
  decodeUdpReply,
  encodeUdpAnnounceReply,
  encodeUdpConnectReply,
  encodeUdpError,
  encodeUdpScrapeReply,
  UDP_ANSWER_BYTES_MAX,
  udpPeersMax,
  udpTransactionId,
} from "./udp-reply.ts";
import {
  encodeUdpAnnounce,
  encodeUdpConnect,
  encodeUdpScrape,
  isUdpConnect,
  parseUdpAnnounce,
  parseUdpScrape,
} from "./udp-request.ts";

const { bep15 } = JSON.parse(
  readFileSync(new URL("../../test/vectors/vectors.json", import.meta.url), "utf8"),
) as { bep15: { connect: string; announce: string; bep41_option: string } };

const CONNECTION = [0x11223344, 0x55667788] as const;
const OUTGOING: OutgoingAnnounce = {
  infohash: new Uint8Array(20).fill(0xaa),
  peerId: fromLatin1("-EV0100-abcdefghijkl"),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1000,
  event: "started",
  numwant: -1,
  key: 0xcafebabe,
};
const TRACKER = "udp://t.example:80/announce";

function announceTo(trackerUrl: string, announce = OUTGOING): Uint8Array {
  return encodeUdpAnnounce(CONNECTION, 0x01020304, { announce, trackerUrl });
}

function parse(packet: Uint8Array, request = new AnnounceRequest()): AnnounceRequest {
  parseUdpAnnounce(packet, request);
  return request;
}

/** The vector with some bytes replaced. */
function patched(offset: number, hex: string): Uint8Array {
  const packet = fromHex(bep15.announce)!;
  packet.set(fromHex(hex)!, offset);
  return packet;
}

test("TRK-9: connect requests are recognised, everything else is not", () => {
  const connect = fromHex(bep15.connect)!;
  assert.ok(isUdpConnect(connect));
  assert.ok(isUdpConnect(Uint8Array.from([...connect, 1, 2, 3])));
  for (let length = 0; length < 16; length += 1) {
    assert.ok(!isUdpConnect(connect.subarray(0, length)), `${length} bytes`);
  }
  for (let at = 0; at < 12; at += 1) {
    const other = connect.slice();
    other[at]! ^= 1;
    assert.ok(!isUdpConnect(other), `byte ${at}`);
  }
});

const refused: readonly (readonly [string, Uint8Array, string])[] = [
  ["97 bytes", fromHex(bep15.announce)!.subarray(0, 97), "bad-packet"],
  ["TRK-3: port 0", patched(96, "0000"), "bad-parameter"],
  ["event 5", patched(80, "00000005"), "bad-parameter"],
  ["event 2^32-1", patched(80, "ffffffff"), "bad-parameter"],
  ["TRK-5: downloaded of 2^53", patched(56, "0020000000000000"), "bad-parameter"],
  ["TRK-5: uploaded of 2^64-1", patched(72, "ffffffffffffffff"), "bad-parameter"],
];

for (const [name, packet, code] of refused) {
  test(`${name} is refused`, () => {
    assert.throws(() => parse(packet), { code });
  });
}

test("BEP 15: the vectors", () => {
  assert.equal(toHex(encodeUdpConnect(0x01020304)), bep15.connect);
  assert.equal(toHex(announceTo(TRACKER)), bep15.announce);
  const request = parse(fromHex(bep15.announce)!);
  assert.deepEqual(request.infohash, OUTGOING.infohash);
  assert.deepEqual(request.peerId, OUTGOING.peerId);
  const { port, uploaded, downloaded, left, event, numwant, key } = request;
  assert.deepEqual(
    { port, uploaded, downloaded, left, event, numwant, key: key >>> 0 },
    {
      port: 6881,
      uploaded: 0,
      downloaded: 0,
      left: 1000,
      event: "started",
      numwant: -1,
      key: 0xcafebabe,
    },
  );
});

test("BEP 41: the vector, and the options after it", () => {
  const path = encodeUtf8("/dir?a=b&c=d");
  assert.equal(toHex(encodeUrlOptions(path)), bep15.bep41_option);
  assert.equal(toHex(encodeUrlOptions(new Uint8Array(0))), "0200");
  assert.equal(
    toHex(announceTo("udp://t.example:80/dir?a=b&c=d")),
    bep15.announce + bep15.bep41_option,
  );
  for (const [url, options] of [
    ["udp://t.example:80/dir?a=b&c=d", "/dir?a=b&c=d"],
    ["udp://t.example:80", ""],
    ["udp://t.example:80/", ""],
    [TRACKER, ""],
    ["udp://t.example:80/announce/k3y#f", "/announce/k3y"],
    ["udp://t.example:80?k=1", "?k=1"],
    [`udp://t.example:80/${"k".repeat(600)}`, `/${"k".repeat(600)}`],
  ] as const) {
    const packet = announceTo(url);
    assert.equal(parseUrlOptions(packet, fromHex(bep15.announce)!.length), options, url);
    assert.equal(parse(packet).credential, undefined, url);
  }
});

test("BEP 41: options of others", () => {
  for (const [hex, url] of [
    ["", ""],
    ["00", ""],
    ["0101010100", ""],
    ["01020161", "a"],
    ["0201610201620002 0163".replace(" ", ""), "ab"],
    ["0702ffff020161", "a"],
    ["02", ""],
    ["0205616263", ""],
    ["020161020961", "a"],
    ["ff", ""],
  ] as const) {
    assert.equal(parseUrlOptions(fromHex(hex)!, 0), url, hex);
  }
});

test("all events and large numbers survive the wire", () => {
  for (const event of ["none", "started", "completed", "stopped"] as const) {
    assert.equal(parse(announceTo(TRACKER, { ...OUTGOING, event })).event, event);
  }
  assert.equal(parse(announceTo(TRACKER, { ...OUTGOING, event: "paused" })).event, "none");
  assert.equal(parse(patched(80, "00000004")).event, "paused");
  const uploaded = 2 ** 53 - 1;
  assert.equal(parse(announceTo(TRACKER, { ...OUTGOING, uploaded })).uploaded, uploaded);
  assert.equal(parse(patched(64, "ffffffffffffffff")).left, LEFT_UNKNOWN);
});

test("a claimed address is only recorded, and is cleared for the next request", () => {
  const request = parse(patched(84, "01020304"));
  assert.equal(request.claimedAddress, "1.2.3.4");
  assert.equal(parse(fromHex(bep15.announce)!, request).claimedAddress, "");
});

test("TRK-6: an answer is one datagram, entries of 6 and 18 bytes", () => {
  for (const [entryBytes, address] of [
    [6, "1.2.3.4"],
    [18, "2001:db8::1"],
  ] as const) {
    const answer = new AnnounceAnswer();
    answer.reset(entryBytes);
    answer.complete = 5;
    answer.incomplete = 6;
    answer.peerCount = Math.min(udpPeersMax(entryBytes), 200);
    const peers = Array.from({ length: answer.peerCount }, (_, i) => ({ address, port: i + 1 }));
    for (const [i, peer] of peers.entries()) answer.peers.set(encodeCompact(peer), i * entryBytes);
    const packet = encodeUdpAnnounceReply(9, 720, answer);
    assert.ok(packet.length <= UDP_ANSWER_BYTES_MAX);
    assert.equal(udpTransactionId(packet), 9);
    assert.deepEqual(decodeUdpReply(packet, entryBytes), {
      kind: "reply",
      intervalS: 720,
      complete: 5,
      incomplete: 6,
      peers,
    });
  }
});

test("connects, scrapes and errors survive a round trip", () => {
  const connected = decodeUdpReply(encodeUdpConnectReply(1, CONNECTION), 6);
  assert.deepEqual(connected, { kind: "connected", connectionId: [...CONNECTION] });
  const infohashes = [1, 0, 255].map((byte) => new Uint8Array(20).fill(byte));
  const scrape = encodeUdpScrape(CONNECTION, 2, infohashes);
  assert.deepEqual(parseUdpScrape(scrape), infohashes);
  assert.deepEqual(parseUdpScrape(scrape.subarray(0, 75)), infohashes.slice(0, 2));
  const tooMany = Array.from({ length: 75 }, () => new Uint8Array(20));
  assert.throws(() => encodeUdpScrape(CONNECTION, 2, tooMany), { code: "too-many-parameters" });
  const counts = [{ complete: 1, downloaded: 2, incomplete: 2 ** 32 - 1 }];
  assert.deepEqual(decodeUdpReply(encodeUdpScrapeReply(3, counts), 6), { kind: "scraped", counts });
  assert.deepEqual(decodeUdpReply(encodeUdpError(4, "nö"), 6), { kind: "failure", reason: "nö" });
  assert.ok(encodeUdpError(4, "x".repeat(10_000)).length <= 264);
});

test("truncated replies and replies of an unknown action are refused", () => {
  const replies = [
    encodeUdpConnectReply(1, CONNECTION).subarray(0, 15),
    encodeUdpAnnounceReply(1, 1, new AnnounceAnswer()).subarray(0, 19),
    Uint8Array.from([0, 0, 0, 9, 0, 0, 0, 1]),
  ];
  for (const packet of replies) {
    assert.throws(() => decodeUdpReply(packet, 6), { code: "bad-packet" });
  }
  for (let length = 0; length < 8; length += 1) {
    assert.equal(udpTransactionId(new Uint8Array(length)), undefined);
    assert.throws(() => decodeUdpReply(new Uint8Array(length), 6), { code: "bad-packet" });
  }
});
