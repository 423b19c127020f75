import { compareBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import { getBytes, getDict, isDict } from "../bencode/bencode-value.ts";
import { AnnounceError } from "./announce-error.ts";
import { type Credential, withParameter } from "./credential.ts";
import { cutMessage, decodeReplyDict, getCount, type TrackerFailure } from "./http-reply.ts";
import { joinQuery, trackerUrlWithoutOwn } from "./tracker-url.ts";
import { percentDecodeInto, percentEncode, QueryCursor } from "./query.ts";

/** Infohashes of one scrape, HTTP and UDP: what fits into a datagram (TRK-7). */
export const SCRAPE_INFOHASHES_MAX = 74;
const PARAMETERS_MAX = 128;

/** What a tracker tells of one swarm. */
export interface ScrapeCounts {
  /** Seeds. */
  readonly complete: number;
  /** Leechers, partial seeds included. */
  readonly incomplete: number;
  /** Completions. */
  readonly downloaded: number;
  /** Leechers that still fetch (BEP 21). */
  readonly downloaders?: number | undefined;
  /** Bytes the peers reported (PUB-3.10); not in any BEP, clients pass over it. */
  readonly uploadedBytes?: number | undefined;
  readonly downloadedBytes?: number | undefined;
}

export interface ScrapeEntry extends ScrapeCounts {
  /** 20 bytes. */
  readonly infohash: Uint8Array;
}

/**
 * The scrape URL that belongs to an announce URL: the last component of the path begins with
 * `announce`, which becomes `scrape` (BEP 48).
 *
 * @returns `undefined` when that tracker has none.
 */
export function scrapeUrl(
  announceUrl: string,
  infohashes: readonly Uint8Array[],
): string | undefined {
  const match = /^(https?:\/\/[^/?#]+(?:\/[^?#]*)?\/)announce([^/?#]*)(\?[^#]*)?$/is.exec(
    trackerUrlWithoutOwn(announceUrl),
  );
  if (!match) return undefined;
  const url = `${match[1]}scrape${match[2]}${match[3] ?? ""}`;
  if (infohashes.length === 0) return url;
  return joinQuery(
    url,
    infohashes.map((infohash) => `info_hash=${percentEncode(infohash)}`).join("&"),
  );
}

const INFOHASH_NAME = fromLatin1("info_hash");
const cursor = new QueryCursor();

/**
 * Reads a scrape from its raw query string.
 *
 * @returns Infohashes in the order asked, none meaning everything (a full scrape), and what it shows of who asks.
 * @throws {AnnounceError} With the reason a client may be told.
 */
export function parseScrapeQuery(
  input: Uint8Array,
  range: { readonly start: number; readonly end: number },
): { readonly infohashes: readonly Uint8Array[]; readonly credential: Credential | undefined } {
  const infohashes: Uint8Array[] = [];
  let credential: Credential | undefined;
  cursor.open(input, range, PARAMETERS_MAX);
  while (cursor.next()) {
    if (!cursor.named(INFOHASH_NAME)) {
      credential = withParameter(cursor, credential);
      continue;
    }
    if (infohashes.length === SCRAPE_INFOHASHES_MAX) {
      throw new AnnounceError(
        "too-many-parameters",
        `at most ${SCRAPE_INFOHASHES_MAX} info_hash in a scrape`,
      );
    }
    const infohash = new Uint8Array(INFOHASH_V1_BYTES);
    const count = percentDecodeInto(input, cursor, infohash);
    if (count !== INFOHASH_V1_BYTES) {
      throw new AnnounceError(
        "bad-parameter",
        `info_hash must be ${INFOHASH_V1_BYTES} bytes, not ${count}`,
      );
    }
    infohashes.push(infohash);
  }
  return { infohashes, credential };
}

/** The reply to an HTTP scrape. An infohash given twice stands in it once. */
export function encodeScrapeReply(
  entries: readonly ScrapeEntry[],
  minRequestIntervalS: number,
): Uint8Array {
  const files = new Map(
    [...entries]
      .sort((a, b) => compareBytes(a.infohash, b.infohash))
      .map((entry) => [
        toLatin1(entry.infohash),
        dictOf({
          complete: entry.complete,
          downloaded: entry.downloaded,
          downloaders: entry.downloaders,
          incomplete: entry.incomplete,
          total_downloaded: entry.downloadedBytes,
          total_uploaded: entry.uploadedBytes,
        }),
      ]),
  );
  return encode(dictOf({ files, flags: dictOf({ min_request_interval: minRequestIntervalS }) }));
}

/**
 * Reads the reply to an HTTP scrape.
 *
 * @returns By infohash, spelled in latin1; entries that are not well formed are left out.
 * @throws {AnnounceError} `bad-reply`.
 */
export function decodeScrapeReply(
  body: Uint8Array,
): ReadonlyMap<string, ScrapeCounts> | TrackerFailure {
  const dict = decodeReplyDict(body);
  const failure = getBytes(dict, "failure reason");
  if (failure) return { kind: "failure", reason: cutMessage(failure) };
  const files = getDict(dict, "files");
  if (!files) throw new AnnounceError("bad-reply", "the tracker's answer to a scrape has no files");
  const counts = new Map<string, ScrapeCounts>();
  for (const [infohash, entry] of files) {
    if (infohash.length !== INFOHASH_V1_BYTES || !isDict(entry)) continue;
    counts.set(infohash, {
      complete: getCount(entry, "complete") ?? 0,
      incomplete: getCount(entry, "incomplete") ?? 0,
      downloaded: getCount(entry, "downloaded") ?? 0,
      downloaders: getCount(entry, "downloaders"),
      uploadedBytes: getCount(entry, "total_uploaded"),
      downloadedBytes: getCount(entry, "total_downloaded"),
    });
  }
  return counts;
}
