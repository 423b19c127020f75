import type { Infohashes } from "../base/infohash.ts";

/** A torrent that this node keeps. Times are wall milliseconds, flags 0 or 1, sizes bytes. */
export interface StoredTransfer {
  /** The infohash as 40 hexadecimal digits, the wire form: v1 where there is one. It never changes. */
  readonly id: string;
  readonly infohash_v1: Uint8Array | null;
  readonly infohash_v2: Uint8Array | null;
  /** From the link or the id until the details are known. */
  readonly name: string;
  /** Absolute folder that receives, or holds, the files. */
  readonly root: string;
  /** The link it was added by, until its .torrent file is in the state folder. */
  readonly magnet: string | null;
  /** Tiers of announce URLs, as JSON: announcing reads no .torrent file. */
  readonly trackers: string;
  readonly private: number;
  /** The owner stopped it. A share limit does so too; `pause` says which. */
  readonly stopped: number;
  /** Why it is stopped: see `PauseCause` of the room `transfers`; null while it is not. */
  readonly pause: string | null;
  /** Why it cannot go on, as JSON; null while nothing is wrong. */
  readonly failure: string | null;
  /** Work that a kill must not lose, as JSON: see `Chore` of the room `transfers`; null when there is none. */
  readonly chore: string | null;
  /** When everything wanted was there; null before. */
  readonly finished_at: number | null;
  /** Everything of the torrent is there, not only what is wanted. */
  readonly whole: number;
  /** Wanted bytes; null until the details are known. */
  readonly size: number | null;
  readonly done: number;
  /** Over its whole life here. */
  readonly downloaded: number;
  readonly uploaded: number;
  /** How long it was seeded until the node had run for `seeded_until` milliseconds; while it is seeded, this time runs on. */
  readonly seeded_ms: number;
  readonly seeded_until: number;
  readonly label: string | null;
  /** Order in the queue, lowest first. */
  readonly position: number;
  /** Choices of its owner, as JSON: see `TransferChoices` of the room `transfers`. */
  readonly choices: string;
  readonly added_at: number;
  /** When a peer was last served, or a byte fetched. */
  readonly active_at: number;
  /** How long it had been seeded then, in milliseconds: idle time runs with seeding time, and not with the clock. */
  readonly active_seeded: number;
}

export interface TransferRow extends StoredTransfer {
  /** Order of adding; not given twice as long as the program runs. */
  readonly seq: number;
}

export type TransferChange = Partial<Omit<StoredTransfer, "id">>;

/** Rows of a list. `shown`: finished, unfinished or stopped ones only. */
export interface TransferFilter {
  readonly label?: string | undefined;
  readonly shown?: "finished" | "unfinished" | "stopped" | "failed" | undefined;
}

/** An unfinished transfer in the queue. */
export type QueuePlace = Pick<StoredTransfer, "id" | "position">;

export interface TransferCounts {
  readonly all: number;
  readonly finished: number;
  readonly stopped: number;
}

/** The torrents of a node. A row is all that a sleeping torrent costs. */
export interface TransferTable {
  /** Adds all of them in one transaction; rows whose id or infohash is there already are left out. @returns Ids added. */
  insertAll(rows: readonly StoredTransfer[]): Promise<readonly string[]>;
  find(id: string): Promise<TransferRow | undefined>;
  /** @param wireInfohash - 20 bytes: v1, or v2 cut. */
  findByWire(wireInfohash: Uint8Array): Promise<TransferRow | undefined>;
  /** Rows whose id begins with `prefix`, at most `limit`. */
  findByPrefix(prefix: string, limit: number): Promise<TransferRow[]>;
  /** Ids that begin with these hexadecimal digits. */
  idsWithPrefix(prefix: string): Promise<string[]>;
  /** Rows with exactly this name, at most `limit`. */
  findByName(name: string, limit: number): Promise<TransferRow[]>;
  /** In the order of adding, after `seq`; 0 begins with the first. */
  after(seq: number, limit: number, filter?: TransferFilter): Promise<TransferRow[]>;
  /** Unfinished ones that are neither stopped nor failed and have no chore, in the order of the queue. */
  toFetch(limit: number): Promise<TransferRow[]>;
  /** All unfinished ones in the order of the queue. */
  queue(): Promise<QueuePlace[]>;
  /** Folders of content, each once, at most `limit`. */
  roots(limit: number): Promise<string[]>;
  /** Finished ones that are neither stopped nor failed and have no chore, in the order of adding, after `seq`. */
  seedsAfter(seq: number, limit: number): Promise<TransferRow[]>;
  /** Of those, the ones that were active last. */
  busiestSeeds(limit: number): Promise<TransferRow[]>;
  /** With a chore to carry on. */
  withChores(): Promise<TransferRow[]>;
  countSeeds(): Promise<number>;
  /** Of those, the public ones; read as it is iterated. */
  publicSeeds(): Iterable<Infohashes>;
  counts(): Promise<TransferCounts>;
  /** Of all rows; read as it is iterated. */
  allInfohashes(): Iterable<Infohashes>;
  positions(): Promise<{ readonly first: number; readonly last: number }>;
  update(id: string, change: TransferChange): Promise<void>;
  /** Many in one transaction. */
  updateAll(changes: readonly (TransferChange & Pick<StoredTransfer, "id">)[]): Promise<void>;
  /** What is known of its files goes with it. */
  delete(id: string): Promise<void>;
}
