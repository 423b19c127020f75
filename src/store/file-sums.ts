/** The known CRC-32 sums of each torrent's files, in the form of `publish/file-sums.ts`. */
export interface FileSumTable {
  find(torrentId: string): Promise<Uint8Array | undefined>;
  /** Does nothing for a torrent that is gone. */
  put(torrentId: string, sums: Uint8Array): Promise<void>;
}
