import { encodeUtf8, readUint32, writeUint32 } from "../base/bytes.ts";
import { decodeCompact } from "../base/endpoint.ts";
import type { AnnounceAnswer } from "./announce-answer.ts";
import { AnnounceError } from "./announce-error.ts";
import { cutMessage, REPLY_PEERS_MAX, type TrackerReply } from "./http-reply.ts";
import type { ScrapeCounts } from "./http-scrape.ts";
import {
  UDP_ANNOUNCE,
  UDP_CONNECT,
  UDP_ERROR,
  UDP_SCRAPE,
  type ConnectionId,
} from "./udp-request.ts";

// Replies of the UDP tracker protocol (BEP 15), both sides.

/** Bytes of any answer: one datagram that no path has to split (1280 minus the IPv6 and UDP headers). */
export const UDP_ANSWER_BYTES_MAX = 1232;
const ANNOUNCE_HEADER_BYTES = 20;
const SCRAPE_ENTRY_BYTES = 12;
const ERROR_BYTES_MAX = 256;

/** The number of peers in one answer (TRK-6): 202 of IPv4, 67 of IPv6. */
export function udpPeersMax(entryBytes: 6 | 18): number {
  return Math.floor((UDP_ANSWER_BYTES_MAX - ANNOUNCE_HEADER_BYTES) / entryBytes);
}

export function encodeUdpConnectReply(
  transactionId: number,
  connectionId: ConnectionId,
): Uint8Array {
  const packet = replyHeader(16, UDP_CONNECT, transactionId);
  writeUint32(packet, 8, connectionId[0]);
  writeUint32(packet, 12, connectionId[1]);
  return packet;
}

export function encodeUdpAnnounceReply(
  transactionId: number,
  intervalS: number,
  answer: AnnounceAnswer,
): Uint8Array {
  const peerBytes = answer.peerCount * answer.entryBytes;
  const packet = replyHeader(ANNOUNCE_HEADER_BYTES + peerBytes, UDP_ANNOUNCE, transactionId);
  writeUint32(packet, 8, intervalS);
  writeUint32(packet, 12, answer.incomplete);
  writeUint32(packet, 16, answer.complete);
  for (let i = 0; i < peerBytes; i += 1) packet[ANNOUNCE_HEADER_BYTES + i] = answer.peers[i]!;
  return packet;
}

/** @param counts - One for each requested infohash, in order: UDP cannot leave one out. */
export function encodeUdpScrapeReply(
  transactionId: number,
  counts: readonly ScrapeCounts[],
): Uint8Array {
  const packet = replyHeader(8 + counts.length * SCRAPE_ENTRY_BYTES, UDP_SCRAPE, transactionId);
  for (const [index, count] of counts.entries()) {
    const at = 8 + index * SCRAPE_ENTRY_BYTES;
    writeUint32(packet, at, count.complete);
    writeUint32(packet, at + 4, count.downloaded);
    writeUint32(packet, at + 8, count.incomplete);
  }
  return packet;
}

export function encodeUdpError(transactionId: number, reason: string): Uint8Array {
  const text = encodeUtf8(reason).subarray(0, ERROR_BYTES_MAX);
  const packet = replyHeader(8 + text.length, UDP_ERROR, transactionId);
  packet.set(text, 8);
  return packet;
}

/** A datagram from a tracker, before it is matched with a request. */
export type UdpReply =
  | { readonly kind: "connected"; readonly connectionId: ConnectionId }
  | TrackerReply
  | { readonly kind: "scraped"; readonly counts: readonly ScrapeCounts[] }
  | { readonly kind: "failure"; readonly reason: string };

/** @returns The transaction id, or `undefined` when the packet is too short to hold one. */
export function udpTransactionId(packet: Uint8Array): number | undefined {
  return packet.length < 8 ? undefined : readUint32(packet, 4);
}

/**
 * Reads a reply. A size is only checked against a minimum, because later versions may append fields (BEP 15).
 *
 * @param entryBytes - 6 when the packet came over IPv4, 18 over IPv6.
 * @throws {AnnounceError} `bad-packet` when the packet is too short or its action is unknown.
 */
export function decodeUdpReply(packet: Uint8Array, entryBytes: 6 | 18): UdpReply {
  if (packet.length < 8) throw tooShort();
  switch (readUint32(packet, 0)) {
    case UDP_CONNECT:
      if (packet.length < 16) throw tooShort();
      return { kind: "connected", connectionId: [readUint32(packet, 8), readUint32(packet, 12)] };
    case UDP_ANNOUNCE:
      if (packet.length < ANNOUNCE_HEADER_BYTES) throw tooShort();
      return {
        kind: "reply",
        intervalS: readUint32(packet, 8) | 0,
        incomplete: readUint32(packet, 12),
        complete: readUint32(packet, 16),
        peers: decodeCompact(
          packet.subarray(
            ANNOUNCE_HEADER_BYTES,
            ANNOUNCE_HEADER_BYTES + REPLY_PEERS_MAX * entryBytes,
          ),
          entryBytes,
        ),
      };
    case UDP_SCRAPE:
      return { kind: "scraped", counts: readCounts(packet) };
    case UDP_ERROR:
      return {
        kind: "failure",
        reason: cutMessage(packet.subarray(8)) || "the tracker refused without a reason",
      };
    default:
      throw new AnnounceError("bad-packet", "the tracker answered with an unknown action");
  }
}

function readCounts(packet: Uint8Array): ScrapeCounts[] {
  const counts: ScrapeCounts[] = [];
  for (let at = 8; at + SCRAPE_ENTRY_BYTES <= packet.length; at += SCRAPE_ENTRY_BYTES) {
    counts.push({
      complete: readUint32(packet, at),
      downloaded: readUint32(packet, at + 4),
      incomplete: readUint32(packet, at + 8),
    });
  }
  return counts;
}

function tooShort(): AnnounceError {
  return new AnnounceError("bad-packet", "the tracker's answer is cut short");
}

function replyHeader(length: number, action: number, transactionId: number): Uint8Array {
  const packet = new Uint8Array(length);
  writeUint32(packet, 0, action);
  writeUint32(packet, 4, transactionId);
  return packet;
}
