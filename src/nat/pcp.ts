import { readUint16, readUint32, writeUint16, writeUint32 } from "../base/bytes.ts";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { NatError } from "./nat-error.ts";
import type { MappedTransport } from "./transport-name.ts";

export const PCP_VERSION = 2;
export const NONCE_BYTES = 12;
/** Bytes of a packet (RFC 6887, 7). */
const PACKET_BYTES_MAX = 1100;
const HEAD_BYTES = 24;
const MAP_BYTES = 60;
const ANNOUNCE_OP = 0;
const MAP_OP = 1;
const REPLY_BIT = 128;
/** The numbers of IP protocols. */
const PROTOCOL: Readonly<Record<MappedTransport, number>> = { tcp: 6, udp: 17 };

/** Result codes of RFC 6887, 7.4. */
export const PCP_RESULT = {
  success: 0,
  unsupportedVersion: 1,
  notAuthorized: 2,
  malformedRequest: 3,
  unsupportedOpcode: 4,
  networkFailure: 7,
  noResources: 8,
  unsupportedProtocol: 9,
  userQuota: 10,
  cannotProvideExternal: 11,
  addressMismatch: 12,
  excessivePeers: 13,
} as const;

/** An answer of a router in PCP (RFC 6887). */
export type PcpReply =
  /** It speaks another version only. */
  | { readonly kind: "version"; readonly version: number }
  | {
      readonly kind: "announcement";
      readonly epochSeconds: number;
    }
  | {
      readonly kind: "mapping";
      readonly result: number;
      /** Of the mapping; for a refusal, how long it will stay that way. */
      readonly lifetimeSeconds: number;
      readonly epochSeconds: number;
      readonly nonce: Uint8Array;
      readonly transport: MappedTransport;
      readonly innerPort: number;
      readonly outerPort: number;
      readonly outerAddress: string;
    };

/** A wish for a mapping, or for a hole in a firewall: the same request asks for both. */
export interface PcpWish {
  /** Our address, which the router compares with the sender's. */
  readonly innerAddress: string;
  readonly innerPort: number;
  readonly transport: MappedTransport;
  /** The same one renews the mapping, and gives it back. */
  readonly nonce: Uint8Array;
  /** 0 for any. */
  readonly outerPort: number;
  /** `undefined` for any of our family. */
  readonly outerAddress: string | undefined;
  /** 0 gives the mapping back. */
  readonly lifetimeSeconds: number;
}

/** Asks the router for nothing but a sign of life, and its count of seconds (RFC 6887, 14.1). */
export function encodePcpAnnounce(innerAddress: string): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  bytes[0] = PCP_VERSION;
  bytes.set(wideAddress(innerAddress), 8);
  return bytes;
}

export function encodePcpMap(wish: PcpWish): Uint8Array {
  const bytes = new Uint8Array(MAP_BYTES);
  const inner = wideAddress(wish.innerAddress);
  bytes[0] = PCP_VERSION;
  bytes[1] = MAP_OP;
  writeUint32(bytes, 4, wish.lifetimeSeconds);
  bytes.set(inner, 8);
  bytes.set(wish.nonce, HEAD_BYTES);
  bytes[36] = PROTOCOL[wish.transport];
  writeUint16(bytes, 40, wish.innerPort);
  writeUint16(bytes, 42, wish.outerPort);
  // "Any" is written as an address of our family, all zeros.
  const any = wish.innerAddress.includes(":") ? "::" : "0.0.0.0";
  bytes.set(wideAddress(wish.outerAddress ?? any), 44);
  return bytes;
}

/** @throws {NatError} `malformed` */
export function decodePcp(bytes: Uint8Array): PcpReply {
  const [version = 0, code = 0] = bytes;
  if (code < REPLY_BIT || bytes.length > PACKET_BYTES_MAX || bytes.length < 4) {
    throw malformed(bytes);
  }
  // A router that speaks another version answers in that one, NAT-PMP being version 0 (RFC 6887, 9).
  if (version !== PCP_VERSION) return { kind: "version", version };
  if (bytes.length < HEAD_BYTES || bytes.length % 4 !== 0) throw malformed(bytes);
  const result = bytes[3]!;
  if (result === PCP_RESULT.unsupportedVersion) return { kind: "version", version };
  const op = code - REPLY_BIT;
  const epochSeconds = readUint32(bytes, 8);
  if (op === ANNOUNCE_OP) return { kind: "announcement", epochSeconds };
  if (op !== MAP_OP || bytes.length < MAP_BYTES) throw malformed(bytes);
  const protocol = bytes[36];
  if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) throw malformed(bytes);
  return {
    kind: "mapping",
    result,
    lifetimeSeconds: readUint32(bytes, 4),
    epochSeconds,
    nonce: bytes.slice(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES),
    transport: protocol === PROTOCOL.tcp ? "tcp" : "udp",
    innerPort: readUint16(bytes, 40),
    outerPort: readUint16(bytes, 42),
    outerAddress: formatAddress(bytes.subarray(44, 60)),
  };
}

/** 16 bytes; IPv4 is written as ::ffff:a.b.c.d. */
function wideAddress(address: string): Uint8Array {
  const bytes = addressBytes(address);
  if (!bytes) throw new NatError("malformed", `${address} is no address`);
  if (bytes.length === 16) return bytes;
  const wide = new Uint8Array(16);
  wide.fill(0xff, 10, 12);
  wide.set(bytes, 12);
  return wide;
}

function malformed(bytes: Uint8Array): NatError {
  return new NatError("malformed", `${bytes.length} bytes are no answer of PCP`);
}
