import { readUint16, readUint32, writeUint16, writeUint32 } from "../base/bytes.ts";

export const HEADER_BYTES = 20;
/** The largest datagram that we send: what an Ethernet carries over IPv4. */
export const DATAGRAM_BYTES_MAX = 1472;
const VERSION = 1;

export const DATA = 0;
export const FIN = 1;
export const STATE = 2;
export const RESET = 3;
export const SYN = 4;
export type PacketType = 0 | 1 | 2 | 3 | 4;

const NO_EXTENSION = 0;
const SELECTIVE_ACK = 1;
/**
 * Our own, and sent only to peers that have asked for it above uTP: the payload is that of several packets with numbers in a
 * row. Two bytes tell how much of it each has; the last one has the rest.
 */
const TRAIN = 101;
const TRAIN_LENGTH = 2;
/** The type and the length of an extension. */
const EXTENSION_HEAD_BYTES = 2;
/** Where the payload of a train begins. */
export const TRAIN_HEAD_BYTES = HEADER_BYTES + EXTENSION_HEAD_BYTES + TRAIN_LENGTH;
/** A train of more packets, or of shorter ones, is nonsense. */
const TRAIN_PACKETS_MAX = 64;
const TRAIN_PACKET_BYTES_MIN = 500;
/** The largest multiple of 4 that fits its field: it covers 2,016 packets. */
export const SELECTIVE_ACK_BYTES_MAX = 252;

/** The 20 bytes at the start of a packet. One record is used for all packets that a connection sends. */
export interface HeadFields {
  type: PacketType;
  connectionId: number;
  /** The sender's clock, in microseconds. */
  timestamp: number;
  /** How late our last packet arrived by the sender's clock, in microseconds; 0 before there was one. */
  timestampDifference: number;
  /** Bytes that the sender has room for. */
  windowBytes: number;
  sequence: number;
  /** The last packet that arrived in order. */
  ack: number;
}

/** A packet that arrived, besides its payload. One record is used for all of them. */
export interface PacketHead extends HeadFields {
  /** Where the bits of the selective ack are; `sackBytes` is 0 without one. */
  sackStart: number;
  sackBytes: number;
  payloadStart: number;
  /** The payload of each packet of a train; 0 when this is a single packet. */
  trainPacketBytes: number;
}

export function emptyHead(): PacketHead {
  return {
    type: STATE,
    connectionId: 0,
    timestamp: 0,
    timestampDifference: 0,
    windowBytes: 0,
    sequence: 0,
    ack: 0,
    sackStart: 0,
    sackBytes: 0,
    payloadStart: HEADER_BYTES,
    trainPacketBytes: 0,
  };
}

/** Tells uTP from the DHT and the UDP tracker protocol, which may use the same port. */
export function looksLikeUtp(bytes: Uint8Array): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  return (bytes[0]! & 0x0f) === VERSION && bytes[0]! >>> 4 <= SYN;
}

/**
 * Decodes the head of one packet (BEP 29). Skips extensions that it does not know.
 *
 * @param into - Receives the values; undefined values when this returns false.
 * @returns False when it is not uTP, or when an extension does not fit, a train included.
 */
export function decodePacket(bytes: Uint8Array, into: PacketHead): boolean {
  if (!looksLikeUtp(bytes)) return false;
  into.type = (bytes[0]! >>> 4) as PacketType;
  into.connectionId = readUint16(bytes, 2);
  into.timestamp = readUint32(bytes, 4);
  into.timestampDifference = readUint32(bytes, 8);
  into.windowBytes = readUint32(bytes, 12);
  into.sequence = readUint16(bytes, 16);
  into.ack = readUint16(bytes, 18);
  into.sackStart = 0;
  into.sackBytes = 0;
  into.trainPacketBytes = 0;
  let offset = HEADER_BYTES;
  let extension = bytes[1]!;
  while (extension !== NO_EXTENSION) {
    if (offset + EXTENSION_HEAD_BYTES > bytes.length) return false;
    const length = bytes[offset + 1]!;
    const start = offset + EXTENSION_HEAD_BYTES;
    if (start + length > bytes.length) return false;
    if (extension === SELECTIVE_ACK) {
      // BEP 29 wants a multiple of 4. libtorrent 2.0.8 sends any number, and without its acks it would starve.
      into.sackStart = start;
      into.sackBytes = length;
    } else if (extension === TRAIN && length === TRAIN_LENGTH && into.type === DATA) {
      into.trainPacketBytes = Math.max(readUint16(bytes, start), 1);
    }
    extension = bytes[offset]!;
    offset = start + length;
  }
  into.payloadStart = offset;
  return into.trainPacketBytes === 0 || isTrain(bytes.length - offset, into.trainPacketBytes);
}

function isTrain(payloadBytes: number, packetBytes: number): boolean {
  if (packetBytes < TRAIN_PACKET_BYTES_MIN) return false;
  return payloadBytes > packetBytes && payloadBytes <= packetBytes * TRAIN_PACKETS_MAX;
}

/** Writes the 20 bytes of a head without extensions at the start of `out`. */
export function encodeHead(out: Uint8Array, fields: HeadFields): void {
  out[0] = (fields.type << 4) | VERSION;
  out[1] = NO_EXTENSION;
  writeUint16(out, 2, fields.connectionId);
  writeUint32(out, 4, fields.timestamp);
  writeUint32(out, 8, fields.timestampDifference);
  writeUint32(out, 12, fields.windowBytes);
  writeUint16(out, 16, fields.sequence);
  writeUint16(out, 18, fields.ack);
}

/** Makes a train of a packet whose head is written; its payload belongs at `TRAIN_HEAD_BYTES`. */
export function encodeTrain(out: Uint8Array, packetBytes: number): void {
  out[1] = TRAIN;
  out[HEADER_BYTES] = NO_EXTENSION;
  out[HEADER_BYTES + 1] = TRAIN_LENGTH;
  writeUint16(out, HEADER_BYTES + EXTENSION_HEAD_BYTES, packetBytes);
}

/**
 * Adds the selective ack whose bits are already at `HEADER_BYTES + 2`.
 *
 * @param sackBytes - A multiple of 4; 0 adds nothing.
 * @returns The length of the packet.
 */
export function encodeSelectiveAck(out: Uint8Array, sackBytes: number): number {
  if (sackBytes === 0) return HEADER_BYTES;
  out[1] = SELECTIVE_ACK;
  out[HEADER_BYTES] = NO_EXTENSION;
  out[HEADER_BYTES + 1] = sackBytes;
  return HEADER_BYTES + EXTENSION_HEAD_BYTES + sackBytes;
}

/** Where `encodeSelectiveAck` expects the bits. */
export const SACK_OFFSET = HEADER_BYTES + EXTENSION_HEAD_BYTES;
