import { concatBytes, encodeUtf8, readUint16 } from "../base/bytes.ts";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { ProxyError } from "./proxy-error.ts";

/** How SOCKS tells addresses apart (RFC 1928, 5). */
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
const NAME_BYTES_MAX = 255;

/** A host by its literal address or its name, and a port. */
export interface SocksAddress {
  readonly host: string;
  readonly isName: boolean;
  readonly port: number;
}

/** Type, address and port. @throws {ProxyError} `refused` for a name that is too long for the protocol. */
export function encodeSocksAddress({ host, port }: { host: string; port: number }): Uint8Array {
  const bytes = addressBytes(host);
  const portBytes = Uint8Array.of(port >>> 8, port);
  if (bytes)
    return concatBytes([Uint8Array.of(bytes.length === 4 ? IPV4 : IPV6), bytes, portBytes]);
  const name = encodeUtf8(host);
  if (name.length === 0 || name.length > NAME_BYTES_MAX) {
    throw new ProxyError("refused", `a host name has 1 to ${NAME_BYTES_MAX} bytes`);
  }
  return concatBytes([Uint8Array.of(NAME, name.length), name, portBytes]);
}

/**
 * @param start - Of the type.
 * @returns The address and where it ends; `undefined` while bytes are missing.
 * @throws {ProxyError} `bad-reply` for an unknown type.
 */
export function decodeSocksAddress(
  bytes: Uint8Array,
  start: number,
): { readonly address: SocksAddress; readonly end: number } | undefined {
  const type = bytes[start];
  if (type === undefined) return undefined;
  const isName = type === NAME;
  const hostStart = start + (isName ? 2 : 1);
  const length = lengthOf(type, bytes[start + 1]);
  if (length === undefined || bytes.length < hostStart + length + 2) return undefined;
  const raw = bytes.subarray(hostStart, hostStart + length);
  const host = isName ? String.fromCharCode(...raw) : formatAddress(raw);
  const end = hostStart + length + 2;
  return { address: { host, isName, port: readUint16(bytes, end - 2) }, end };
}

function lengthOf(type: number, first: number | undefined): number | undefined {
  switch (type) {
    case IPV4:
      return 4;
    case IPV6:
      return 16;
    case NAME:
      return first;
    default:
      throw new ProxyError("bad-reply", `the proxy names an address of the unknown kind ${type}`);
  }
}
