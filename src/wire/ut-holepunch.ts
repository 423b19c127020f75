import { concatBytes, readUint16, readUint32, writeUint32 } from "../base/bytes.ts";
import { encodeCompact, type Endpoint, formatAddress } from "../base/endpoint.ts";
import { WireError } from "./wire-error.ts";

export const UT_HOLEPUNCH = "ut_holepunch";

/** Why a relay does not introduce two peers (BEP 55). */
export const HOLEPUNCH_ERROR = {
  /** The address is none. */
  noSuchPeer: 1,
  /** The relay is not connected to it. */
  notConnected: 2,
  /** It does not speak the extension. */
  noSupport: 3,
  /** It is the relay, or whoever asks. */
  noSelf: 4,
} as const;

const KINDS = ["rendezvous", "connect", "error"] as const;
const ADDRESS_BYTES = [4, 16] as const;
/** Kind, and type of the address. */
const HEAD_BYTES = 2;
const PORT_BYTES = 2;
const ERROR_BYTES = 4;

/** `rendezvous`: introduce us to this peer; `connect`: dial it now, it dials you; `error`: why not. */
export interface HolepunchMessage {
  readonly kind: (typeof KINDS)[number];
  readonly endpoint: Endpoint;
  /** 0 unless it is an error. */
  readonly error: number;
}

export function encodeHolepunch({ kind, endpoint, error }: HolepunchMessage): Uint8Array {
  const compact = encodeCompact(endpoint);
  const isIpv6 = compact.length > ADDRESS_BYTES[0] + PORT_BYTES;
  const code = new Uint8Array(ERROR_BYTES);
  writeUint32(code, 0, error);
  return concatBytes([Uint8Array.of(KINDS.indexOf(kind), isIpv6 ? 1 : 0), compact, code]);
}

/**
 * Reads a message. The code may be missing where it would be 0, and bytes behind it are ignored.
 *
 * @throws {WireError} `bad-extension` for an unknown kind or type of address, and for a message that was cut.
 */
export function decodeHolepunch(payload: Uint8Array): HolepunchMessage {
  const kind = KINDS[payload[0] ?? -1];
  const addressBytes = ADDRESS_BYTES[payload[1] ?? -1];
  if (kind === undefined || addressBytes === undefined) throw bad(payload);
  const portAt = HEAD_BYTES + addressBytes;
  const errorAt = portAt + PORT_BYTES;
  if (payload.length < errorAt) throw bad(payload);
  const hasCode = payload.length >= errorAt + ERROR_BYTES;
  if (!hasCode && (kind === "error" || payload.length > errorAt)) throw bad(payload);
  return {
    kind,
    endpoint: {
      address: formatAddress(payload.subarray(HEAD_BYTES, portAt)),
      port: readUint16(payload, portAt),
    },
    error: hasCode ? readUint32(payload, errorAt) : 0,
  };
}

function bad(payload: Uint8Array): WireError {
  return new WireError("bad-extension", `ut_holepunch of ${payload.length} bytes`);
}
