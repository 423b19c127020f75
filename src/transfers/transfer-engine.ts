import type { Infohashes } from "../base/infohash.ts";
import type { AddTorrent, EngineTorrent, SessionLimits } from "../engine/session-contract.ts";

/** The ways that a torrent names to its peers. They came from outside, so the engine's guard judges them. */
export interface TransferWays {
  readonly trackers: readonly (readonly string[])[];
  /** Announce URLs that the owner named: they may be anywhere. */
  readonly ownTrackers: readonly string[];
  readonly webSeeds: readonly string[];
  readonly httpSeeds: readonly string[];
  /** DHT nodes, `host:port`. */
  readonly nodes: readonly string[];
  /** `address:port`, named by a link. */
  readonly peers: readonly string[];
  /** `address:port`, named by the owner: they may be anywhere. */
  readonly ownPeers: readonly string[];
}

/** One tracker of a torrent, for people. */
export interface TransferTracker {
  /** Scheme, host and port only, because paths hold passkeys. */
  readonly name: string;
  /** From 0. */
  readonly tier: number;
  readonly state: "idle" | "announcing" | "working" | "failing";
  /** Why it fails, or its warning. The text comes from outside. */
  readonly message: string | undefined;
  readonly nextAnnounceInMs: number | undefined;
  readonly announcedAgoMs: number | undefined;
  readonly seeds: number | undefined;
  readonly leechers: number | undefined;
  readonly peersGiven: number;
}

/** A finished torrent that is only a row. */
export interface SleepingSeed {
  readonly infohashes: Infohashes;
  readonly private: boolean;
  readonly trackers: readonly (readonly string[])[];
  readonly ownTrackers: readonly string[];
  /** Its trackers were told of it since this node started. */
  readonly isListed: boolean;
  /** Bytes since its trackers were told of a start. */
  readonly uploaded: number;
}

/** The engine that transfers use, with its sources of peers; `daemon/` connects them. */
export interface TransferEngine {
  /**
   * @param ways - Without trackers when a sleeping torrent is woken by a peer: its turns go on announcing it.
   */
  add(options: AddTorrent, ways: TransferWays): Promise<EngineTorrent>;
  /** Says goodbye to peers and trackers, and makes everything durable. */
  remove(torrent: EngineTorrent): Promise<void>;
  /** @param peers - `address:port`, named by the owner: they may be anywhere. */
  addPeers(torrent: EngineTorrent, peers: readonly string[]): void;
  trackers(torrent: EngineTorrent): readonly TransferTracker[];
  /** Announces an added torrent now. */
  announce(torrent: EngineTorrent): void;
  /** Announces a sleeping seed once, and leaves it listed. Never rejects. */
  announceAsleep(seed: SleepingSeed): Promise<void>;
  setLimits(limits: Partial<SessionLimits>): void;
  /** Sets the rates that the torrents of a group share (`AddTorrent.group`). */
  setGroupLimits(
    name: string,
    limits: Pick<SessionLimits, "downBytesPerSecond" | "upBytesPerSecond">,
  ): void;
}
