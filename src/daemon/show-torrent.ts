import { toHex } from "../base/bytes.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import { NODE_BYTES } from "../metainfo/merkle.ts";
import type { MagnetLink, Metainfo, TorrentFile, TorrentKind } from "../metainfo/metainfo.ts";
import { type RareFileFields, readRareFields } from "../metainfo/rare-fields.ts";
import { SHA1_BYTES } from "../metainfo/read-info.ts";
import { dictToJson } from "./bencode-json.ts";
import { readTorrentSource } from "./torrent-source.ts";

/** Everything a .torrent file says, in JSON's types. Fields are only ever added. */
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
  /** The tracker for programs that know no tiers. */
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
  /** Of the real files, in the torrent's order, as they are stored. */
  readonly paths: readonly string[];
  readonly files: readonly ShownFile[];
  /** Hexadecimal SHA-1 of every piece; null in a v2-only torrent. */
  readonly pieceHashes: readonly string[] | null;
  /** By hexadecimal pieces root, one SHA-256 node for each piece of that file; null in v1. */
  readonly pieceLayers: Readonly<Record<string, readonly string[]>> | null;
  /** Keys we do not know, those of `info` under its name. See `bencode-json.ts`. */
  readonly other: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

export interface ShownFile {
  readonly path: string;
  /** Where the torrent's own names are others, which not every system takes. */
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

/** Everything a magnet link says. */
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
  /** Nobody knows before the torrent itself is fetched. */
  readonly paths: readonly string[];
}

/** @throws {DaemonError} As `readTorrentSource`. */
export async function showTorrent(
  source: string,
  signal?: AbortSignal,
): Promise<ShownTorrent | ShownMagnet> {
  const found = await readTorrentSource(source, signal);
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
  const rare = readRareFields(bytes, info);
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
    encoding: rare.encoding ?? null,
    publisher: rare.publisher ?? null,
    metaVersion: rare.metaVersion ?? null,
    announce: rare.announce ?? null,
    trackers: metainfo.trackers,
    webSeeds: metainfo.webSeeds,
    httpSeeds: rare.httpSeeds,
    nodes: metainfo.nodes,
    similar: rare.similar,
    collections: rare.collections,
    sslCert: rare.sslCert ?? null,
    paths: info.files.filter((file) => !file.pad).map((file) => file.path.join("/")),
    files: info.files.map((file, index) => describeFile(file, rare.files[index]!)),
    // Made when they are asked for: of a million pieces they are half a gigabyte of text.
    get pieceHashes() {
      return info.pieceHashes ? hexEntries(info.pieceHashes, SHA1_BYTES) : null;
    },
    get pieceLayers() {
      return info.kind === "v1" ? null : hexLayers(metainfo.pieceLayers);
    },
    other: {
      ...dictToJson(rare.other),
      ...(rare.otherInfo.size > 0 && { info: dictToJson(rare.otherInfo) }),
    },
    warnings: metainfo.warnings,
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

function hexEntries(table: Uint8Array, entryBytes: number): string[] {
  return Array.from({ length: table.length / entryBytes }, (_, index) =>
    toHex(table.subarray(index * entryBytes, (index + 1) * entryBytes)),
  );
}

function hexLayers(layers: Metainfo["pieceLayers"]): Record<string, string[]> {
  return Object.fromEntries(
    [...layers].map(([root, layer]) => [root, hexEntries(layer, NODE_BYTES)]),
  );
}

function describeMagnet(magnet: MagnetLink): ShownMagnet {
  const { trackers, webSeeds, peers, exactSources } = magnet;
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
    paths: [],
  };
}

/** Infohashes in hexadecimal, null where the torrent has none of that generation. */
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
  return seconds === undefined ? null : new Date(seconds * 1000).toISOString();
}
