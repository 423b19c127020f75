import { decodeUtf8, decodeUtf8Strict, toHex } from "../base/bytes.ts";
import { BencodeReader } from "../bencode/bencode-reader.ts";
import {
  getBytes,
  getInteger,
  isBytes,
  isList,
  type BencodeDict,
  type BencodeValue,
} from "../bencode/bencode-value.ts";
import { decode } from "../bencode/decode.ts";
import { Oddities } from "../bencode/oddities.ts";
import type { TorrentInfo } from "./metainfo.ts";
import { RAW_KEYS, requireBytes, requireDict } from "./read-info-fields.ts";

/**
 * The fields of a .torrent file beyond `Metainfo`: no download needs them, but people may want to see everything.
 * Texts come from outside and may be as long as the file allows.
 */
export interface RareFields {
  /** The tracker for readers without tiers; `Metainfo` uses it only when there are no tiers. */
  readonly announce: string | undefined;
  /** The character set, set by old creators. */
  readonly encoding: string | undefined;
  readonly publisher: string | undefined;
  /** BEP 17. */
  readonly httpSeeds: readonly string[];
  /** Hexadecimal infohashes of torrents that share files (BEP 38), from `info` and the outer dictionary. */
  readonly similar: readonly string[];
  /** Names of collections this torrent is in (BEP 38). */
  readonly collections: readonly string[];
  /** The certificate that peers must present (SSL torrents), PEM. */
  readonly sslCert: string | undefined;
  readonly metaVersion: number | undefined;
  /** One for each of `info.files`, read on demand. */
  readonly files: () => Iterator<RareFileFields>;
  /** Unknown keys, and known keys with values of the wrong type. */
  readonly other: BencodeDict;
  /** The same for `info`. */
  readonly otherInfo: BencodeDict;
}

export interface RareFileFields {
  /** Hexadecimal, as its creator wrote it. */
  readonly md5sum: string | undefined;
  /** Hexadecimal, of the file (BEP 47). */
  readonly sha1: string | undefined;
  readonly other: BencodeDict;
}

// Keys that `parseMetainfo` reads, or that are read below.
const KNOWN_KEYS = [
  "announce",
  "announce-list",
  "comment",
  "comment.utf-8",
  "created by",
  "created by.utf-8",
  "creation date",
  "info",
  "nodes",
  "piece layers",
  "url-list",
];
const KNOWN_INFO_KEYS = [
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
  "source",
];
const KNOWN_FILE_KEYS = ["attr", "length", "path", "path.utf-8", "pieces root", "symlink path"];

/**
 * Reads the rare fields of a .torrent file.
 *
 * @param bytes - The file that `info` was parsed from without an error.
 */
export function readRareFields(bytes: Uint8Array, info: TorrentInfo): RareFields {
  const torrent = decode(bytes, {
    oddities: new Oddities(),
    bytesMax: bytes.length,
    raw: RAW_KEYS,
  });
  const outer = new Map(requireDict(torrent, "the file"));
  const inner = new Map(requireDict(outer.get("info"), "info"));
  const announce = getBytes(outer, "announce");
  const metaVersion = getInteger(inner, "meta version");
  const files = readFiles(inner, info);
  for (const key of KNOWN_KEYS) outer.delete(key);
  for (const key of KNOWN_INFO_KEYS) inner.delete(key);
  return {
    announce: announce && decodeUtf8(announce),
    encoding: takeText(outer, "encoding"),
    publisher: takeText(outer, "publisher") ?? takeText(inner, "publisher"),
    httpSeeds: takeList(outer, "httpseeds", decodeUtf8),
    similar: [...takeList(outer, "similar", toHex), ...takeList(inner, "similar", toHex)],
    collections: [
      ...takeList(outer, "collections", decodeUtf8),
      ...takeList(inner, "collections", decodeUtf8),
    ],
    sslCert: takeText(inner, "ssl-cert"),
    metaVersion,
    files,
    other: outer,
    otherInfo: inner,
  };
}

/** @returns A function that starts a new reading of the files each time. */
function readFiles(
  dict: Map<string, BencodeValue>,
  info: TorrentInfo,
): () => Iterator<RareFileFields> {
  if (info.kind === "v2") {
    const tree = readerBytes(dict, "file tree");
    return () => readEach(treeEntries(tree));
  }
  const list = dict.has("files") ? readerBytes(dict, "files") : undefined;
  // The fields of a single file are in `info` itself, among all others.
  const single = list
    ? undefined
    : { md5sum: takeText(dict, "md5sum"), sha1: takeHash(dict), other: new Map() };
  const v1 = (): Iterator<RareFileFields> =>
    list ? readEach(listEntries(list)) : [single!].values();
  if (info.kind === "v1") return v1;
  const tree = readerBytes(dict, "file tree");
  return () => mergeFiles(v1(), treeEntries(tree), info);
}

function* readEach(entries: Iterable<Map<string, BencodeValue>>): Generator<RareFileFields> {
  for (const entry of entries) yield readFile(entry);
}

function* mergeFiles(
  v1: Iterator<RareFileFields>,
  tree: Iterator<Map<string, BencodeValue>>,
  info: TorrentInfo,
): Generator<RareFileFields> {
  for (const { pad } of info.files) {
    const file = v1.next();
    if (file.done) return;
    const twin = pad ? undefined : tree.next();
    yield twin === undefined || twin.done ? file.value : merged(file.value, readFile(twin.value));
  }
}

function* listEntries(raw: Uint8Array): Generator<Map<string, BencodeValue>> {
  const reader = readerOf(raw);
  reader.enterList();
  while (reader.hasItem()) yield new Map(requireDict(reader.value(), "info.files"));
}

function* treeEntries(raw: Uint8Array): Generator<Map<string, BencodeValue>> {
  const reader = readerOf(raw);
  reader.enterDict();
  for (let depth = 1; depth > 0;) {
    const key = reader.nextKey();
    if (key === undefined) depth -= 1;
    else if (key === "") yield new Map(requireDict(reader.value(), "info.file tree"));
    else if (reader.enterDict()) depth += 1;
  }
}

function readerBytes(info: BencodeDict, key: string): Uint8Array {
  return requireBytes(info.get(key), `info.${key}`);
}

function readerOf(raw: Uint8Array): BencodeReader {
  return new BencodeReader(raw, { oddities: new Oddities(), bytesMax: raw.length });
}

function readFile(entry: Map<string, BencodeValue>): RareFileFields {
  for (const key of KNOWN_FILE_KEYS) entry.delete(key);
  return { md5sum: takeText(entry, "md5sum"), sha1: takeHash(entry), other: entry };
}

function merged(v1: RareFileFields, v2: RareFileFields): RareFileFields {
  return {
    md5sum: v1.md5sum ?? v2.md5sum,
    sha1: v1.sha1 ?? v2.sha1,
    other: new Map([...v2.other, ...v1.other]),
  };
}

/** Removes the value when it is text; other values are left for `other`. */
function takeText(dict: Map<string, BencodeValue>, key: string): string | undefined {
  const bytes = getBytes(dict, key);
  const text = bytes && decodeUtf8Strict(bytes);
  if (text !== undefined) dict.delete(key);
  return text;
}

function takeHash(dict: Map<string, BencodeValue>): string | undefined {
  const bytes = getBytes(dict, "sha1");
  if (bytes) dict.delete("sha1");
  return bytes && toHex(bytes);
}

function takeList(
  dict: Map<string, BencodeValue>,
  key: string,
  toText: (bytes: Uint8Array) => string,
): string[] {
  const value = dict.get(key);
  const entries = isBytes(value) ? [value] : value;
  if (!isList(entries)) return [];
  const taken = entries.filter((entry) => isBytes(entry));
  if (taken.length < entries.length) return [];
  dict.delete(key);
  return taken.map(toText);
}
