import type { Geometry } from "../base/geometry.ts";
import type { Infohashes } from "../base/infohash.ts";

/** The versions of BitTorrent that can read it: BEP 3, BEP 52, or both from the same bytes. */
export type TorrentKind = "v1" | "v2" | "hybrid";

/** One file of a torrent, in the order of the torrent's space of bytes. */
export interface TorrentFile {
  /**
   * Safe path components below the download folder, the torrent's name included when it is a folder.
   * Cleaned once, here: nobody joins raw names from the wire (MET-1 to MET-5).
   */
  readonly path: readonly string[];
  /**
   * The same path with the torrent's own names, when they differ from those of `path` and name a file below the
   * folder too. It helps to find files that other programs stored; nothing is created there.
   */
  readonly pathAsWritten?: readonly string[] | undefined;
  /** Bytes. */
  readonly length: number;
  /** Bytes from the start of the torrent's space. */
  readonly offset: number;
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  /**
   * Where a symbolic link leads (BEP 47): safe components like those of `path`, of a file or folder of
   * this torrent.
   */
  readonly linkTarget?: readonly string[] | undefined;
  /** Root of the file's merkle tree, 32 bytes (BEP 52). Absent in v1 and for empty files. */
  readonly piecesRoot?: Uint8Array | undefined;
}

/** The contents of the `info` value, which both infohashes cover. All of it came from outside and was checked. */
export interface TorrentInfo {
  readonly kind: TorrentKind;
  readonly infohashes: Infohashes;
  /** The bytes of the `info` value exactly as in the file: they are hashed, and served by ut_metadata. */
  readonly infoBytes: Uint8Array;
  /** Safe as a file name. */
  readonly name: string;
  /** True when files lie in a folder called `name`. */
  readonly folder: boolean;
  readonly geometry: Geometry;
  /** One for each of `geometry.files`, padding files included. */
  readonly files: readonly TorrentFile[];
  /** SHA-1 of every piece, 20 bytes each; `undefined` in a v2-only torrent. */
  readonly pieceHashes?: Uint8Array | undefined;
  readonly private: boolean;
  readonly source?: string | undefined;
}

/** A parsed .torrent file. */
export interface Metainfo {
  readonly info: TorrentInfo;
  /** Tiers of announce URLs (BEP 12), http, https, udp, ws or wss only. */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19 URLs, http or https only. */
  readonly webSeeds: readonly string[];
  /** BEP 17 URLs, http or https only. */
  readonly httpSeeds: readonly string[];
  /** DHT nodes (BEP 5), `host:port`. */
  readonly nodes: readonly string[];
  /** Keyed by the hexadecimal pieces root: the checked layer of 32-byte nodes that cover one piece each. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  readonly comment?: string | undefined;
  readonly createdBy?: string | undefined;
  /** Seconds since 1970; `undefined` when absent or outside every calendar (MET-16). */
  readonly creationDate?: number | undefined;
  /** Bytes of the file that belong to the torrent. Bytes after them are never stored or served. */
  readonly byteLength: number;
  /** Oddities that were accepted or left out, in words for people. */
  readonly warnings: readonly string[];
}

/** Names a publication, whose newest version the DHT knows (BEP 46). */
export interface PublicationName {
  /** Of Ed25519, 32 bytes: whoever has its secret publishes the versions. */
  readonly publicKey: Uint8Array;
  /** Tells several publications of one key apart, at most 64 bytes; empty for none. */
  readonly salt: Uint8Array;
}

/** A magnet link that may name no version of its publication. */
export interface PublicationLink extends Omit<MagnetLink, "infohashes"> {
  readonly publication: PublicationName;
}

/** A parsed magnet link (BEP 9, BEP 53). */
export interface MagnetLink {
  readonly infohashes: Infohashes;
  readonly name?: string | undefined;
  /** Bytes, a hint only. */
  readonly exactLength?: number | undefined;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  /** `address:port` of peers to try first. */
  readonly peers: readonly string[];
  /** URLs of the .torrent file itself, http or https only. */
  readonly exactSources: readonly string[];
  /** File indexes to fetch, as inclusive ranges; padding files count. `undefined` means all. */
  readonly selectOnly?: readonly (readonly [first: number, last: number])[] | undefined;
  /** The publication that this torrent is a version of (BEP 46). */
  readonly publication?: PublicationName | undefined;
}
