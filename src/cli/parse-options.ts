import { InvalidArgumentError } from "commander";
import { TITLE_CHARACTERS_MAX } from "../api/source-limits.ts";
import { fromHex } from "../base/bytes.ts";
import { INFOHASH_V1_BYTES, INFOHASH_V2_BYTES, wireInfohash } from "../base/infohash.ts";
import { parseBytes } from "./figures.ts";
import { UsageError } from "./usage-error.ts";

/** Parsers of option values. Commander calls them and reports the wrong option. */

export function pieceSizeOption(text: string): number | "auto" {
  if (text === "auto") return "auto";
  const bytes = parseBytes(text);
  const power = bytes !== undefined && Number.isInteger(Math.log2(bytes));
  if (power && bytes >= 16_384 && bytes <= 256 * 1024 ** 2) return bytes;
  throw new InvalidArgumentError("It takes auto, or a power of two from 16K to 256M.");
}

/** Bytes per second. */
export function rateOption(text: string): number {
  const rate = parseBytes(text);
  if (rate !== undefined && rate > 0) return rate;
  throw new InvalidArgumentError("It takes a rate such as 500K or 2M, in bytes per second.");
}

/** What `limitOption` takes, for help. */
export const NONE_RATE = "such as 2M; 0 is no limit";

/** Bytes per second; 0 is no limit. */
export function limitOption(text: string): number {
  const rate = parseBytes(text);
  if (rate !== undefined) return rate;
  throw new InvalidArgumentError(
    "It takes a rate such as 500K or 2M, in bytes per second; 0 is no limit.",
  );
}

export function countOption(text: string): number {
  if (/^[0-9]{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It takes a whole number; 0 is no limit.");
}

export function ratioOption(text: string): number {
  if (/^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It takes a ratio such as 1.5; 0 is no limit.");
}

export function portOption(text: string): number {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError("It takes a port from 0 to 65535.");
}

/** A peer's address or name, and its port. */
export interface NamedPeer {
  readonly host: string;
  readonly port: number;
}

/** Collects the addresses of peers: `192.0.2.7:6881`, `[2001:db8::1]:6881`, `host.example:6881`. */
export function peerOption(text: string, before: readonly NamedPeer[] = []): readonly NamedPeer[] {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? 0);
  if (match && port >= 1 && port <= 65_535)
    return [...before, { host: match[1] ?? match[2]!, port }];
  throw new InvalidArgumentError("It takes an address with a port, such as 192.0.2.7:6881.");
}

/** A v1 infohash, or a v2 one, which the DHT knows by its first 20 bytes (BEP 52). */
export function infohashOption(text: string): Uint8Array {
  const bytes = fromHex(text);
  if (bytes?.length === INFOHASH_V1_BYTES || bytes?.length === INFOHASH_V2_BYTES)
    return wireInfohash(bytes);
  throw new InvalidArgumentError("It takes 40 or 64 hexadecimal digits.");
}

/** Where to listen: `HOST:PORT`, `[IPV6]:PORT` or `:PORT` for every address; port 0 is any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export function listenOption(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? Number.NaN);
  if (match && port <= 65_535) return { host: match[1] ?? (match[2] || "0.0.0.0"), port };
  throw new InvalidArgumentError(
    "It takes HOST:PORT, such as 0.0.0.0:6881; port 0 is any free one.",
  );
}

/** How long to continue seeding: up to a ratio, or until stopped. */
export function seedOption(text: string): number | "forever" {
  if (text === "forever") return "forever";
  if (/^[0-9]{1,6}(\.[0-9]{1,3})?$/.test(text) && Number(text) > 0) return Number(text);
  throw new InvalidArgumentError("It takes a ratio such as 1.5, or forever.");
}

/** Something that is on or off. */
export function switchOption(text: string): boolean {
  if (text === "on" || text === "off") return text === "on";
  throw new InvalidArgumentError("It takes on or off.");
}

/** Collects an option that may be repeated. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Collects announce URLs. The commands decide which of them they can use. */
export function trackerOption(text: string, before: readonly string[] = []): readonly string[] {
  if (TRACKER_URL.test(text) && URL.canParse(text)) return [...before, text];
  throw new InvalidArgumentError(
    "It takes an announce URL, such as https://tracker.example/announce.",
  );
}

const TRACKER_URL = /^(?:https?|udp|wss?):\/\/\S+$/i;

/** Collects URLs of a torrent's files on the web. */
export function webSeedOption(text: string, before: readonly string[] = []): readonly string[] {
  if (/^https?:\/\/\S+$/i.test(text) && URL.canParse(text)) return [...before, text];
  throw new InvalidArgumentError(
    "It takes an http or https URL, such as https://mirror.example/pub/.",
  );
}

/**
 * Trackers for all of a person's downloads: `EVERSEED_TRACKERS`, separated by spaces or commas.
 *
 * @throws {UsageError} When one of them is not an announce URL.
 */
export function trackersOfVariable(
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const urls = (env["EVERSEED_TRACKERS"] ?? "").split(/[\s,]+/).filter((url) => url !== "");
  const wrong = urls.find((url) => !TRACKER_URL.test(url) || !URL.canParse(url));
  if (wrong === undefined) return urls;
  throw new UsageError(
    `EVERSEED_TRACKERS holds "${wrong}". It takes announce URLs, with spaces between them.`,
    "https://tracker.example/announce, for example.",
  );
}

/** Address of a hub. */
export function hubUrlOption(text: string): string {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError("It takes the address of a hub, such as http://127.0.0.1:8420.");
}

/** The title of a publication. */
export function titleOption(text: string): string {
  if (text.trim() !== "" && text.length <= TITLE_CHARACTERS_MAX) return text;
  throw new InvalidArgumentError(`It takes a title of 1 to ${TITLE_CHARACTERS_MAX} characters.`);
}
