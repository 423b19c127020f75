import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { PEER_ID_BYTES } from "../base/peer-id.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { AnnounceError } from "./announce-error.ts";
import {
  LEFT_UNKNOWN,
  NUMWANT_DEFAULT,
  type AnnounceEvent,
  type AnnounceRequest,
  type OutgoingAnnounce,
} from "./announce-request.ts";
import { withParameter } from "./credential.ts";
import { parseDecimal, percentDecodeInto, percentEncode, QueryCursor } from "./query.ts";
import { hasParameter, joinQuery, trackerUrlWithoutOwn } from "./tracker-url.ts";

/** Real clients send about 15 parameters. */
const PARAMETERS_MAX = 64;
const CLAIMED_ADDRESS_BYTES_MAX = 64;
const KEY_BYTES_MAX = 64;

/**
 * Builds the URL of one announce: it keeps what is in the tracker's URL (a passkey), removes the parameters that an
 * announce sets, and appends ours, so that each is there once. A `key` in the tracker's URL is the exception: it may
 * identify the member, and does not locate us, so it stays and ours is left out.
 *
 * @throws {AnnounceError} `bad-url` when `trackerUrl` is not http or https.
 */
export function announceUrl(trackerUrl: string, announce: OutgoingAnnounce): string {
  if (!/^https?:\/\//i.test(trackerUrl)) {
    throw new AnnounceError("bad-url", "an HTTP tracker's URL starts with http:// or https://");
  }
  const url = trackerUrlWithoutOwn(trackerUrl);
  const key = (announce.key >>> 0).toString(16).padStart(8, "0").toUpperCase();
  let query =
    `info_hash=${percentEncode(announce.infohash)}&peer_id=${percentEncode(announce.peerId)}` +
    `&port=${announce.port}&uploaded=${announce.uploaded}&downloaded=${announce.downloaded}` +
    `&left=${announce.left}&compact=1&no_peer_id=1&numwant=${announce.numwant}`;
  if (!hasParameter(url, "key")) query += `&key=${key}`;
  if (announce.event !== "none") query += `&event=${announce.event}`;
  if (announce.encryption) query += "&supportcrypto=1";
  if (announce.encryption === "required") query += "&requirecrypto=1";
  if (announce.trackerId) query += `&trackerid=${percentEncode(announce.trackerId)}`;
  return joinQuery(url, query);
}

const NAME = {
  infohash: fromLatin1("info_hash"),
  peerId: fromLatin1("peer_id"),
  port: fromLatin1("port"),
  uploaded: fromLatin1("uploaded"),
  downloaded: fromLatin1("downloaded"),
  left: fromLatin1("left"),
  event: fromLatin1("event"),
  numwant: fromLatin1("numwant"),
  key: fromLatin1("key"),
  compact: fromLatin1("compact"),
  noPeerId: fromLatin1("no_peer_id"),
  trackerId: fromLatin1("trackerid"),
  ip: fromLatin1("ip"),
};

const EVENTS: readonly (readonly [Uint8Array, AnnounceEvent])[] = [
  [fromLatin1(""), "none"],
  [fromLatin1("started"), "started"],
  [fromLatin1("stopped"), "stopped"],
  [fromLatin1("completed"), "completed"],
  [fromLatin1("paused"), "paused"],
];

const ZERO = fromLatin1("0");
const ONE = fromLatin1("1");

// Required parameters that must not be repeated: two readers would see different values.
const SEEN_INFOHASH = 1;
const SEEN_PEER_ID = 2;
const SEEN_PORT = 4;
const SEEN_LEFT = 8;
const SEEN_COMPACT = 16;

const cursor = new QueryCursor();

/**
 * Reads an announce from the raw query string of its URL, in place (BEP 3, 7, 21, 23).
 *
 * @param range - The place of the query in `input`, without the `?`.
 * @param request - Overwritten; its contents are undefined when this throws.
 * @throws {AnnounceError} Its reason may be sent to the client.
 */
export function parseAnnounceQuery(
  input: Uint8Array,
  range: { readonly start: number; readonly end: number },
  request: AnnounceRequest,
): void {
  request.reset();
  cursor.open(input, range, PARAMETERS_MAX);
  let seen = 0;
  while (cursor.next()) seen = parseParameter(request, seen);
  if ((seen & SEEN_INFOHASH) === 0) throw missing("info_hash");
  if ((seen & SEEN_PEER_ID) === 0) throw missing("peer_id");
  if ((seen & SEEN_PORT) === 0) throw missing("port");
  // A client that does not know BEP 23 leaves `compact` out and reads dictionaries only.
  request.compact = (seen & SEEN_COMPACT) !== 0 && request.compact;
}

/** @returns `seen` plus the bit of this parameter. */
function parseParameter(request: AnnounceRequest, seen: number): number {
  switch (cursor.nameEnd - cursor.nameStart) {
    case 2:
      if (cursor.named(NAME.ip)) parseClaimedAddress(request);
      return seen;
    case 3:
      if (cursor.named(NAME.key)) request.key = parseKey();
      return seen;
    case 4:
      if (cursor.named(NAME.port)) {
        request.port = parsePort();
        return once(seen, SEEN_PORT, "port");
      }
      if (cursor.named(NAME.left)) {
        request.left = parseLeft();
        return once(seen, SEEN_LEFT, "left");
      }
      return seen;
    case 5:
      if (cursor.named(NAME.event)) request.event = parseEvent();
      return seen;
    case 6:
      request.credential = withParameter(cursor, request.credential);
      return seen;
    case 7:
      request.credential = withParameter(cursor, request.credential);
      if (cursor.named(NAME.peerId)) {
        parseFixed(request.peerId, "peer_id");
        return once(seen, SEEN_PEER_ID, "peer_id");
      }
      if (cursor.named(NAME.numwant)) request.numwant = parseNumwant();
      if (cursor.named(NAME.compact)) {
        request.compact = cursor.end > cursor.start && !cursor.valued(ZERO);
        return seen | SEEN_COMPACT;
      }
      return seen;
    case 8:
      if (cursor.named(NAME.uploaded)) request.uploaded = parseCounter("uploaded");
      return seen;
    case 9:
      if (cursor.named(NAME.infohash)) {
        parseFixed(request.infohash, "info_hash");
        return once(seen, SEEN_INFOHASH, "info_hash");
      }
      if (cursor.named(NAME.trackerId)) request.emptyTrackerId = cursor.end === cursor.start;
      return seen;
    case 10:
      if (cursor.named(NAME.downloaded)) request.downloaded = parseCounter("downloaded");
      if (cursor.named(NAME.noPeerId)) request.noPeerId = cursor.valued(ONE);
      return seen;
    default:
      return seen;
  }
}

function once(seen: number, bit: number, name: string): number {
  if ((seen & bit) !== 0) {
    throw new AnnounceError("repeated-parameter", `${name} is given more than once`);
  }
  return seen | bit;
}

function missing(name: string): AnnounceError {
  return new AnnounceError("missing-parameter", `${name} is missing`);
}

function parseFixed(target: Uint8Array, name: "info_hash" | "peer_id"): void {
  const count = percentDecodeInto(cursor.input, cursor, target);
  const wanted = name === "peer_id" ? PEER_ID_BYTES : INFOHASH_V1_BYTES;
  if (count === wanted) return;
  throw new AnnounceError("bad-parameter", `${name} must be ${wanted} bytes, not ${count}`);
}

function parsePort(): number {
  const port = parseDecimal(cursor.input, cursor.start, cursor.end);
  if (port >= 1 && port <= 65535) return port;
  throw new AnnounceError("bad-parameter", "port must be a whole number from 1 to 65535");
}

function parseCounter(name: "uploaded" | "downloaded"): number {
  const value = parseDecimal(cursor.input, cursor.start, cursor.end);
  if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new AnnounceError("bad-parameter", `${name} must be a whole number of bytes`);
}

function parseLeft(): number {
  const value = parseDecimal(cursor.input, cursor.start, cursor.end);
  if (value >= 0) return Math.min(value, LEFT_UNKNOWN);
  throw new AnnounceError("bad-parameter", "left must be a whole number of bytes");
}

function parseNumwant(): number {
  // Some clients send -1, as over UDP, or an empty value.
  if (cursor.start === cursor.end) return NUMWANT_DEFAULT;
  const value = parseDecimal(cursor.input, cursor.start, cursor.end);
  if (Number.isNaN(value)) {
    throw new AnnounceError("bad-parameter", "numwant must be a whole number");
  }
  return value < 0 ? NUMWANT_DEFAULT : Math.min(value, 0x7fffffff);
}

function parseEvent(): AnnounceEvent {
  for (const [text, event] of EVENTS) if (cursor.valued(text)) return event;
  throw new AnnounceError(
    "bad-parameter",
    "event must be started, completed, stopped, paused or empty",
  );
}

/** Eight hexadecimal digits are the number sent over UDP; anything else is hashed (FNV-1a). */
function parseKey(): number {
  const { input, start, end } = cursor;
  if (end - start > KEY_BYTES_MAX) {
    throw new AnnounceError("bad-parameter", `key is longer than ${KEY_BYTES_MAX} bytes`);
  }
  let number = 0;
  let hash = 0x811c9dc5;
  let hexadecimal = end - start <= 8;
  for (let at = start; at < end; at += 1) {
    const byte = input[at]!;
    hash = Math.imul(hash ^ byte, 0x01000193);
    const digit = byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
    if (digit < 0 || digit > 15 || (byte > 0x39 && digit < 10)) hexadecimal = false;
    number = (number << 4) | digit;
  }
  return hexadecimal ? number : hash | 0;
}

function parseClaimedAddress(request: AnnounceRequest): void {
  const text = new Uint8Array(CLAIMED_ADDRESS_BYTES_MAX);
  const count = percentDecodeInto(cursor.input, cursor, text);
  if (count > CLAIMED_ADDRESS_BYTES_MAX) {
    throw new AnnounceError(
      "bad-parameter",
      `ip is longer than ${CLAIMED_ADDRESS_BYTES_MAX} bytes`,
    );
  }
  request.claimedAddress = toLatin1(text.subarray(0, count));
}
