import { toHex } from "./bytes.ts";
import { addressBytes } from "./endpoint.ts";

/** Leading bytes of an IPv6 address that name a line. One customer has all 2^64 addresses behind them. */
const IPV6_LINE_BYTES = 8;

/**
 * Names what one customer has: an IPv4 address, or the /64 of an IPv6 address. Everything that is counted or bounded
 * by address uses this key.
 *
 * @returns Text of bounded length: the same for every spelling of an address, and one text for everything that is not
 *   an address.
 */
export function lineOf(address: string): string {
  const bytes = addressBytes(address.replace(/%.*$/, ""));
  if (!bytes) return "no address";
  if (bytes.length === 4) return bytes.join(".");
  return `${toHex(bytes.subarray(0, IPV6_LINE_BYTES))}/64`;
}
