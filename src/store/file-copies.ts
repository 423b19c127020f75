export interface FileCopyRow {
  /** Below the data folder. */
  readonly path: string;
  readonly size: number;
  /** SHA-256 of a few parts of the file. */
  readonly sample: Uint8Array;
}

/** Files of published torrents by size and sample, to find equal ones. A row is a hint, never a proof. */
export interface FileCopyTable {
  /** Paths of files with the same size and sample. */
  alike(looks: Pick<FileCopyRow, "size" | "sample">, countMax: number): Promise<string[]>;
  put(row: FileCopyRow): Promise<void>;
  /** Removes the rows of files below a folder. */
  deleteBelow(folder: string): Promise<void>;
  /** Removes the rows of files that are gone or have changed. */
  delete(paths: readonly string[]): Promise<void>;
}
