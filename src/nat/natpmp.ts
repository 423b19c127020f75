import { readUint16, readUint32, writeUint16, writeUint32 } from "../base/bytes.ts";
import { formatAddress } from "../base/endpoint.ts";
import { NatError } from "./nat-error.ts";
import type { MappedTransport } from "./transport-name.ts";

/** The port at which routers take requests of NAT-PMP and PCP. */
export const MAPPING_PORT = 5351;
/** The port to which routers send what has changed, in multicast. */
export const ANNOUNCEMENT_PORT = 5350;

const ADDRESS_OP = 0;
const MAP_OP: Readonly<Record<MappedTransport, number>> = { udp: 1, tcp: 2 };
const REPLY_BIT = 128;
/** Of the head that every reply has. */
const HEAD_BYTES = 8;
const ADDRESS_BYTES = 12;
const MAP_REPLY_BYTES = 16;

/** Result codes of RFC 6886, 3.5. */
export const NATPMP_RESULT = {
  success: 0,
  unsupportedVersion: 1,
  notAuthorized: 2,
  networkFailure: 3,
  outOfResources: 4,
  unsupportedOpcode: 5,
} as const;

interface NatPmpHead {
  readonly result: number;
  /** Seconds since the router began to count. */
  readonly epochSeconds: number;
}

/** An answer of a router in NAT-PMP (RFC 6886). */
export type NatPmpReply = NatPmpHead &
  (
    | { readonly kind: "refusal"; readonly op: number }
    | { readonly kind: "address"; readonly address: string }
    | {
        readonly kind: "mapping";
        readonly transport: MappedTransport;
        readonly innerPort: number;
        readonly outerPort: number;
        readonly lifetimeSeconds: number;
      }
  );

export function encodeAddressRequest(): Uint8Array {
  return new Uint8Array([0, ADDRESS_OP]);
}

/** @param wish.lifetimeSeconds - 0 gives the mapping back; `outerPort` is 0 then. */
export function encodeMapRequest(wish: {
  readonly transport: MappedTransport;
  readonly innerPort: number;
  readonly outerPort: number;
  readonly lifetimeSeconds: number;
}): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes[1] = MAP_OP[wish.transport];
  writeUint16(bytes, 4, wish.innerPort);
  writeUint16(bytes, 6, wish.outerPort);
  writeUint32(bytes, 8, wish.lifetimeSeconds);
  return bytes;
}

/**
 * Decodes an answer, or the announcement of a new outer address, which has the same form. A refusal may be cut off
 * after its head: nothing behind it counts.
 *
 * @throws {NatError} `malformed`
 */
export function decodeNatPmp(bytes: Uint8Array): NatPmpReply {
  const [version, code = 0] = bytes;
  if (bytes.length < HEAD_BYTES || version !== 0 || code < REPLY_BIT) throw malformed(bytes);
  const head = { result: readUint16(bytes, 2), epochSeconds: readUint32(bytes, 4) };
  const op = code - REPLY_BIT;
  if (head.result !== NATPMP_RESULT.success) return { ...head, kind: "refusal", op };
  if (op === ADDRESS_OP && bytes.length >= ADDRESS_BYTES) {
    return { ...head, kind: "address", address: formatAddress(bytes.subarray(8, 12)) };
  }
  const transport = op === MAP_OP.tcp ? "tcp" : op === MAP_OP.udp ? "udp" : undefined;
  if (transport === undefined || bytes.length < MAP_REPLY_BYTES) throw malformed(bytes);
  return {
    ...head,
    kind: "mapping",
    transport,
    innerPort: readUint16(bytes, 8),
    outerPort: readUint16(bytes, 10),
    lifetimeSeconds: readUint32(bytes, 12),
  };
}

function malformed(bytes: Uint8Array): NatError {
  return new NatError("malformed", `${bytes.length} bytes are no answer of NAT-PMP`);
}
