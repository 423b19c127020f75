import type { Generated } from "kysely";

/** The tables of ours, as kysely sees them. Times are wall milliseconds, flags 0 or 1. */
export interface Schema {
  torrents: TorrentsTable;
  torrents_search: SearchTable;
  removed_torrents: RemovedTorrentsTable;
  drafts: DraftsTable;
  file_copies: FileCopiesTable;
  file_sums: FileSumsTable;
  fetches: FetchesTable;
  settings: SettingsTable;
  swarm_totals: SwarmTotalsTable;
  /** Kept by better-auth; read here for the names of people. */
  user: UserTable;
}

interface TorrentsTable {
  /** Order of publishing. */
  seq: Generated<number>;
  id: string;
  infohash_v1: Uint8Array | null;
  infohash_v2: Uint8Array | null;
  kind: "v1" | "v2" | "hybrid";
  /** The title: free text. Names of files are in the .torrent file alone. */
  name: string;
  folder: number;
  size: number;
  file_count: number;
  piece_size: number;
  piece_count: number;
  private: number;
  comment: string | null;
  /** Folder that holds the content, below the data folder. */
  content_path: string;
  /** Absolute folder that holds the content when it lies elsewhere: it is its owner's, and only read. */
  content_root: string | null;
  /** The .torrent file, below the data folder. */
  metainfo_path: string;
  publisher_id: string;
  published_at: number;
  checked_at: number;
  /**
   * Tiers of announce URLs that the publisher named besides the hub's own, JSON. Null in rows of the first
   * hubs until somebody asks: their .torrent files tell.
   */
  trackers: string | null;
}

interface RemovedTorrentsTable {
  id: string;
  infohash_v1: Uint8Array | null;
  infohash_v2: Uint8Array | null;
  state: "kept" | "purging" | "gone";
  /** Its row of `torrents`, packed; null once it is gone. */
  torrent: string | null;
  words: string | null;
  publisher_id: string;
  removed_by: string;
  removed_at: number;
}

interface SearchTable {
  rowid: number;
  name: string;
  words: string;
  torrents_search: string;
}

interface DraftsTable {
  id: string;
  owner_id: string;
  /** SHA-256 of the declaration: the same declaration again finds this draft. */
  digest: Uint8Array;
  /** JSON; null once published. */
  declaration: string | null;
  name: string;
  folder: number;
  kind: "v1" | "v2" | "hybrid";
  size: number;
  file_count: number;
  piece_size: number;
  private: number;
  /** Bytes that were durable when the last request ended; the journal may know of more. */
  durable: number;
  state: "uploading" | "published" | "failed";
  problem: string | null;
  torrent_id: string | null;
  created_at: number;
  touched_at: number;
}

interface FileCopiesTable {
  /** Below the data folder. */
  path: string;
  size: number;
  /** SHA-256 of a few parts of it. */
  sample: Uint8Array;
}

interface FileSumsTable {
  torrent_id: string;
  /** See `publish/file-sums.ts`. */
  sums: Uint8Array;
}

interface FetchesTable {
  id: string;
  owner_id: string;
  /** Null when a .torrent file was given, which lies in the data folder. */
  magnet: string | null;
  /** 20 bytes, as peers say it. */
  infohash: Uint8Array;
  name: string;
  /** Why it failed; null as long as it goes on. */
  problem: string | null;
  /** The torrent that it led to, when that has another id. */
  torrent_id: string | null;
  created_at: number;
}

interface SettingsTable {
  key: string;
  /** JSON. */
  value: string;
}

interface SwarmTotalsTable {
  /** 20 bytes, as announced. */
  infohash: Uint8Array;
  completed: number;
  /** Bytes. */
  uploaded: number;
  downloaded: number;
}

interface UserTable {
  id: string;
  name: string;
  username: string | null;
  role: string | null;
}
