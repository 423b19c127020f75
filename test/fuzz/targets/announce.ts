import { AnnounceError } from "../../../src/announce/announce-error.ts";
import {
  AnnounceRequest,
  NUMWANT_DEFAULT,
  type OutgoingAnnounce,
} from "../../../src/announce/announce-request.ts";
import { encodeFailure } from "../../../src/announce/http-answer.ts";
import { decodeHttpReply, REPLY_PEERS_MAX } from "../../../src/announce/http-reply.ts";
import { announceUrl, parseAnnounceQuery } from "../../../src/announce/http-request.ts";
import {
  decodeScrapeReply,
  encodeScrapeReply,
  parseScrapeQuery,
} from "../../../src/announce/http-scrape.ts";
import {
  decodeUdpReply,
  encodeUdpConnectReply,
  encodeUdpError,
  encodeUdpScrapeReply,
} from "../../../src/announce/udp-reply.ts";
import {
  encodeUdpAnnounce,
  encodeUdpScrape,
  parseUdpAnnounce,
  parseUdpScrape,
} from "../../../src/announce/udp-request.ts";
import { equalBytes, fromLatin1 } from "../../../src/base/bytes.ts";
import type { FuzzTarget } from "../target.ts";

const ANNOUNCE: OutgoingAnnounce = {
  infohash: Uint8Array.from({ length: 20 }, (_, i) => i * 13),
  peerId: fromLatin1("-EV0100-abcdefghijkl"),
  port: 6881,
  uploaded: 1,
  downloaded: 2 ** 40,
  left: 1000,
  event: "started",
  numwant: 50,
  key: 0xcafebabe,
  trackerId: fromLatin1("id"),
};

const QUERY = announceUrl("http://t/a", ANNOUNCE).slice("http://t/a?".length);
const CONNECTION = [1, 2] as const;

const request = new AnnounceRequest();

/** What holds for every accepted announce, whatever its protocol. */
function checkRequest(): void {
  const { port, uploaded, downloaded, left, numwant, key } = request;
  if (port < 1 || port > 65535) throw new Error(`port ${port}`);
  for (const bytes of [uploaded, downloaded, left]) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new Error(`${bytes} bytes`);
  }
  if (!Number.isInteger(numwant) || numwant < NUMWANT_DEFAULT)
    throw new Error(`numwant ${numwant}`);
  if (key !== (key | 0)) throw new Error(`key ${key}`);
}

/** A decoded announce is encoded again and must decode to the same. */
function checkRoundTrip(): void {
  const { infohash, peerId, left, port, event } = request;
  const url = announceUrl("http://t/a", { ...ANNOUNCE, infohash, peerId, left, port, event });
  const again = new AnnounceRequest();
  const input = fromLatin1(url);
  parseAnnounceQuery(input, { start: url.indexOf("?") + 1, end: input.length }, again);
  const same =
    equalBytes(again.infohash, infohash) &&
    equalBytes(again.peerId, peerId) &&
    again.left === left &&
    again.port === port &&
    again.event === event;
  if (!same) throw new Error("no round trip");
}

const query: FuzzTarget = {
  name: "announce-query",
  corpus: [
    QUERY,
    `uploaded=0&left=0&compact=YES!&numwant=3&ip=::1&info_hash=${"%00".repeat(20)}&event=&trackerid=&key=k&peer_id=evertestclient000001&port=6969`,
  ].map(fromLatin1),
  refusals: [AnnounceError],
  run: (input) => {
    parseAnnounceQuery(input, { start: 0, end: input.length }, request);
    checkRequest();
    checkRoundTrip();
  },
};

const scrapeQuery: FuzzTarget = {
  name: "scrape-query",
  corpus: [fromLatin1(`info_hash=${"a".repeat(20)}&info_hash=${"%00".repeat(20)}`)],
  refusals: [AnnounceError],
  run: (input) => {
    for (const infohash of parseScrapeQuery(input, { start: 0, end: input.length }).infohashes) {
      if (infohash.length !== 20) throw new Error("an infohash of another length");
    }
  },
};

const reply: FuzzTarget = {
  name: "tracker-reply",
  corpus: [
    fromLatin1(
      "d8:completei1e11:external ip4:\x7f\0\0\x0110:incompletei2e8:intervali720e12:min intervali240e" +
        "5:peers6:\x01\x02\x03\x04\x1a\xe16:peers618:aaaaaaaaaaaaaaaapp10:tracker id1:x15:warning message1:we",
    ),
    fromLatin1(
      "d8:intervali720e5:peersld2:ip13:250.192.86.977:peer id20:aaaaaaaaaaaaaaaaaaaa4:porti18252eeee",
    ),
    fromLatin1("d8:intervali0720e8:intervali720e5:peers0:1:xi1e1:xi2ee\r\n<!-- -->"),
    encodeFailure("no", "never"),
    encodeScrapeReply(
      [{ infohash: ANNOUNCE.infohash, complete: 1, incomplete: 2, downloaded: 3 }],
      9,
    ),
  ],
  refusals: [AnnounceError],
  run: (input) => {
    const read = decodeHttpReply(input);
    if (read.kind === "reply") {
      if (read.peers.length > REPLY_PEERS_MAX) throw new Error("too many peers");
      if (read.peers.some(({ port }) => port < 1 || port > 65535)) throw new Error("a bad port");
    }
    decodeScrapeReply(input);
  },
};

const udp: FuzzTarget = {
  name: "tracker-udp",
  corpus: [
    encodeUdpAnnounce(CONNECTION, 3, { announce: ANNOUNCE, trackerUrl: "udp://t:1/key?a=b" }),
    encodeUdpScrape(CONNECTION, 3, [ANNOUNCE.infohash]),
    encodeUdpConnectReply(3, CONNECTION),
    encodeUdpScrapeReply(3, [{ complete: 1, incomplete: 2, downloaded: 3 }]),
    encodeUdpError(3, "no"),
  ],
  refusals: [AnnounceError],
  run: (input) => {
    // Each packet is read as every kind, so that one corpus is enough; each kind may refuse it.
    const readers = [
      () => decodeUdpReply(input, 6),
      () => decodeUdpReply(input, 18),
      () => {
        parseUdpAnnounce(input, request);
        checkRequest();
      },
    ];
    parseUdpScrape(input);
    let refusal: unknown;
    let taken = false;
    for (const read of readers) {
      try {
        read();
        taken = true;
      } catch (error) {
        if (!(error instanceof AnnounceError)) throw error;
        refusal = error;
      }
    }
    if (!taken) throw refusal;
  },
};

export const targets: readonly FuzzTarget[] = [query, scrapeQuery, reply, udp];
