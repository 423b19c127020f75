import { toHex } from "./bytes.ts";
import { addressBytes } from "./endpoint.ts";

/** Bytes of an IPv6 address that name a line; whoever has one has all 2^64 addresses behind it. */
const IPV6_LINE_BYTES = 8;

/**
 * What one customer has: an IPv4 address, or the /64 of an IPv6 address. Whatever is counted or bounded by address
 * counts by this.
 *
 * @returns Text of bounded length; the same for every spelling of an address, and one for all that is no address.
 */
export function lineOf(address: string): string {
  const bytes = addressBytes(address.replace(/%.*$/, ""));
  if (!bytes) return "no address";
  if (bytes.length === 4) return bytes.join(".");
  return `${toHex(bytes.subarray(0, IPV6_LINE_BYTES))}/64`;
}
