import { decodeUtf8 } from "../base/bytes.ts";
import { BencodeError } from "../bencode/bencode-error.ts";
import {
  isBytes,
  isDict,
  isList,
  type BencodeDict,
  type BencodeValue,
} from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { invariant } from "../base/errors.ts";
import { finish, type Work } from "../base/work.ts";
import { withoutEndZeros } from "./end-zeros.ts";
import type { Metainfo, TorrentInfo } from "./metainfo.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { readPieceLayers } from "./piece-layers.ts";
import { readInfo } from "./read-info.ts";
import { RAW_KEYS, requireDict } from "./read-info-fields.ts";
import { ReadingNotes } from "./reading-notes.ts";
import { isTrackerUrl, isWebSeedUrl, TRACKERS_MAX, urlText, WEB_SEEDS_MAX } from "./urls.ts";

/** Bytes of an info dictionary or a .torrent file that the engine accepts by default. */
export const METAINFO_BYTES_MAX = 30 * 1024 * 1024;

/** Keys that must not contradict themselves: they decide what is fetched, and from whom (BEN-7). */
const DECISIVE_KEYS: ReadonlySet<string> = new Set([
  "announce",
  "announce-list",
  "httpseeds",
  "info",
  "nodes",
  "piece layers",
  "url-list",
]);
const DECISIVE_INFO_KEYS: ReadonlySet<string> = new Set([
  "attr",
  "file tree",
  "files",
  "length",
  "meta version",
  "name",
  "name.utf-8",
  "piece length",
  "pieces",
  "private",
]);

const NODES_MAX = 100;

/** The longest DNS name. */
const HOST_CHARACTERS_MAX = 253;

/** Bytes of `comment` and `created by` that are kept. */
const TEXT_BYTES_MAX = 16 * 1024;

/** The last second of the year 9999, which every calendar can show. */
const CREATION_DATE_MAX = 253_402_300_799;

/**
 * Parses a .torrent file: v1, v2 or hybrid.
 *
 * @param bytes - The result contains views of them.
 * @param options.bytesMax - Default 30 MiB; servers that accept files from strangers set less.
 * @throws {MetainfoError} With the key that is wrong. Optional fields that are wrong are left out instead, and
 *   `warnings` says so.
 */
export function parseMetainfo(
  bytes: Uint8Array,
  options: { readonly bytesMax?: number } = {},
): Metainfo {
  return finish(parseMetainfoInSteps(bytes, options));
}

/** The same in steps: 100,000 files take a fifth of a second. */
export function* parseMetainfoInSteps(
  bytes: Uint8Array,
  options: { readonly bytesMax?: number } = {},
): Work<Metainfo> {
  refuseOtherFormats(bytes);
  const notes = new ReadingNotes();
  const spans = new Map<string, Uint8Array>();
  const bytesMax = options.bytesMax ?? METAINFO_BYTES_MAX;
  const torrent = decodeMetainfo(bytes, { bytesMax, notes, spans });
  if (!isDict(torrent)) {
    throw new MetainfoError("not-a-torrent", "the file is bencode, but no dictionary");
  }
  const infoDict = requireDict(torrent.get("info"), "info");
  const infoBytes = spans.get("info");
  invariant(infoBytes, "the decoder found the key");
  notes.judgeRepeats(
    { dict: torrent, where: () => "", decisive: DECISIVE_KEYS },
    { dict: infoDict, where: () => "info.", decisive: DECISIVE_INFO_KEYS },
  );
  yield;
  const info = yield* readInfoOf(infoDict, infoBytes, notes);
  yield;
  const pieceLayers = yield* readPieceLayers(torrent, info, notes);
  return {
    info,
    trackers: readTrackers(torrent, notes),
    webSeeds: readWebSeeds(torrent, "url-list", notes),
    httpSeeds: readWebSeeds(torrent, "httpseeds", notes),
    nodes: readNodes(torrent, notes),
    pieceLayers,
    comment: readText(torrent, "comment", notes),
    createdBy: readText(torrent, "created by", notes),
    creationDate: readCreationDate(torrent, notes),
    byteLength: notes.oddities.end,
    warnings: notes.finish(),
  };
}

/**
 * Parses an `info` value that came without its .torrent file, for example by ut_metadata (BEP 9). The piece layers of
 * v2 come later, by hash requests.
 *
 * @param infoBytes - The result contains views of them, and both infohashes cover exactly these bytes.
 * @param options.bytesMax - Default 30 MiB.
 * @throws {MetainfoError} With the key that is wrong.
 */
export function parseInfo(
  infoBytes: Uint8Array,
  options: { readonly bytesMax?: number } = {},
): TorrentInfo {
  const notes = new ReadingNotes();
  const bytesMax = options.bytesMax ?? METAINFO_BYTES_MAX;
  const info = decodeMetainfo(infoBytes, { bytesMax, notes });
  // The infohash covers every byte given, but when read from a file only the dictionary would be hashed.
  if (notes.oddities.end < infoBytes.length) {
    throw new MetainfoError("bad-bencode", "there are bytes after the info dictionary");
  }
  const dict = requireDict(info, "info");
  notes.judgeRepeats({ dict, where: () => "info.", decisive: DECISIVE_INFO_KEYS });
  return finish(readInfoOf(dict, infoBytes, notes));
}

/** The raw bytes are hashed, so neither the order of keys nor their form changes the infohash (BEN-8). */
function decodeMetainfo(
  bytes: Uint8Array,
  how: {
    readonly bytesMax: number;
    readonly notes: ReadingNotes;
    readonly spans?: Map<string, Uint8Array>;
  },
): BencodeValue {
  const { bytesMax, notes, ...spans } = how;
  if (bytes.length > bytesMax) {
    throw new MetainfoError("too-large", `${bytes.length} bytes, at most ${bytesMax} are read`);
  }
  return refusingDamage(() =>
    decode(bytes, { oddities: notes.oddities, bytesMax, raw: RAW_KEYS, ...spans }),
  );
}

function* readInfoOf(
  dict: BencodeDict,
  infoBytes: Uint8Array,
  notes: ReadingNotes,
): Work<TorrentInfo> {
  try {
    return yield* readInfo(dict, infoBytes, notes);
  } catch (error) {
    throw asRefusal(error);
  }
}

function refusingDamage<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw asRefusal(error);
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof BencodeError)) return error;
  return new MetainfoError("bad-bencode", `damaged, or no torrent (${error.message})`, {
    cause: error,
  });
}

/** Tells what the file is instead of a torrent (MET-22). */
function refuseOtherFormats(bytes: Uint8Array): void {
  const start = decodeUtf8(bytes.subarray(0, 64)).replace(/^[\ufeff\s]+/, "");
  let found: string | undefined;
  if (bytes.length === 0) found = "the file is empty";
  else if (bytes[0] === 0x1f && bytes[1] === 0x8b) found = "this is a compressed file (gzip)";
  else if (start.startsWith("PK\u0003\u0004")) found = "this is a compressed file (zip)";
  else if (start.startsWith("<")) found = "this is a web page";
  else if (start.startsWith("magnet:")) found = "this is a magnet link in a file";
  if (found) throw new MetainfoError("not-a-torrent", `${found}, not a torrent`);
}

function readTrackers(torrent: BencodeDict, notes: ReadingNotes): string[][] {
  const tiers: string[][] = [];
  const seen = new Set<string>();
  let leftOut = 0;
  const take = (value: BencodeValue | undefined, tier: string[]): void => {
    const url = isBytes(value) ? urlText(value) : "";
    if (seen.has(url)) return;
    if (seen.size >= TRACKERS_MAX || !isTrackerUrl(url)) leftOut += 1;
    else {
      seen.add(url);
      tier.push(url);
    }
  };
  const list = torrent.get("announce-list");
  for (const entry of isList(list) ? list : []) {
    const tier: string[] = [];
    // Some creators write a flat list.
    for (const url of isList(entry) ? entry : [entry]) take(url, tier);
    if (tier.length > 0) tiers.push(tier);
  }
  if (list !== undefined && !isList(list)) leftOut += 1;
  // BEP 12: `announce` counts only when there is no list.
  if (tiers.length === 0 && torrent.has("announce")) {
    const tier: string[] = [];
    take(torrent.get("announce"), tier);
    if (tier.length > 0) tiers.push(tier);
  }
  if (leftOut > 0) {
    notes.warn(
      `${leftOut} tracker entries left out: not a http, https, udp, ws or wss URL, too long, or ` +
        `more than ${TRACKERS_MAX}`,
    );
  }
  return tiers;
}

function readWebSeeds(torrent: BencodeDict, key: string, notes: ReadingNotes): string[] {
  const value = torrent.get(key);
  // BEP 19: a single URL may appear without its list; some creators write an empty string.
  const entries = isList(value) ? value : value === undefined ? [] : [value];
  const urls = new Set<string>();
  let leftOut = 0;
  for (const entry of entries) {
    if (isBytes(entry) && entry.length === 0) continue;
    const url = isBytes(entry) ? urlText(entry) : "";
    if (urls.has(url)) continue;
    if (urls.size >= WEB_SEEDS_MAX || !isWebSeedUrl(url)) leftOut += 1;
    else urls.add(url);
  }
  if (leftOut > 0) {
    notes.warn(
      `${leftOut} web seeds left out: not a http or https URL, too long, or more than ` +
        `${WEB_SEEDS_MAX}`,
    );
  }
  return [...urls];
}

function readNodes(torrent: BencodeDict, notes: ReadingNotes): string[] {
  const value = torrent.get("nodes");
  const entries = isList(value) ? value : value === undefined ? [] : [value];
  const nodes = new Set<string>();
  let leftOut = 0;
  for (const entry of entries) {
    const node = readNode(entry);
    if (node === undefined || nodes.size >= NODES_MAX) leftOut += 1;
    else nodes.add(node);
  }
  if (leftOut > 0) notes.warn(`${leftOut} DHT nodes left out: not a host and a port`);
  return [...nodes];
}

function readNode(entry: BencodeValue): string | undefined {
  if (!isList(entry)) return undefined;
  const [host, port] = entry;
  if (!isBytes(host) || typeof port !== "number" || port < 1 || port > 65535) return undefined;
  const name = decodeUtf8(host.subarray(0, HOST_CHARACTERS_MAX + 1));
  if (name.length > HOST_CHARACTERS_MAX || !/^[0-9A-Za-z.:_-]+$/.test(name)) return undefined;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}

function readText(torrent: BencodeDict, key: string, notes: ReadingNotes): string | undefined {
  for (const candidate of [`${key}.utf-8`, key]) {
    const value = torrent.get(candidate);
    if (isBytes(value)) return withoutEndZeros(decodeUtf8(value.subarray(0, TEXT_BYTES_MAX)));
    if (value !== undefined) notes.warn(`"${candidate}" is no text and was left out`);
  }
  return undefined;
}

/** Units per second in which some creators count. */
const UNITS_PER_SECOND = [1, 1000];

function readCreationDate(torrent: BencodeDict, notes: ReadingNotes): number | undefined {
  const date = torrent.get("creation date");
  if (date === undefined) return undefined;
  for (const units of typeof date === "number" && date >= 0 ? UNITS_PER_SECOND : []) {
    const seconds = Math.floor((date as number) / units);
    if (seconds > CREATION_DATE_MAX) continue;
    if (units > 1) notes.warn(`the creation date counts parts of a second, ${units} to one`);
    return seconds;
  }
  notes.warn("the creation date is in no calendar");
  return undefined;
}
