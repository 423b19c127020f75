import type { Infohashes } from "../base/infohash.ts";
import type { RunWork } from "../base/work.ts";

/** A published torrent. Times are wall milliseconds, flags 0 or 1. */
export interface StoredTorrent {
  readonly id: string;
  readonly infohash_v1: Uint8Array | null;
  readonly infohash_v2: Uint8Array | null;
  readonly kind: "v1" | "v2" | "hybrid";
  /** The title: free text. Only the .torrent file has the names of files. */
  readonly name: string;
  readonly folder: number;
  readonly size: number;
  readonly file_count: number;
  readonly piece_size: number;
  readonly piece_count: number;
  readonly private: number;
  readonly comment: string | null;
  /** Folder that holds the content, below the data folder. */
  readonly content_path: string;
  /** Absolute folder of content outside the data folder. It belongs to its owner, and is only read. */
  readonly content_root: string | null;
  /**
   * The look of an owner's files when every byte was last compared; null when unknown, and for our own content. See
   * `publish/content-stamp.ts`.
   */
  readonly content_stamp: string | null;
  /** The .torrent file, below the data folder. */
  readonly metainfo_path: string;
  readonly publisher_id: string;
  readonly published_at: number;
  readonly checked_at: number;
  /**
   * Tiers of announce URLs that the publisher named besides the hub's own, as JSON. Null in rows of the first hubs
   * until they are needed: their .torrent files have them.
   */
  readonly trackers: string | null;
}

export interface TorrentRow extends StoredTorrent {
  /** Order of publishing. */
  readonly seq: number;
  /** Name of the publisher; null when the account is gone. */
  readonly publisher: string | null;
}

export type NewTorrent = Omit<StoredTorrent, "content_root" | "content_stamp"> & {
  /** Null or absent when the content is in our own folder. */
  readonly content_root?: string | null;
  readonly content_stamp?: string | null;
};

export interface TorrentSearch {
  /** The words that a person typed. Each must begin a word of the name, of a file name or of the comment. */
  readonly query: string;
  readonly limit: number;
  readonly offset: number;
}

/** Matches of a search that are counted and can be paged through. */
export const MATCHES_MAX = 1_000;

export interface FoundTorrents {
  /** The number of matches; at most `MATCHES_MAX` for a search. */
  readonly total: number;
  /** There are more matches than were counted. */
  readonly more: boolean;
  /** Newest first. */
  readonly rows: TorrentRow[];
  /** No torrent has the words as typed; the rows have words that differ by one letter. */
  readonly similar: boolean;
}

export interface CatalogueTotals {
  readonly torrents: number;
  readonly bytes: number;
}

/** The published torrents. */
/** A place in the order of the last full check. */
export type CheckedTorrent = Pick<TorrentRow, "checked_at" | "seq">;

export interface TorrentTable {
  /** Rises with every change that a list or a page of the catalogue shows. */
  readonly revision: number;
  /**
   * Adds a torrent and, in the same transaction, marks its draft as published.
   *
   * @param options.words - Further search words: file names, comment.
   */
  insert(
    torrent: NewTorrent,
    options: { words: string; draftId?: string | undefined },
  ): Promise<void>;
  /**
   * Changes the title and the description of a torrent, in one step.
   *
   * @param words - Further search words: file names, description.
   * @returns False when there is no such torrent.
   */
  edit(
    id: string,
    texts: { readonly name: string; readonly comment: string | null },
    words: string,
  ): Promise<boolean>;
  /** Tells whether a torrent keeps its content in this folder. */
  holdsContent(contentPath: string): Promise<boolean>;
  find(id: string): Promise<TorrentRow | undefined>;
  /** @param wireInfohash - 20 bytes: v1, or v2 cut. */
  findByWire(wireInfohash: Uint8Array): Promise<TorrentRow | undefined>;
  /** Of all torrents, in the order of publication. They are read during the iteration, about a microsecond each. */
  allInfohashes(): Iterable<Infohashes>;
  /** The same, without private torrents. */
  publicInfohashes(): Iterable<Infohashes>;
  /**
   * Finds torrents that have all words or, when there are none, torrents with words spelled nearly like them.
   *
   * @param run - Runs the work that grows with the catalogue.
   */
  search(search: TorrentSearch, run?: RunWork): Promise<FoundTorrents>;
  totals(): Promise<CatalogueTotals>;
  /** The torrent that was published next after `seq`; 0 begins with the first. */
  after(seq: number): Promise<TorrentRow | undefined>;
  /**
   * In the order of their last full check, among those of before `beforeMs`, wall milliseconds.
   *
   * @param last - The one that came before; none begins with the one that was not checked for longest.
   */
  afterChecked(last: CheckedTorrent | undefined, beforeMs: number): Promise<TorrentRow | undefined>;
  /** Torrents with content in their owners' folders, in the order of publication; 0 begins with the first. */
  inPlaceAfter(seq: number, limit: number): Promise<TorrentRow[]>;
  /** Its files are as published, and now look like this. */
  setStamp(id: string, stamp: string): Promise<void>;
  /** From now on its content is in our own folder. */
  keepContent(id: string): Promise<void>;
  /** @param stamp - The look of the owner's files; null for our own. */
  setChecked(id: string, wallMs: number, stamp: string | null): Promise<void>;
  /** @param trackers - In the format of the column. */
  setTrackers(id: string, trackers: string): Promise<void>;
}
