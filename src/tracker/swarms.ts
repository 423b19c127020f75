import type { AnnounceAnswer } from "../announce/announce-answer.ts";
import type { AnnounceRequest } from "../announce/announce-request.ts";
import type { PeerAddress } from "./peer-address.ts";

/** There is no such swarm. */
export const NO_SWARM = -1;

/**
 * What an announce did to its swarm. The store keeps one object and overwrites it on the next
 * announce.
 */
export interface AnnounceEffect {
  /**
   * `stored` also when the peer was known already; `gone` when it stopped; `unlisted` when its
   * address already has its share of this swarm: the peer gets others' addresses, but nobody gets
   * its own. Any other value says why there was no room (TRK-10).
   */
  readonly outcome: "stored" | "gone" | "unlisted" | "address-quota" | "swarm-full" | "store-full";
  /** The peer announced again too soon (TRK-11); nothing else changed. */
  readonly early: boolean;
  /**
   * The peer has everything, and said so before or has just finished. A `left=0` from a peer that
   * arrives or starts proves nothing: programs that have only a magnet link send it too (aria2).
   */
  readonly isSeed: boolean;
  /** The peer has just finished its download, for the first time as far as we know (TRK-16). */
  readonly completed: boolean;
  /**
   * Bytes since its last announce, capped at what a line can carry (TRK-5). Zero in a store without
   * details.
   */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Seconds as a seed since its last announce. Zero in a store without details. */
  readonly seededS: number;
}

export interface SwarmCounts {
  /** Peers that have everything. */
  seeds: number;
  /** All other peers, partial seeds included. */
  leechers: number;
  /** Partial seeds (BEP 21) of both families. */
  partialSeeds: number;
}

/** What an answer must hold. */
export interface SampleOptions {
  readonly peersMax: number;
  /** Leave out seeds, whole or partial. */
  readonly forSeed: boolean;
  /** Include peer ids. */
  readonly withIds: boolean;
}

/** One peer in a snapshot's form. */
export interface StoredPeer {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Flags of `peer-word.ts`. */
  readonly flags: number;
  /** Seconds since its last announce. */
  readonly idleS: number;
  /** Peer id, key and counters in the store's form; empty in a store without details. */
  readonly details: Int32Array;
}

/**
 * Keeps track of which peers are in which swarm. Swarms are numbered, and the number of a closed
 * swarm is reused. Call `setTime` before anything else: the store reads no clock.
 */
export interface SwarmStore {
  /** Peers in all swarms. */
  readonly peerCount: number;
  readonly swarmCount: number;
  /** All swarm numbers are below this. */
  readonly swarmsEnd: number;
  /** @param nowS - Seconds on a clock that never jumps back. */
  setTime(nowS: number): void;
  /**
   * @param infohash - Five words in the machine's byte order. @returns `NO_SWARM` when there is
   * none.
   */
  find(infohash: Int32Array): number;
  /** Opens a swarm under one or two infohashes (20 bytes). @returns `NO_SWARM` when there are too many. */
  open(infohashes: readonly Uint8Array[]): number;
  /**
   * Makes both infohashes of a hybrid lead to an open swarm that one of them led to. The swarm
   * keeps its peers.
   */
  join(swarm: number, infohashes: readonly Uint8Array[]): void;
  /** Removes all peers of one swarm. */
  clear(swarm: number): void;
  /** Forgets a swarm without peers. */
  close(swarm: number): void;
  isOpen(swarm: number): boolean;
  /** The swarm's infohashes as given to `open`, 20 bytes each. */
  infohashes(swarm: number): readonly Uint8Array[];
  /** Records what a peer reports of itself. */
  announce(swarm: number, peer: PeerAddress, request: AnnounceRequest): AnnounceEffect;
  /**
   * Appends to the answer a random choice of up to `peersMax` peers of the asker's family, never
   * the asker itself. Each address is named once before any is repeated with another port.
   */
  sample(swarm: number, asker: PeerAddress, options: SampleOptions, answer: AnnounceAnswer): void;
  count(swarm: number, counts: SwarmCounts): void;
  /** Removes peers of one swarm that were silent for too long. */
  expire(swarm: number): void;
  peers(swarm: number): Iterable<StoredPeer>;
  /** Restores a peer that `peers` returned. @returns False when there is no room. */
  restore(swarm: number, peer: StoredPeer): boolean;
}
