import type { Slowness, TorrentStats } from "../session-contract.ts";

/** A limit or the disk counts as the cause when it held the download back within this time. */
const HELD_MS = 1_500;

export interface SlownessFacts {
  readonly stats: Pick<TorrentStats, "peers" | "knownPeers">;
  /** Web seeds that are connected. They keep nobody waiting. */
  readonly webSeeds: number;
  /** False while a magnet link's info is being fetched: any peer may have it, whether it chokes us or not. */
  readonly isInfoKnown: boolean;
  /** The connected peers, as far as they tell why nothing comes from them. */
  readonly peers: Iterable<{
    readonly connection: {
      readonly amInterested: boolean;
      readonly peerChoking: boolean;
      readonly isSeed: boolean;
    };
  }>;
  /** When blocks could last have been requested but for a rate limit; `undefined` when never. */
  readonly limitedAtMs: number | undefined;
  /** When blocks could last have been requested but for memory that waits for the disk; `undefined` when never. */
  readonly diskAtMs: number | undefined;
}

/**
 * Why a download is no faster than it is: the first cause that applies. What holds back everything else comes first, and
 * what nobody can do anything about comes last.
 */
export function slownessOf(facts: SlownessFacts, now: number): Slowness {
  const { stats, peers, limitedAtMs, diskAtMs } = facts;
  if (isRecent(limitedAtMs, now)) return "own-limit";
  if (isRecent(diskAtMs, now)) return "disk";
  if (facts.webSeeds > 0) return "peers";
  if (stats.peers === 0) return stats.knownPeers === 0 ? "nobody-known" : "nobody-reached";
  if (!facts.isInfoKnown) return "peers";
  let isAnyWanted = false;
  let isAnySeed = false;
  for (const { connection } of peers) {
    const { amInterested, peerChoking, isSeed } = connection;
    if (amInterested && !peerChoking) return "peers";
    isAnyWanted ||= amInterested;
    isAnySeed ||= isSeed;
  }
  if (isAnyWanted) return "all-choke";
  // Nothing is wanted of a peer that has everything: the last pieces have come, and are being judged and written.
  return isAnySeed ? "disk" : "nobody-has-it";
}

function isRecent(atMs: number | undefined, now: number): boolean {
  return atMs !== undefined && now - atMs <= HELD_MS;
}
