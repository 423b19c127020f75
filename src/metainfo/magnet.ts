import { concatBytes, decodeUtf8, encodeUtf8, equalBytes, fromHex, toHex } from "../base/bytes.ts";
import { INFOHASH_V1_BYTES, INFOHASH_V2_BYTES } from "../base/infohash.ts";
import type { MagnetLink, PublicationLink, PublicationName } from "./metainfo.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { isTrackerUrl, isWebSeedUrl, TRACKERS_MAX, WEB_SEEDS_MAX } from "./urls.ts";

/** Enough for twenty thousand trackers, which are then cut to a hundred (MET-21). */
const CHARACTERS_MAX = 4 * 1024 * 1024;

const PEERS_MAX = 200;

const SOURCES_MAX = 20;

/** Ranges of `so`, each of any width. */
const RANGES_MAX = 1000;

const NAME_CHARACTERS_MAX = 1000;

/** Of a publication (BEP 44, 46). */
const PUBLIC_KEY_BYTES = 32;
const SALT_BYTES_MAX = 64;

/** Multihash code of SHA-256 and its length, in hexadecimal. */
const SHA256_MULTIHASH = "1220";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

/**
 * Parses a magnet link of a torrent (BEP 9, BEP 53): v1, v2 or both. Unusable parts (an odd tracker, a broken escape, an unknown
 * parameter) are left out.
 *
 * @throws {MetainfoError} `bad-magnet` when there is no usable infohash; the message says what was expected.
 */
export function parseMagnet(text: string): MagnetLink {
  const parameters = readLink(text);
  const infohashes = readInfohashes(parameters.get("xt") ?? []);
  const publication = readPublication(parameters);
  return { infohashes, ...readRest(parameters), ...(publication && { publication }) };
}

/**
 * Parses a magnet link that names a publication by its key (BEP 46), with or without an infohash.
 *
 * @returns `undefined` when it names none.
 * @throws {MetainfoError} `bad-magnet` when its key or salt cannot be one.
 */
export function parsePublicationLink(text: string): PublicationLink | undefined {
  const parameters = readLink(text);
  const publication = readPublication(parameters);
  return publication && { publication, ...readRest(parameters) };
}

function readLink(text: string): Map<string, string[]> {
  const link = text.trim();
  if (link.length > CHARACTERS_MAX) {
    throw new MetainfoError("too-large", `a magnet link of more than ${CHARACTERS_MAX} characters`);
  }
  if (!/^magnet:\?/i.test(link)) throw badMagnet('it must begin with "magnet:?"');
  return readParameters(link.slice("magnet:?".length));
}

/** Everything that is no name of a torrent or a publication. */
function readRest(
  parameters: ReadonlyMap<string, readonly string[]>,
): Omit<MagnetLink, "infohashes" | "publication"> {
  const name = parameters.get("dn")?.[0]?.replaceAll("+", " ");
  const length = parameters.get("xl")?.[0];
  return {
    name: name === undefined ? undefined : unescapeText(name).slice(0, NAME_CHARACTERS_MAX),
    exactLength: length === undefined ? undefined : parseDigits(length),
    trackers: take(parameters.get("tr"), isTrackerUrl, TRACKERS_MAX),
    webSeeds: take(parameters.get("ws"), isWebSeedUrl, WEB_SEEDS_MAX),
    peers: take(parameters.get("x.pe"), isPeer, PEERS_MAX),
    exactSources: take(
      [...(parameters.get("xs") ?? []), ...(parameters.get("as") ?? [])],
      isWebSeedUrl,
      SOURCES_MAX,
    ),
    selectOnly: readRanges(parameters.get("so") ?? []),
  };
}

/** @returns A magnet link; `undefined` unless the text is 40 or 64 hexadecimal digits or 32 base32 digits. */
export function magnetOfInfohash(text: string): string | undefined {
  if (/^(?:[0-9a-f]{40}|[a-z2-7]{32})$/i.test(text)) return `magnet:?xt=urn:btih:${text}`;
  return /^[0-9a-f]{64}$/i.test(text)
    ? `magnet:?xt=urn:btmh:${SHA256_MULTIHASH}${text}`
    : undefined;
}

/** Writes a magnet link that `parseMagnet`, or `parsePublicationLink`, parses back to the same values. */
export function formatMagnet(link: Partial<MagnetLink>): string {
  const { v1, v2 } = link.infohashes ?? {};
  const parts: string[] = [];
  if (v1) parts.push(`xt=urn:btih:${toHex(v1)}`);
  if (v2) parts.push(`xt=urn:btmh:${SHA256_MULTIHASH}${toHex(v2)}`);
  if (link.publication) {
    const { publicKey, salt } = link.publication;
    parts.push(`xs=urn:btpk:${toHex(publicKey)}`);
    if (salt.length > 0) parts.push(`s=${toHex(salt)}`);
  }
  if (link.name !== undefined) parts.push(`dn=${escapeText(link.name)}`);
  if (link.exactLength !== undefined) parts.push(`xl=${link.exactLength}`);
  for (const url of link.trackers ?? []) parts.push(`tr=${escapeText(url)}`);
  for (const url of link.webSeeds ?? []) parts.push(`ws=${escapeText(url)}`);
  for (const url of link.exactSources ?? []) parts.push(`xs=${escapeText(url)}`);
  for (const peer of link.peers ?? []) parts.push(`x.pe=${peer}`);
  if (link.selectOnly) {
    const ranges = link.selectOnly.map(([first, last]) =>
      first === last ? String(first) : `${first}-${last}`,
    );
    parts.push(`so=${ranges.join(",")}`);
  }
  return `magnet:?${parts.join("&")}`;
}

/** @returns The raw values of each parameter; numbered ones (`tr.1`) are merged with the others. */
function readParameters(query: string): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  // Links copied from the source of a page contain `&amp;`.
  for (const part of query.split(/&(?:amp;)?/)) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const key = part
      .slice(0, equals)
      .toLowerCase()
      .replace(/\.[0-9]+$/, "");
    const values = parameters.get(key);
    if (values) values.push(part.slice(equals + 1));
    else parameters.set(key, [part.slice(equals + 1)]);
  }
  return parameters;
}

function readInfohashes(topics: readonly string[]): { v1?: Uint8Array; v2?: Uint8Array } {
  const infohashes: { v1?: Uint8Array; v2?: Uint8Array } = {};
  for (const raw of topics) {
    const topic = unescapeText(raw);
    const [, kind, digits] = /^urn:(btih|btmh):(.*)$/is.exec(topic) ?? [];
    if (kind === undefined || digits === undefined) continue;
    const version = kind.toLowerCase() === "btih" ? "v1" : "v2";
    const found = version === "v1" ? parseBtih(digits) : parseBtmh(digits);
    const known = infohashes[version];
    // We do not guess which of the two to download (MET-20).
    if (known && !equalBytes(known, found)) throw badMagnet(`it has two different ${kind} hashes`);
    infohashes[version] = found;
  }
  if (!infohashes.v1 && !infohashes.v2) {
    throw badMagnet('it needs "xt=urn:btih:" or "xt=urn:btmh:" and an infohash');
  }
  return infohashes;
}

/** BEP 46. @returns `undefined` when the link has no key. */
function readPublication(
  parameters: ReadonlyMap<string, readonly string[]>,
): PublicationName | undefined {
  let publicKey: Uint8Array | undefined;
  for (const raw of parameters.get("xs") ?? []) {
    const digits = /^urn:btpk:(.*)$/is.exec(unescapeText(raw))?.[1];
    if (digits === undefined) continue;
    const found = fromHex(digits);
    if (found?.length !== PUBLIC_KEY_BYTES) {
      throw badMagnet(`after "urn:btpk:" come 64 hexadecimal digits, not ${quote(digits)}`);
    }
    if (publicKey && !equalBytes(publicKey, found)) throw badMagnet("it has two different keys");
    publicKey = found;
  }
  if (!publicKey) return undefined;
  const digits = parameters.get("s")?.[0] ?? "";
  const salt = fromHex(digits);
  if (!salt || salt.length > SALT_BYTES_MAX) {
    throw badMagnet(`its salt is at most 128 hexadecimal digits, not ${quote(digits)}`);
  }
  return { publicKey, salt };
}

function parseBtih(digits: string): Uint8Array {
  const bytes = digits.length === 2 * INFOHASH_V1_BYTES ? fromHex(digits) : fromBase32(digits);
  if (bytes?.length === INFOHASH_V1_BYTES) return bytes;
  throw badMagnet(
    `after "urn:btih:" come 40 hexadecimal or 32 base32 digits, not ${quote(digits)}`,
  );
}

function parseBtmh(digits: string): Uint8Array {
  const bytes = digits.startsWith(SHA256_MULTIHASH) ? fromHex(digits.slice(4)) : undefined;
  if (bytes?.length === INFOHASH_V2_BYTES) return bytes;
  throw badMagnet(
    `after "urn:btmh:" come ${SHA256_MULTIHASH} and 64 hexadecimal digits, not ${quote(digits)}`,
  );
}

function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let bitCount = 0;
  let length = 0;
  for (const character of text.toLowerCase()) {
    const value = BASE32.indexOf(character);
    if (value < 0) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    bitCount += 5;
    if (bitCount < 8) continue;
    bitCount -= 8;
    bytes[length] = bits >>> bitCount;
    length += 1;
  }
  return bytes;
}

function take(
  raw: readonly string[] | undefined,
  usable: (text: string) => boolean,
  countMax: number,
): string[] {
  const taken = new Set<string>();
  for (const value of raw ?? []) {
    if (taken.size === countMax) break;
    const text = unescapeText(value);
    if (usable(text)) taken.add(text);
  }
  return [...taken];
}

function isPeer(text: string): boolean {
  const match = /^(?:[0-9A-Za-z_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})$/.exec(text);
  const port = match ? Number(match[1]) : 0;
  return port >= 1 && port <= 65535;
}

/** @returns Ascending ranges that do not touch, whatever the link repeats; `undefined` when there are none. */
function readRanges(values: readonly string[]): (readonly [number, number])[] | undefined {
  const ranges: [number, number][] = [];
  for (const part of values.map(unescapeText).join(",").split(",")) {
    if (ranges.length === RANGES_MAX) break;
    const [, from, to] = /^([0-9]+)(?:-([0-9]+))?$/.exec(part) ?? [];
    const first = parseDigits(from ?? "");
    const last = parseDigits(to ?? from ?? "");
    if (first !== undefined && last !== undefined && first <= last) ranges.push([first, last]);
  }
  if (ranges.length === 0) return undefined;
  ranges.sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const range of ranges) {
    const previous = merged.at(-1);
    if (previous && range[0] <= previous[1] + 1) previous[1] = Math.max(previous[1], range[1]);
    else merged.push(range);
  }
  return merged;
}

/** @returns The number, or `undefined` unless the text is a safe integer (house rule 4). */
function parseDigits(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Percent-decodes text. Broken escapes stay as they are; invalid UTF-8 becomes U+FFFD. */
function unescapeText(text: string): string {
  if (!text.includes("%")) return text;
  const parts: Uint8Array[] = [];
  for (const part of text.split(/((?:%[0-9A-Fa-f]{2})+)/)) {
    const escaped = /^(?:%[0-9A-Fa-f]{2})+$/.test(part);
    parts.push(escaped ? fromHex(part.replaceAll("%", ""))! : encodeUtf8(part));
  }
  return decodeUtf8(concatBytes(parts));
}

function escapeText(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function badMagnet(detail: string): MetainfoError {
  return new MetainfoError("bad-magnet", `not a usable magnet link: ${detail}`);
}
