export interface FileCopyRow {
  /** Below the data folder. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of a few parts of it. */
  readonly sample: Uint8Array;
}

/** Files of published torrents by their looks, so that an equal one is found. A row is a clue, never a proof. */
export interface FileCopyTable {
  /** Paths of files that look the same. */
  alike(looks: Pick<FileCopyRow, "size" | "sample">, countMax: number): Promise<string[]>;
  put(row: FileCopyRow): Promise<void>;
  /** Forgets what lies below a folder. */
  deleteBelow(folder: string): Promise<void>;
  /** Forgets files that are gone, or do not look like this any more. */
  delete(paths: readonly string[]): Promise<void>;
}
