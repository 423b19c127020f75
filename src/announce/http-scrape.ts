import { compareBytes, fromLatin1 } from "../base/bytes.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { finish, sortInSteps, type Work } from "../base/work.ts";
import { getBytes, getDict, isDict } from "../bencode/bencode-value.ts";
import { AnnounceError } from "./announce-error.ts";
import { type Credential, withParameter } from "./credential.ts";
import { cutMessage, decodeReplyDict, getCount, type TrackerFailure } from "./http-reply.ts";
import { ReplyWriter } from "./reply-writer.ts";
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

/** The counts of a reply in the order of their keys, each with what stands before it. */
const COUNTS = (
  [
    ["complete", "complete"],
    ["downloaded", "downloaded"],
    ["downloaders", "downloaders"],
    ["incomplete", "incomplete"],
    ["downloadedBytes", "total_downloaded"],
    ["uploadedBytes", "total_uploaded"],
  ] as const
).map(([field, key]) => ({ field, before: fromLatin1(`${key.length}:${key}i`) }));

const REPLY_START = fromLatin1("d5:filesd");
const ENTRY_START = fromLatin1("20:");
const DICT_START = fromLatin1("d");
const END = fromLatin1("e");
const FLAGS_START = fromLatin1("e5:flagsd20:min_request_intervali");
const REPLY_END = fromLatin1("eee");

/** Of a number: `i`, sixteen digits, `e`; the keys are longer. */
const ENTRY_BYTES_MAX =
  ENTRY_START.length +
  INFOHASH_V1_BYTES +
  2 +
  COUNTS.reduce((sum, { before }) => sum + before.length + 17, 0);
/** Entries that are written before other work gets a turn. */
const ENTRIES_PER_STEP = 512;
/** What stands around the entries. */
const FRAME_BYTES_MAX = REPLY_START.length + FLAGS_START.length + REPLY_END.length + 16;

/** Builds the reply to an HTTP scrape. A repeated infohash appears once. */
export function encodeScrapeReply(
  entries: readonly ScrapeEntry[],
  minRequestIntervalS: number,
): Uint8Array {
  return finish(encodeScrapeInSteps(entries, minRequestIntervalS));
}

/** The same in steps: a full scrape has thousands of entries. */
export function* encodeScrapeInSteps(
  entries: readonly ScrapeEntry[],
  minRequestIntervalS: number,
): Work<Uint8Array> {
  const writer = new ReplyWriter(FRAME_BYTES_MAX + entries.length * ENTRY_BYTES_MAX);
  writer.raw(REPLY_START);
  let last: ScrapeEntry | undefined;
  const sorted = yield* sortInSteps(entries, (a, b) => compareBytes(a.infohash, b.infohash));
  for (const [index, entry] of sorted.entries()) {
    if (index % ENTRIES_PER_STEP === ENTRIES_PER_STEP - 1) yield;
    if (last && compareBytes(last.infohash, entry.infohash) === 0) continue;
    last = entry;
    writer.raw(ENTRY_START);
    writer.raw(entry.infohash);
    writer.raw(DICT_START);
    for (const { field, before } of COUNTS) {
      const count = entry[field];
      if (count === undefined) continue;
      writer.raw(before);
      writer.digits(count);
      writer.raw(END);
    }
    writer.raw(END);
  }
  writer.raw(FLAGS_START);
  writer.digits(minRequestIntervalS);
  writer.raw(REPLY_END);
  return writer.take();
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
