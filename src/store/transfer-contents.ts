/** A file of a transfer that is here, by what its hashes say of its bytes. */
export interface TransferContent {
  /** See `transfers/content-keys.ts`: equal keys promise equal bytes, and only a hash proves them. */
  readonly key: Uint8Array;
  /** Id of the transfer. */
  readonly transfer: string;
  /** Index in its torrent, padding included. */
  readonly file: number;
}

/** The files of finished transfers, by their hashes. They go with the row of their transfer. */
export interface TransferContentTable {
  /** In one transaction; what is known already stays. Call it with some hundred rows at once. */
  add(contents: readonly TransferContent[]): Promise<void>;
  /** The files with any of these keys, at most `limit`. Call it with some hundred keys at once. */
  find(keys: readonly Uint8Array[], limit: number): Promise<TransferContent[]>;
}
