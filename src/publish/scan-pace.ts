/** The pauses of a scan that passes all torrents again and again. */
export interface ScanPace {
  /** The time for all of them, the work on each included, where the disk is fast enough. */
  readonly wholeMs: number;
  /** However many there are, the disk rests for so long after each. */
  readonly pauseMsMin: number;
  /** However few there are, none waits for longer. */
  readonly pauseMsMax: number;
  /** The least pause, as a share of the time that the work on a torrent took: 1 leaves half of the disk to others. */
  readonly restShare: number;
}

/** @returns The pause after a torrent. @param spentMs - That the work on it took. */
export function pauseMs(pace: ScanPace, torrents: number, spentMs: number): number {
  const { wholeMs, pauseMsMin, pauseMsMax, restShare } = pace;
  const least = Math.max(pauseMsMin, spentMs * restShare);
  const share = wholeMs / Math.max(1, torrents) - spentMs;
  return Math.max(least, Math.min(pauseMsMax, share));
}
