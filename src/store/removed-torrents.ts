import type { NewTorrent } from "./torrents.ts";

/** Times are wall milliseconds. */
export interface RemovedTorrentRow {
  readonly id: string;
  readonly infohash_v1: Uint8Array | null;
  readonly infohash_v2: Uint8Array | null;
  readonly state: "kept" | "purging" | "gone";
  /** The row as published; null once it is gone. */
  readonly torrent: NewTorrent | null;
  readonly words: string | null;
  readonly publisher_id: string;
  readonly removed_by: string;
  readonly removed_at: number;
  /** Name of the account that removed it; null when the account is gone. */
  readonly remover: string | null;
}

/** The columns that may differ when a torrent is restored. */
export type BroughtBack = Partial<
  Pick<NewTorrent, "name" | "comment" | "publisher_id" | "published_at" | "trackers">
>;

/**
 * Removed torrents. `kept`: everything is there and may come back. `purging`: its bytes are being deleted, and
 * nothing brings it back. `gone`: only the fact that it existed is known.
 */
export interface RemovedTorrentTable {
  /**
   * Takes a torrent out of the catalogue, in one step.
   *
   * @param removal.words - Its search words besides the title, for a later restore.
   * @returns False when there is no such torrent.
   */
  remove(
    id: string,
    removal: { readonly by: string; readonly atMs: number; readonly words: string },
  ): Promise<boolean>;
  /**
   * Puts a torrent back in its old place, in one step.
   *
   * @returns False when it is not kept any more.
   */
  restore(id: string, changes: BroughtBack & { readonly words?: string }): Promise<boolean>;
  find(id: string): Promise<RemovedTorrentRow | undefined>;
  /** The one that is not gone yet. @param wireInfohash - 20 bytes: v1, or v2 cut. */
  findByWire(wireInfohash: Uint8Array): Promise<RemovedTorrentRow | undefined>;
  /** Those that were removed before `beforeMs` or are being deleted, and are not gone. */
  listDue(beforeMs: number): Promise<RemovedTorrentRow[]>;
  /** From now on nothing brings it back. */
  setPurging(id: string): Promise<void>;
  /** Its bytes are deleted: so are its name and the names of its files. */
  setGone(id: string): Promise<void>;
}
