/** A signed item that names a torrent as a version of a publication (BEP 46). */
export interface TorrentVersionRow {
  readonly torrent_id: string;
  readonly public_key: Uint8Array;
  /** Empty for none. */
  readonly salt: Uint8Array;
  readonly sequence: bigint;
  /** Bencoded. */
  readonly value: Uint8Array;
  readonly signature: Uint8Array;
}

/** A publication: the key that signs its versions, and the salt that tells several of one key apart. */
export type PublicationKey = Pick<TorrentVersionRow, "public_key" | "salt">;

/**
 * The versions that publishers handed over. They outlive the removal of their torrent, so that an older version never becomes
 * the newest of its publication.
 */
export interface TorrentVersionTable {
  /**
   * Saves a version in place of the one that its torrent had of the same publication, and of one with the same sequence
   * number.
   */
  save(row: TorrentVersionRow): Promise<void>;
  /** @returns The version with the largest sequence number. */
  findNewest(publication: PublicationKey): Promise<TorrentVersionRow | undefined>;
  /** The versions that a torrent is, newest first. */
  listOf(torrentId: string): Promise<TorrentVersionRow[]>;
  /** The newest version of each publication, as long as its torrent is published and public. */
  listKept(limit: number): Promise<TorrentVersionRow[]>;
  /** How many these are. */
  countKept(): Promise<number>;
}
