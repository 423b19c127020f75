import { decodeUtf8, toLatin1 } from "../base/bytes.ts";
import { addressBytes, decodeCompact, formatAddress, type Endpoint } from "../base/endpoint.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import {
  getBytes,
  getInteger,
  getList,
  isBytes,
  isDict,
  type BencodeDict,
} from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { Oddities } from "../bencode/oddities.ts";
import { AnnounceError } from "./announce-error.ts";

/** Peers used from one reply; further ones are left out (TRK-19). */
export const REPLY_PEERS_MAX = 500;
/** Bytes of a reply; a client should not read more (TRK-19). */
export const REPLY_BYTES_MAX = 1_048_576;
/** Characters of a failure reason or warning that are kept. */
const MESSAGE_LENGTH_MAX = 300;
const TRACKER_ID_BYTES_MAX = 512;
const DEPTH_MAX = 16;
const ITEMS_MAX = 250_000;

/** Keys that we read and that must not contradict themselves (BEN-7). Texts for people are not among them. */
const DECISIVE_KEYS: ReadonlySet<string> = new Set([
  "complete",
  "downloaded",
  "external ip",
  "files",
  "incomplete",
  "interval",
  "ip",
  "min interval",
  "peers",
  "peers6",
  "port",
  "retry in",
  "tracker id",
]);

/** A tracker's reply as a client reads it, HTTP and UDP alike. */
export interface TrackerReply {
  readonly kind: "reply";
  /** Seconds, unchanged; the scheduler clamps them. */
  readonly intervalS?: number | undefined;
  readonly minIntervalS?: number | undefined;
  readonly complete?: number | undefined;
  readonly incomplete?: number | undefined;
  readonly downloaded?: number | undefined;
  readonly peers: readonly Endpoint[];
  readonly trackerId?: Uint8Array | undefined;
  /** For people; the text comes from outside. */
  readonly warning?: string | undefined;
  /** Our address as the tracker sees it (BEP 24). */
  readonly externalAddress?: string | undefined;
}

/** The tracker answered, and refused. */
export interface TrackerFailure {
  readonly kind: "failure";
  /** For people; the text comes from outside. */
  readonly reason: string;
  /** BEP 31. */
  readonly retryInMinutes?: number | "never" | undefined;
}

/**
 * Reads the reply to an HTTP announce: compact or dictionary form, IPv4 and IPv6. Fields of the wrong
 * type count as absent.
 *
 * @throws {AnnounceError} `bad-reply` when the body is not a bencoded dictionary but, for instance, a web page.
 */
export function decodeHttpReply(body: Uint8Array): TrackerReply | TrackerFailure {
  const dict = decodeReplyDict(body);
  const failure = getBytes(dict, "failure reason");
  if (failure) {
    return {
      kind: "failure",
      reason: cutMessage(failure) || "the tracker refused without a reason",
      retryInMinutes: readRetry(dict),
    };
  }
  const warning = getBytes(dict, "warning message");
  const trackerId = getBytes(dict, "tracker id");
  const external = getBytes(dict, "external ip");
  return {
    kind: "reply",
    intervalS: getInteger(dict, "interval"),
    minIntervalS: getInteger(dict, "min interval"),
    complete: getCount(dict, "complete"),
    incomplete: getCount(dict, "incomplete"),
    downloaded: getCount(dict, "downloaded"),
    peers: readPeers(dict),
    trackerId:
      trackerId && trackerId.length > 0 && trackerId.length <= TRACKER_ID_BYTES_MAX
        ? trackerId.slice()
        : undefined,
    warning: warning && warning.length > 0 ? cutMessage(warning) : undefined,
    externalAddress:
      external && (external.length === 4 || external.length === 16)
        ? formatAddress(external)
        : undefined,
  };
}

/**
 * Reads the dictionary at the start of an answer. It accepts what other clients accept (house rule 13): trailing
 * bytes, keys in any order, numbers with leading zeros, and repeated keys whose values agree or are not used.
 *
 * @throws {AnnounceError} `bad-reply`.
 */
export function decodeReplyDict(body: Uint8Array): BencodeDict {
  if (body.length > REPLY_BYTES_MAX) {
    throw new AnnounceError(
      "bad-reply",
      `the tracker's answer is longer than ${REPLY_BYTES_MAX} bytes`,
    );
  }
  const oddities = new Oddities();
  let value;
  try {
    value = decode(body, { oddities, depthMax: DEPTH_MAX, itemsMax: ITEMS_MAX });
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
    const what = /^\s*</.test(toLatin1(body.subarray(0, 64))) ? "a web page" : "something else";
    throw new AnnounceError("bad-reply", `expected a tracker's answer, got ${what}`, {
      cause: error,
    });
  }
  if (oddities.repeatCount > oddities.repeats.length) {
    throw new AnnounceError("bad-reply", "the tracker's answer repeats its keys without end");
  }
  for (const { key, differs } of oddities.repeats) {
    if (differs && DECISIVE_KEYS.has(key)) {
      throw new AnnounceError("bad-reply", `the tracker's answer says two things of "${key}"`);
    }
  }
  if (isDict(value)) return value;
  throw new AnnounceError("bad-reply", "the tracker's answer is not a dictionary");
}

/** Cuts text from outside to a readable length. Invalid UTF-8 is marked. */
export function cutMessage(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes.subarray(0, MESSAGE_LENGTH_MAX * 4)).trim();
  return text.length > MESSAGE_LENGTH_MAX ? `${text.slice(0, MESSAGE_LENGTH_MAX)}...` : text;
}

/** @returns `undefined` when the value is absent, negative or beyond 2^53. */
export function getCount(dict: BencodeDict, key: string): number | undefined {
  const count = getInteger(dict, key);
  return count !== undefined && count >= 0 ? count : undefined;
}

/** The text of BEP 31 says integer, its example shows a string: both are accepted. */
function readRetry(dict: BencodeDict): number | "never" | undefined {
  const value = dict.get("retry in");
  if (typeof value === "number") return value >= 0 ? value : undefined;
  if (!isBytes(value)) return undefined;
  const text = toLatin1(value.subarray(0, 8));
  if (text === "never") return "never";
  return /^[0-9]{1,7}$/.test(text) ? Number(text) : undefined;
}

function readPeers(dict: BencodeDict): Endpoint[] {
  const compact = getBytes(dict, "peers");
  const peers = compact
    ? decodeCompact(compact.subarray(0, REPLY_PEERS_MAX * 6), 6)
    : readPeerList(dict);
  const compact6 = getBytes(dict, "peers6");
  if (compact6) peers.push(...decodeCompact(compact6.subarray(0, REPLY_PEERS_MAX * 18), 18));
  return peers.slice(0, REPLY_PEERS_MAX);
}

/** Peers that name a host instead of an address are left out: we make no lookups for strangers. */
function readPeerList(dict: BencodeDict): Endpoint[] {
  const peers: Endpoint[] = [];
  for (const entry of getList(dict, "peers") ?? []) {
    if (peers.length === REPLY_PEERS_MAX) break;
    if (!isDict(entry)) continue;
    const ip = getBytes(entry, "ip");
    const port = getInteger(entry, "port");
    const bytes = ip && ip.length <= 45 ? addressBytes(toLatin1(ip)) : undefined;
    if (!bytes || port === undefined || port < 1 || port > 65535) continue;
    peers.push({ address: formatAddress(bytes), port });
  }
  return peers;
}
