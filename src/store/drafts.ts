/**
 * A declared upload without its declaration, which takes megabytes for 200,000 files. Times are wall milliseconds,
 * flags 0 or 1.
 */
export interface DraftRow {
  readonly id: string;
  readonly owner_id: string;
  /** SHA-256 of the declaration: the same declaration again finds this draft. */
  readonly digest: Uint8Array;
  readonly name: string;
  readonly folder: number;
  readonly kind: "v1" | "v2" | "hybrid";
  readonly size: number;
  readonly file_count: number;
  readonly piece_size: number;
  readonly private: number;
  /** Bytes that were durable when the last request ended; the journal may have more. */
  readonly durable: number;
  readonly state: "uploading" | "published" | "failed";
  readonly problem: string | null;
  readonly torrent_id: string | null;
  readonly created_at: number;
  readonly touched_at: number;
}

export type NewDraft = Omit<DraftRow, "durable" | "state" | "problem" | "torrent_id"> & {
  /** As JSON; null once the draft is published. */
  readonly declaration: string | null;
};

/** Declared uploads. A published one stays as a short row, because links made from its id must keep working. */
export interface DraftTable {
  insert(draft: NewDraft): Promise<DraftRow>;
  find(id: string): Promise<DraftRow | undefined>;
  /** @returns The declaration as JSON; null when the draft has ended. */
  declaration(id: string): Promise<string | null>;
  /** The owner's unfinished draft with the same declaration. */
  findOpen(ownerId: string, digest: Uint8Array): Promise<DraftRow | undefined>;
  /** Unfinished drafts, newest first. */
  listOpen(ownerId: string): Promise<DraftRow[]>;
  /** Ids of unfinished drafts that were not touched since `beforeMs`. */
  listAbandoned(beforeMs: number): Promise<string[]>;
  /** Ids of all unfinished drafts. */
  listOpenIds(): Promise<string[]>;
  /** How many unfinished drafts a user has, and their total size in bytes. */
  openTotals(ownerId: string): Promise<{ count: number; bytes: number }>;
  /** Bytes still to come for all unfinished drafts together. */
  bytesToCome(): Promise<number>;
  setDurable(id: string, durable: number, touchedAt: number): Promise<void>;
  setFailed(id: string, problem: string): Promise<void>;
  /** The content was already here: from now on the draft's id leads to that torrent. */
  setPublished(id: string, torrentId: string): Promise<void>;
  delete(id: string): Promise<void>;
}
