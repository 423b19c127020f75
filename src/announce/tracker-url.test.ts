import assert from "node:assert/strict";
import { test } from "node:test";
import { fromLatin1 } from "../base/bytes.ts";
import type { OutgoingAnnounce } from "./announce-request.ts";
import { announceUrl } from "./http-request.ts";
import { scrapeUrl } from "./http-scrape.ts";
import { encodeUdpAnnounce, parseUdpAnnounce } from "./udp-request.ts";
import { AnnounceRequest } from "./announce-request.ts";
import { parseUrlOptions } from "./udp-options.ts";
import { trackerUrlWithoutOwn } from "./tracker-url.ts";

const OUTGOING: OutgoingAnnounce = {
  infohash: fromLatin1("h".repeat(20)),
  peerId: fromLatin1("-EV0100-abcdefghijkl"),
  port: 6881,
  uploaded: 1,
  downloaded: 2,
  left: 3,
  event: "started",
  numwant: 50,
  key: 0xcafebabe,
  trackerId: undefined,
};

const T = "http://t.example/announce";

/** The query of a tracker's URL, and the part of it that is kept. */
const queries: readonly (readonly [why: string, query: string, kept: string])[] = [
  ["a passkey", "?passkey=0123456789abcdef", "?passkey=0123456789abcdef"],
  [
    "names that only resemble ours",
    "?sport=1&ports=2&my_ip=3&portable",
    "?sport=1&ports=2&my_ip=3&portable",
  ],
  ["values as they are", "?a=%20+%zz&b=port=1&c", "?a=%20+%zz&b=port=1&c"],
  ["a port", "?port=6379", ""],
  ["a port among others", "?passkey=k&port=6379&uid=1", "?passkey=k&uid=1"],
  ["the first", "?port=6379&passkey=k", "?passkey=k"],
  ["the last", "?passkey=k&port=6379", "?passkey=k"],
  ["without a value", "?port&ip", ""],
  [
    "all of ours",
    "?info_hash=a&peer_id=b&port=c&uploaded=d&downloaded=e&left=f&event=g&numwant=h&compact=0&no_peer_id=0&trackerid=i&ip=j&ipv4=k&ipv6=l",
    "",
  ],
  ["twice", "?port=1&a=b&port=2", "?a=b"],
  ["capital letters", "?PORT=1&Ip=2&a=b", "?a=b"],
  ["an escaped letter", "?%70ort=1&p%6Frt=2&%49P=3&a=b", "?a=b"],
  ["an array, as PHP reads it", "?port[]=1&ip[0]=2&port%5B%5D=3&a=b", "?a=b"],
  ["a zero byte, where C ends a name", "?port%00x=1&a=b", "?a=b"],
  ["spaces around it", "?%20port=1&port+=2&+ip=3&%09port=4&a=b", "?a=b"],
  [
    "spaces and dots for the line, as PHP has it",
    "?info.hash=1&peer+id=2&info%20hash=3&a=b",
    "?a=b",
  ],
  ["line breaks, which URLs lose in transit", "?po\nrt=1&i\tp=2&a=b", "?a=b"],
  ["semicolons, where some part", "?a=b;port=1&c=d", "?a=b&c=d"],
  ["an ampersand as HTML writes it", "?a=b&amp;port=1&amp;c=d", "?a=b&amp&amp;c=d"],
  ["a second question mark", "?passkey=k?port=1", "?passkey=k"],
  ["a fragment", "?passkey=k#port=1", "?passkey=k"],
];
for (const [why, query, kept] of queries) {
  test(`HUB-32: a tracker's URL cannot set our parameters: ${why}`, () => {
    assert.equal(trackerUrlWithoutOwn(T + query), T + kept);
    const url = announceUrl(T + query, OUTGOING);
    const ours = url.slice((T + kept).length + 1);
    assert.match(ours, /^info_hash=h{20}&peer_id=-EV0100-abcdefghijkl&port=6881&uploaded=1&/);
    assert.ok(url.startsWith(`${T}${kept}${kept === "" ? "?" : "&"}`), url);
  });
}

test("HUB-32: every reader of a query finds our port once, whether it takes the first or the last", () => {
  for (const [, query] of queries) {
    const { searchParams } = new URL(announceUrl(T + query, OUTGOING));
    assert.deepEqual(searchParams.getAll("port"), ["6881"], query);
    assert.deepEqual(searchParams.getAll("info_hash"), ["h".repeat(20)], query);
    assert.equal(searchParams.has("ip"), false, query);
  }
});

test("a key in the tracker's URL belongs to its member, so ours is left out", () => {
  assert.match(announceUrl(`${T}?key=member`, OUTGOING), /\?key=member&info_hash=/);
  assert.equal(announceUrl(`${T}?key=member`, OUTGOING).match(/key=/g)?.length, 1);
  assert.match(announceUrl(T, OUTGOING), /&key=CAFEBABE/);
});

test("HUB-32: the same over UDP, whose packets carry the URL at their end, and for a scrape", () => {
  const packet = encodeUdpAnnounce([1, 2], 3, {
    announce: OUTGOING,
    trackerUrl: "udp://t.example:1/announce?port=6379&passkey=k&ip=127.0.0.1",
  });
  assert.equal(parseUrlOptions(packet, 98), "/announce?passkey=k");
  const request = new AnnounceRequest();
  parseUdpAnnounce(packet, request);
  assert.equal(request.port, 6881);
  const plain = encodeUdpAnnounce([1, 2], 3, {
    announce: OUTGOING,
    trackerUrl: "udp://t.example:1/announce?port=6379",
  });
  assert.equal(plain.length, 98, "nothing is left to say");
  assert.equal(
    scrapeUrl(`${T}?info_hash=a&passkey=k`, [OUTGOING.infohash]),
    `http://t.example/scrape?passkey=k&info_hash=${"h".repeat(20)}`,
  );
});
