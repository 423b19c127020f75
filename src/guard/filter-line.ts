import { compareBytes } from "../base/bytes.ts";
import { addressBytes } from "../base/endpoint.ts";

/** What one line of a list of addresses says. */
export type FilterLine =
  /** @property last - As many bytes as `first`, and not below it. */
  | { readonly kind: "range"; readonly first: Uint8Array; readonly last: Uint8Array }
  /** A comment, an empty line, or a range that the list lets through. */
  | { readonly kind: "nothing" }
  | { readonly kind: "bad" };

const NOTHING: FilterLine = { kind: "nothing" };
const BAD: FilterLine = { kind: "bad" };

/** From this level on the ranges of a `dat` list are let through (eMule). */
const LEVEL_ALLOWED = 128;
/** Bits in front of an IPv4 address that is written as IPv6 (`::ffff:0:0/96`). */
const MAPPED_BITS = 96;

const COMMENT = /^(?:[#;']|\/\/)/;
/**
 * `1.2.3.4 - 1.2.3.9`, also with a comma between, and what may follow: the level of `dat`, a description, a comment.
 */
const RANGE =
  /^([0-9a-f:.]+)\s*[-,]\s*([0-9a-f:.]+)(?:\s*$|\s*,\s*([0-9]{1,3})\s*(?:,|$)|\s*[,#;]|\s)/i;
/** `1.2.3.0/24`, `2001:db8::1`, and a comment behind it. */
const NETWORK = /^([0-9a-f:.]+)(?:\/([0-9]{1,3}))?\s*(?:$|[,#;])/i;
/** The same with words behind it. */
const NETWORK_AND_WORDS = /^([0-9a-f:.]+)(?:\/([0-9]{1,3}))?\s/i;

/**
 * Reads one line of a list of addresses, in any of the forms that are around: `p2p` of PeerGuardian
 * (`name:first-last`), `dat` of eMule (`first - last , level , name`), networks and single addresses, one a line.
 *
 * @param text - One character per byte: descriptions are in whatever encoding.
 */
export function readFilterLine(text: string): FilterLine {
  const line = text.trim();
  if (line === "" || COMMENT.test(line)) return NOTHING;
  return (
    readRange(line) ??
    readNetwork(line, NETWORK) ??
    readNamed(line) ??
    readNetwork(line, NETWORK_AND_WORDS) ??
    BAD
  );
}

function readRange(line: string): FilterLine | undefined {
  const match = RANGE.exec(line);
  const first = match && toBytes(match[1]!);
  const last = match && toBytes(match[2]!);
  if (!first || !last) return undefined;
  if (first.length !== last.length || compareBytes(first, last) > 0) return BAD;
  return Number(match[3] ?? 0) >= LEVEL_ALLOWED ? NOTHING : { kind: "range", first, last };
}

function readNetwork(line: string, form: RegExp): FilterLine | undefined {
  const match = form.exec(line);
  const first = match && toBytes(match[1]!);
  if (!first) return undefined;
  const whole = first.length * 8;
  const isMapped = first.length === 4 && match[1]!.includes(":");
  const bits = match[2] === undefined ? whole : Number(match[2]) - (isMapped ? MAPPED_BITS : 0);
  if (bits < 0 || bits > whole) return BAD;
  const last = first.slice();
  for (let i = 0; i < first.length; i += 1) {
    // The bits of this byte that are the host's.
    const host = 0xff >> Math.min(8, Math.max(0, bits - i * 8));
    first[i]! &= ~host;
    last[i]! |= host;
  }
  return { kind: "range", first, last };
}

/**
 * Reads a line with a description in front. It may hold colons: with IPv4 the last one ends it, with IPv6 the first
 * one behind which there is a range.
 */
function readNamed(line: string): FilterLine | undefined {
  const end = line.lastIndexOf(":");
  if (end < 0) return undefined;
  const ipv4 = line.slice(end + 1).trim();
  const found = readRange(ipv4) ?? readNetwork(ipv4, NETWORK);
  if (found) return found;
  for (let at = line.indexOf(":"); at >= 0; at = line.indexOf(":", at + 1)) {
    const ipv6 = readRange(line.slice(at + 1).trim());
    if (ipv6) return ipv6;
  }
  return undefined;
}

/** Lists pad numbers with zeros: `001.009.096.105`. @returns Memory of its own. */
function toBytes(text: string): Uint8Array | undefined {
  const bytes = addressBytes(text);
  if (bytes || text.includes(":")) return bytes;
  return addressBytes(text.replace(/(^|\.)0{1,2}(?=[0-9])/g, "$1"));
}
