import {
  concatBytes,
  encodeUtf8,
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from "../base/bytes.ts";
import { formatAddress } from "../base/endpoint.ts";
import { INFOHASH_V1_BYTES } from "../base/infohash.ts";
import { AnnounceError } from "./announce-error.ts";
import {
  LEFT_UNKNOWN,
  NUMWANT_DEFAULT,
  type AnnounceEvent,
  type AnnounceRequest,
  type OutgoingAnnounce,
} from "./announce-request.ts";
import { SCRAPE_INFOHASHES_MAX } from "./http-scrape.ts";
import { parseUrlCredential } from "./tracker-path.ts";
import { trackerUrlWithoutOwn } from "./tracker-url.ts";
import { parseUrlOptions, encodeUrlOptions } from "./udp-options.ts";

// Requests of the UDP tracker protocol (BEP 15), both sides. All numbers are big-endian.

export const UDP_CONNECT = 0;
export const UDP_ANNOUNCE = 1;
export const UDP_SCRAPE = 2;
export const UDP_ERROR = 3;

/** Bytes of the header of every request: connection id, action, transaction id. */
export const UDP_HEADER_BYTES = 16;
const ANNOUNCE_BYTES = 98;
const MAGIC_HIGH = 0x417;
const MAGIC_LOW = 0x27101980;
const TWO_32 = 0x1_0000_0000;

/** Identifies a connection for up to two minutes; it proves that we receive packets at our address. */
export type ConnectionId = readonly [high: number, low: number];

/** In the order of their numbers; 4 is not in BEP 15, but libtorrent sends it for BEP 21. */
const EVENTS: readonly AnnounceEvent[] = ["none", "completed", "started", "stopped", "paused"];

/** @param transactionId - 32 random bits. */
export function encodeUdpConnect(transactionId: number): Uint8Array {
  return header([MAGIC_HIGH, MAGIC_LOW], UDP_CONNECT, transactionId);
}

/**
 * @param trackerUrl - Its path and query are sent as options (BEP 41), because passkeys are there. Parameters that
 *   the packet itself holds are removed from the query.
 */
export function encodeUdpAnnounce(
  connectionId: ConnectionId,
  transactionId: number,
  options: { readonly announce: OutgoingAnnounce; readonly trackerUrl: string },
): Uint8Array {
  const { announce } = options;
  const packet = new Uint8Array(ANNOUNCE_BYTES);
  packet.set(header(connectionId, UDP_ANNOUNCE, transactionId));
  packet.set(announce.infohash, 16);
  packet.set(announce.peerId, 36);
  writeUint64(packet, 56, announce.downloaded);
  writeUint64(packet, 64, announce.left);
  writeUint64(packet, 72, announce.uploaded);
  // A tracker that knows only BEP 15 would refuse event 4.
  writeUint32(packet, 80, announce.event === "paused" ? 0 : EVENTS.indexOf(announce.event));
  writeUint32(packet, 84, 0);
  writeUint32(packet, 88, announce.key);
  writeUint32(packet, 92, announce.numwant);
  writeUint16(packet, 96, announce.port);
  const path = /^udp:\/\/[^/?#]*([^#]*)/i.exec(trackerUrlWithoutOwn(options.trackerUrl))?.[1] ?? "";
  // Most tracker URLs are `udp://host:port/announce`, and need no options.
  if (path === "" || path === "/" || path === "/announce") return packet;
  return concatBytes([packet, encodeUrlOptions(encodeUtf8(path))]);
}

/** @param infohashes - At most 74. */
export function encodeUdpScrape(
  connectionId: ConnectionId,
  transactionId: number,
  infohashes: readonly Uint8Array[],
): Uint8Array {
  if (infohashes.length > SCRAPE_INFOHASHES_MAX) {
    throw new AnnounceError("too-many-parameters", `at most ${SCRAPE_INFOHASHES_MAX} infohashes`);
  }
  return concatBytes([header(connectionId, UDP_SCRAPE, transactionId), ...infohashes]);
}

/** True for a connect request: it is long enough and has the magic number (TRK-9). */
export function isUdpConnect(packet: Uint8Array): boolean {
  return (
    packet.length >= UDP_HEADER_BYTES &&
    readUint32(packet, 0) === MAGIC_HIGH &&
    readUint32(packet, 4) === MAGIC_LOW &&
    readUint32(packet, 8) === UDP_CONNECT
  );
}

/**
 * Reads an announce. The caller has checked the length of the header and the connection id.
 *
 * @throws {AnnounceError} Its reason may be sent to the client.
 */
export function parseUdpAnnounce(packet: Uint8Array, request: AnnounceRequest): void {
  if (packet.length < ANNOUNCE_BYTES) {
    throw new AnnounceError("bad-packet", `an announce has ${ANNOUNCE_BYTES} bytes or more`);
  }
  request.reset();
  for (let i = 0; i < INFOHASH_V1_BYTES; i += 1) {
    request.infohash[i] = packet[16 + i]!;
    request.peerId[i] = packet[36 + i]!;
  }
  request.downloaded = readCounter(packet, 56, "downloaded");
  request.left = Math.min(readUint64(packet, 64), LEFT_UNKNOWN);
  request.uploaded = readCounter(packet, 72, "uploaded");
  const event = EVENTS[readUint32(packet, 80)];
  if (event === undefined) throw new AnnounceError("bad-parameter", "event must be from 0 to 4");
  request.event = event;
  if (readUint32(packet, 84) !== 0) request.claimedAddress = formatAddress(packet.subarray(84, 88));
  request.key = readUint32(packet, 88) | 0;
  const numwant = readUint32(packet, 92) | 0;
  request.numwant = numwant < 0 ? NUMWANT_DEFAULT : numwant;
  request.port = readUint16(packet, 96);
  if (request.port === 0) {
    throw new AnnounceError("bad-parameter", "port must be a whole number from 1 to 65535");
  }
  if (packet.length > ANNOUNCE_BYTES) {
    request.credential = parseUrlCredential(parseUrlOptions(packet, ANNOUNCE_BYTES));
  }
}

/** The infohashes of a scrape, in order; a truncated last one is ignored. */
export function parseUdpScrape(packet: Uint8Array): Uint8Array[] {
  const infohashes: Uint8Array[] = [];
  let at = UDP_HEADER_BYTES;
  while (at + INFOHASH_V1_BYTES <= packet.length && infohashes.length < SCRAPE_INFOHASHES_MAX) {
    infohashes.push(packet.slice(at, at + INFOHASH_V1_BYTES));
    at += INFOHASH_V1_BYTES;
  }
  return infohashes;
}

function header(connectionId: ConnectionId, action: number, transactionId: number): Uint8Array {
  const packet = new Uint8Array(UDP_HEADER_BYTES);
  writeUint32(packet, 0, connectionId[0]);
  writeUint32(packet, 4, connectionId[1]);
  writeUint32(packet, 8, action);
  writeUint32(packet, 12, transactionId);
  return packet;
}

function readCounter(packet: Uint8Array, offset: number, name: string): number {
  const value = readUint64(packet, offset);
  if (value <= Number.MAX_SAFE_INTEGER) return value;
  throw new AnnounceError("bad-parameter", `${name} must be a whole number of bytes`);
}

/** Exact up to 2^53-1; larger numbers only stay larger than that. */
function readUint64(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) * TWO_32 + readUint32(bytes, offset + 4);
}

function writeUint64(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32(bytes, offset, Math.floor(value / TWO_32));
  writeUint32(bytes, offset + 4, value % TWO_32);
}
