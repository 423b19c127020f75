import { toHex } from "./bytes.ts";
import { addressBytes } from "./endpoint.ts";

/** Leading bytes of an IPv6 address that name a line. One customer has all 2^64 addresses behind them. */
const IPV6_LINE_BYTES = 8;
const IPV6_LINE_END = "/64";

/**
 * A generous provider gives a site an IPv6 /48: 65,536 lines, each with the share of one address. The whole site gets
 * this many shares (TRK-23). More than one, because providers also give a /56 to each home.
 */
export const SITE_BITS = 48;
export const SITE_SHARES = 16;

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
  return toHex(bytes.subarray(0, IPV6_LINE_BYTES)) + IPV6_LINE_END;
}

/** @returns The /48 that contains an IPv6 line; `undefined` for every other text. */
export function siteOf(line: string): string | undefined {
  if (!line.endsWith(IPV6_LINE_END)) return undefined;
  return `${line.slice(0, SITE_BITS / 4)}/${SITE_BITS}`;
}

/**
 * Names the place of a line in a queue where all wait their turn: the line itself, or one of the `SITE_SHARES` places
 * of its site. The number of the line in its site is folded, so that homes with a /56 each are spread.
 */
export function placeOf(line: string): string {
  const site = siteOf(line);
  if (site === undefined) return line;
  const number = Number.parseInt(line.slice(SITE_BITS / 4, IPV6_LINE_BYTES * 2), 16);
  return `${site} ${((number >> 8) + (number & 0xff)) % SITE_SHARES}`;
}
