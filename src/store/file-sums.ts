/** The CRC-32 of each torrent's files, as far as they are known, in the form of `publish/file-sums.ts`. */
export interface FileSumTable {
  find(torrentId: string): Promise<Uint8Array | undefined>;
  /** Does nothing for a torrent that is gone. */
  put(torrentId: string, sums: Uint8Array): Promise<void>;
}
