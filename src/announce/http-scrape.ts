import { compareBytes, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { dictOf, encode } from "../bencode/encode.ts";
import { getBytes, getDict, isDict } from "../bencode/bencode-value.ts";
import { AnnounceError } from "./announce-error.ts";
import { type Credential, withParameter } from "./credential.ts";
import { cutMessage, decodeReplyDict, getCount, type TrackerFailure } from "./http-reply.ts";
import { joinQuery, trackerUrlWithoutOwn } from "./tracker-url.ts";
import { percentDecodeInto, percentEncode, QueryCursor } from "./query.ts";

/** Infohashes of one scrape, HTTP and UDP: as many as fit into a datagram (TRK-7). */
export const SCRAPE_INFOHASHES_MAX = 74;
const PARAMETERS_MAX = 128;

/** The counts of one swarm. */
export interface ScrapeCounts {
  /** Seeds. */
  readonly complete: number;
  /** Leechers, partial seeds included. */
  readonly incomplete: number;
  /** Completions. */
  readonly downloaded: number;
  /** Leechers that are still downloading (BEP 21). */
  readonly downloaders?: number | undefined;
  /** Bytes that the peers reported (PUB-3.10); in no BEP, and clients ignore it. */
  readonly uploadedBytes?: number | undefined;
  readonly downloadedBytes?: number | undefined;
}

export interface ScrapeEntry extends ScrapeCounts {
  /** 20 bytes. */
  readonly infohash: Uint8Array;
}

/**
 * Makes the scrape URL of an announce URL: the last component of the path must begin with `announce`, which becomes
 * `scrape` (BEP 48).
 *
 * @returns `undefined` when the tracker has no scrape URL.
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
 * @returns Infohashes in the order of the request, an empty list meaning all (a full scrape), and the credential.
 * @throws {AnnounceError} Its reason may be sent to the client.
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

/** Builds the reply to an HTTP scrape. A repeated infohash appears once. */
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
 * @returns Counts by infohash, spelled in latin1; malformed entries are left out.
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
