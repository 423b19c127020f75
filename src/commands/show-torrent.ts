import { toHex } from "../base/bytes.ts";
import { LongList, LongRecord } from "../base/long-list.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import { NODE_BYTES } from "../metainfo/merkle.ts";
import type { MagnetLink, Metainfo, TorrentFile, TorrentKind } from "../metainfo/metainfo.ts";
import { type RareFields, type RareFileFields, readRareFields } from "../metainfo/rare-fields.ts";
import { SHA1_BYTES } from "../metainfo/read-info.ts";
import { dictToJson } from "../bencode/bencode-json.ts";
import type { SourcePorts } from "./command-ports.ts";
import { linkWithoutVersion } from "./publication-link.ts";
import { readTorrentSource } from "./torrent-source.ts";

/**
 * A torrent with its real files in short form, for a table, so that unneeded fields are not
 * decoded.
 */
export const LISTING: unique symbol = Symbol("listing");

/** Everything in a .torrent file, in JSON's types. Fields are only ever added. */
export interface ShownTorrent {
  readonly type: "torrent";
  readonly name: string;
  readonly kind: TorrentKind;
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  readonly magnet: string;
  /** Bytes. */
  readonly pieceSize: number;
  readonly pieces: number;
  /** Bytes of all files, padding not counted. */
  readonly bytes: number;
  readonly private: boolean;
  readonly folder: boolean;
  readonly source: string | null;
  readonly comment: string | null;
  readonly createdBy: string | null;
  /** ISO 8601. */
  readonly creationDate: string | null;
  readonly encoding: string | null;
  readonly publisher: string | null;
  readonly metaVersion: number | null;
  /** The tracker for programs that do not support tiers. */
  readonly announce: string | null;
  /** Tiers. */
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  /** BEP 17. */
  readonly httpSeeds: readonly string[];
  readonly nodes: readonly string[];
  /** Hexadecimal infohashes (BEP 38). */
  readonly similar: readonly string[];
  readonly collections: readonly string[];
  /** PEM. */
  readonly sslCert: string | null;
  /** The real files in the torrent's order, under their stored names. */
  readonly paths: LongList<string>;
  readonly files: LongList<ShownFile>;
  /** Hexadecimal SHA-1 of every piece; null in a v2-only torrent. */
  readonly pieceHashes: LongList<string> | null;
  /** By hexadecimal pieces root, one SHA-256 node for each piece of that file; null in v1. */
  readonly pieceLayers: LongRecord<LongList<string>> | null;
  /** Unknown keys; those of `info` are under its name. See `bencode-json.ts`. */
  readonly other: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly [LISTING]: LongList<ListedFile>;
}

/** A line of a table of files. */
export interface ListedFile {
  readonly path: string;
  /** Bytes. */
  readonly length: number;
}

export interface ShownFile {
  readonly path: string;
  /** The torrent's own name, where it differs because not every system accepts it. */
  readonly pathAsWritten: string | null;
  readonly length: number;
  readonly offset: number;
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  readonly linkTarget: string | null;
  readonly piecesRoot: string | null;
  /** Hexadecimal, as its creator wrote them. */
  readonly md5sum: string | null;
  readonly sha1: string | null;
  readonly other: Readonly<Record<string, unknown>>;
}

/** Everything in a magnet link. */
export interface ShownMagnet {
  readonly type: "magnet";
  readonly name: string | null;
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
  readonly magnet: string;
  readonly bytes: number | null;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  readonly peers: readonly string[];
  readonly exactSources: readonly string[];
  readonly selectOnly: readonly (readonly [first: number, last: number])[] | null;
  /** Of the publication that it names (BEP 46), hexadecimal. */
  readonly publicKey: string | null;
  /** Hexadecimal; empty for none. */
  readonly salt: string | null;
  /** Unknown until the torrent itself is fetched. */
  readonly paths: readonly string[];
}

/** @throws {CommandError} As `readTorrentSource`. */
export async function showTorrent(
  ports: SourcePorts,
  source: string,
  signal?: AbortSignal,
): Promise<ShownTorrent | ShownMagnet> {
  const link = linkWithoutVersion(source);
  if (link) return describeMagnet({ infohashes: {}, ...link });
  const found = await readTorrentSource(ports, source, signal);
  return "metainfo" in found
    ? describeTorrent(found.metainfo, found.bytes)
    : describeMagnet(found.magnet);
}

/** The magnet link of a .torrent file. */
export function magnetOf(metainfo: Metainfo): string {
  const { info, trackers, webSeeds } = metainfo;
  return formatMagnet({
    infohashes: info.infohashes,
    name: info.name,
    exactLength: info.geometry.dataLength,
    trackers: trackers.flat(),
    webSeeds,
  });
}

function describeTorrent(metainfo: Metainfo, bytes: Uint8Array): ShownTorrent {
  const { info } = metainfo;
  let read: RareFields | undefined;
  // Most callers do not need these.
  const rare = (): RareFields => (read ??= readRareFields(bytes, info));
  let realFiles = 0;
  for (const file of info.files) if (!file.pad) realFiles += 1;
  return {
    type: "torrent",
    name: info.name,
    kind: info.kind,
    ...hexInfohashes(info.infohashes),
    magnet: magnetOf(metainfo),
    pieceSize: info.geometry.pieceLength,
    pieces: info.geometry.pieceCount,
    bytes: info.geometry.dataLength,
    private: info.private,
    folder: info.folder,
    source: info.source ?? null,
    comment: metainfo.comment ?? null,
    createdBy: metainfo.createdBy ?? null,
    creationDate: isoDate(metainfo.creationDate),
    get encoding() {
      return rare().encoding ?? null;
    },
    get publisher() {
      return rare().publisher ?? null;
    },
    get metaVersion() {
      return rare().metaVersion ?? null;
    },
    get announce() {
      return rare().announce ?? null;
    },
    trackers: metainfo.trackers,
    webSeeds: metainfo.webSeeds,
    httpSeeds: metainfo.httpSeeds,
    nodes: metainfo.nodes,
    get similar() {
      return rare().similar;
    },
    get collections() {
      return rare().collections;
    },
    get sslCert() {
      return rare().sslCert ?? null;
    },
    paths: new LongList(realFiles, () => listPaths(info.files)),
    files: new LongList(info.files.length, () => describeFiles(info.files, rare().files())),
    pieceHashes: info.pieceHashes ? hexEntries(info.pieceHashes, SHA1_BYTES) : null,
    pieceLayers: info.kind === "v1" ? null : new LongRecord(() => hexLayers(metainfo.pieceLayers)),
    get other() {
      const { other, otherInfo } = rare();
      return {
        ...dictToJson(other),
        ...(otherInfo.size > 0 && { info: dictToJson(otherInfo) }),
      };
    },
    warnings: metainfo.warnings,
    [LISTING]: new LongList(realFiles, () => listFiles(info.files)),
  };
}

function describeFile(file: TorrentFile, rare: RareFileFields): ShownFile {
  const { length, offset, pad, executable, hidden } = file;
  return {
    path: file.path.join("/"),
    pathAsWritten: file.pathAsWritten?.join("/") ?? null,
    length,
    offset,
    pad,
    executable,
    hidden,
    linkTarget: file.linkTarget?.join("/") ?? null,
    piecesRoot: file.piecesRoot ? toHex(file.piecesRoot) : null,
    md5sum: rare.md5sum ?? null,
    sha1: rare.sha1 ?? null,
    other: dictToJson(rare.other),
  };
}

function* listFiles(files: readonly TorrentFile[]): Generator<ListedFile> {
  for (const { pad, path, length } of files) if (!pad) yield { path: path.join("/"), length };
}

function* listPaths(files: readonly TorrentFile[]): Generator<string> {
  for (const { path } of listFiles(files)) yield path;
}

function* describeFiles(
  files: readonly TorrentFile[],
  rare: Iterator<RareFileFields>,
): Generator<ShownFile> {
  for (const file of files) {
    const next = rare.next();
    yield describeFile(file, next.done ? NOTHING_RARE : next.value);
  }
}

const NOTHING_RARE: RareFileFields = { md5sum: undefined, sha1: undefined, other: new Map() };

function hexEntries(table: Uint8Array, entryBytes: number): LongList<string> {
  const bytes = Buffer.from(table.buffer, table.byteOffset, table.length);
  return new LongList(table.length / entryBytes, function* () {
    for (let at = 0; at < bytes.length; at += entryBytes) {
      yield bytes.toString("hex", at, at + entryBytes);
    }
  });
}

function* hexLayers(
  layers: Metainfo["pieceLayers"],
): Generator<readonly [string, LongList<string>]> {
  for (const [root, layer] of layers) yield [root, hexEntries(layer, NODE_BYTES)];
}

function describeMagnet(magnet: MagnetLink): ShownMagnet {
  const { trackers, webSeeds, peers, exactSources, publication } = magnet;
  return {
    type: "magnet",
    name: magnet.name ?? null,
    ...hexInfohashes(magnet.infohashes),
    magnet: formatMagnet(magnet),
    bytes: magnet.exactLength ?? null,
    trackers,
    webSeeds,
    peers,
    exactSources,
    selectOnly: magnet.selectOnly ?? null,
    publicKey: publication ? toHex(publication.publicKey) : null,
    salt: publication ? toHex(publication.salt) : null,
    paths: [],
  };
}

/** Infohashes in hexadecimal; null for a generation that the torrent lacks. */
export function hexInfohashes(infohashes: Metainfo["info"]["infohashes"]): {
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
} {
  return {
    infohashV1: infohashes.v1 ? toHex(infohashes.v1) : null,
    infohashV2: infohashes.v2 ? toHex(infohashes.v2) : null,
  };
}

function isoDate(seconds: number | undefined): string | null {
  if (seconds === undefined) return null;
  const instant = Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
  return instant.toString({ fractionalSecondDigits: 3 });
}
