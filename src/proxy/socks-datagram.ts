import { concatBytes } from "../base/bytes.ts";
import { ProxyError } from "./proxy-error.ts";
import { decodeSocksAddress, encodeSocksAddress, type SocksAddress } from "./socks-address.ts";

const HEAD = Uint8Array.of(0, 0, 0);

/** A datagram on its way to the relay of a SOCKS5 proxy (RFC 1928, 7). */
export function wrapDatagram(bytes: Uint8Array, to: { host: string; port: number }): Uint8Array {
  return concatBytes([HEAD, encodeSocksAddress(to), bytes]);
}

/**
 * A datagram that comes from the relay.
 *
 * @returns `undefined` for what is none, and for a part of one: nobody sends parts, and keeping them would cost memory.
 */
export function unwrapDatagram(
  bytes: Uint8Array,
): { readonly from: SocksAddress; readonly bytes: Uint8Array } | undefined {
  if (bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0) return undefined;
  try {
    const found = decodeSocksAddress(bytes, HEAD.length);
    return found && { from: found.address, bytes: bytes.subarray(found.end) };
  } catch (error) {
    if (error instanceof ProxyError) return undefined;
    throw error;
  }
}
