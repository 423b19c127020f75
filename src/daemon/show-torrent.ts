import { toHex } from "../base/bytes.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import type { MagnetLink, Metainfo, TorrentFile, TorrentKind } from "../metainfo/metainfo.ts";
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
  /** Tiers. */
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly nodes: readonly string[];
  /** Of the real files, in the torrent's order, as they are stored. */
  readonly paths: readonly string[];
  readonly files: readonly ShownFile[];
  readonly warnings: readonly string[];
}

export interface ShownFile {
  readonly path: string;
  readonly length: number;
  readonly offset: number;
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  readonly linkTarget: string | null;
  readonly piecesRoot: string | null;
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
  return "metainfo" in found ? describeTorrent(found.metainfo) : describeMagnet(found.magnet);
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

function describeTorrent(metainfo: Metainfo): ShownTorrent {
  const { info } = metainfo;
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
    trackers: metainfo.trackers,
    webSeeds: metainfo.webSeeds,
    nodes: metainfo.nodes,
    paths: info.files.filter((file) => !file.pad).map((file) => file.path.join("/")),
    files: info.files.map(describeFile),
    warnings: metainfo.warnings,
  };
}

function describeFile(file: TorrentFile): ShownFile {
  const { length, offset, pad, executable, hidden } = file;
  return {
    path: file.path.join("/"),
    length,
    offset,
    pad,
    executable,
    hidden,
    linkTarget: file.linkTarget?.join("/") ?? null,
    piecesRoot: file.piecesRoot ? toHex(file.piecesRoot) : null,
  };
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
