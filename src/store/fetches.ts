/** A torrent that is being fetched from its swarm. Times are wall milliseconds. */
export interface FetchRow {
  readonly id: string;
  readonly owner_id: string;
  /** Null when a .torrent file was given; it is in the data folder. */
  readonly magnet: string | null;
  /** 20 bytes, the wire form. */
  readonly infohash: Uint8Array;
  readonly name: string;
  /** Why it failed; null while it runs. */
  readonly problem: string | null;
  /** The torrent that it led to, when that has another id. */
  readonly torrent_id: string | null;
  readonly created_at: number;
}

/** Torrents being fetched from their swarms. Publication removes the row, unless it led to another torrent. */
export interface FetchTable {
  insert(row: FetchRow): Promise<void>;
  find(id: string): Promise<FetchRow | undefined>;
  /** @param infohash - 20 bytes, the wire form. */
  findByInfohash(infohash: Uint8Array): Promise<FetchRow | undefined>;
  /** Fetches that have not ended, oldest first. @param ownerId - Only those of this user. */
  listOpen(ownerId?: string): Promise<FetchRow[]>;
  /** @param problem - Why it failed; null when it is tried again. */
  setProblem(id: string, problem: string | null): Promise<void>;
  setPublished(id: string, torrentId: string): Promise<void>;
  delete(id: string): Promise<void>;
}
