// Shares of `limits.memoryBytesMax`: uploads get one half, the everseed's engine the other.
const INGEST_SHARE = 1 / 2;
const SEND_SHARE = 3 / 8;
const RECEIVE_SHARE = 1 / 8;

/** The shares of a hub's memory for content, in bytes. */
export interface MemoryShares {
  /** For pieces that people upload. */
  readonly ingest: number;
  /** For blocks that the everseed sends. */
  readonly send: number;
  /** For pieces that the everseed receives. */
  readonly receive: number;
}

/** @param bytesMax - `limits.memoryBytesMax`. */
export function memoryShares(bytesMax: number): MemoryShares {
  return {
    ingest: bytesMax * INGEST_SHARE,
    send: bytesMax * SEND_SHARE,
    receive: bytesMax * RECEIVE_SHARE,
  };
}
