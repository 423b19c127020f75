/** A torrent on its way from its swarm. Times are wall milliseconds. */
export interface FetchRow {
  readonly id: string;
  readonly owner_id: string;
  /** Null when a .torrent file was given, which lies in the data folder. */
  readonly magnet: string | null;
  /** 20 bytes, as peers say it. */
  readonly infohash: Uint8Array;
  readonly name: string;
  /** Why it failed; null as long as it goes on. */
  readonly problem: string | null;
  /** The torrent that it led to, when that has another id. */
  readonly torrent_id: string | null;
  readonly created_at: number;
}

/** Torrents on their way from their swarms. The row goes with publication, unless it led to another torrent. */
export interface FetchTable {
  insert(row: FetchRow): Promise<void>;
  find(id: string): Promise<FetchRow | undefined>;
  /** @param infohash - 20 bytes, as peers say it. */
  findByInfohash(infohash: Uint8Array): Promise<FetchRow | undefined>;
  /** Those that have not ended, oldest first. @param ownerId - Leaves out those of other people. */
  listOpen(ownerId?: string): Promise<FetchRow[]>;
  /** @param problem - Why it failed; null when it is tried again. */
  setProblem(id: string, problem: string | null): Promise<void>;
  setPublished(id: string, torrentId: string): Promise<void>;
  delete(id: string): Promise<void>;
}
