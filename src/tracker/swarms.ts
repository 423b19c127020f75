import type { AnnounceAnswer } from "../announce/announce-answer.ts";
import type { AnnounceRequest } from "../announce/announce-request.ts";
import type { PeerAddress } from "./peer-address.ts";

/** No such swarm. */
export const NO_SWARM = -1;

/** What an announce did to its swarm. Kept by the store and overwritten by the next announce. */
export interface AnnounceEffect {
  /**
   * `stored` also when the peer was known; `gone` when it stopped; `unlisted` when its address has its share of
   * this swarm already: it is told of others, and nobody of it. Else why there was no room (TRK-10).
   */
  readonly outcome: "stored" | "gone" | "unlisted" | "address-quota" | "swarm-full" | "store-full";
  /** It announced again before it should (TRK-11); apart from that nothing changed. */
  readonly early: boolean;
  /**
   * It has everything, and not for the first time that we hear of it, or it has just finished. A `left=0`
   * of one that comes or starts proves nothing: programs that have only a magnet link say so too (aria2).
   */
  readonly isSeed: boolean;
  /** It has just finished its download, for the first time as far as we know (TRK-16). */
  readonly completed: boolean;
  /** Bytes since its last announce, within what a line can carry (TRK-5). Zero in a store without details. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Seconds as a seed since then. Zero in a store without details. */
  readonly seededS: number;
}

export interface SwarmCounts {
  /** Peers that have everything. */
  seeds: number;
  /** All others, partial seeds included. */
  leechers: number;
  /** Partial seeds (BEP 21), both families. */
  partialSeeds: number;
}

/** What an answer is to hold. */
export interface SampleOptions {
  readonly peersMax: number;
  /** No seeds, whole or partial. */
  readonly forSeed: boolean;
  /** Peer ids too. */
  readonly withIds: boolean;
}

/** One peer as a snapshot holds it. */
export interface StoredPeer {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Of `peer-word.ts`. */
  readonly flags: number;
  /** Seconds since its last announce. */
  readonly idleS: number;
  /** Peer id, key and counters, as the store keeps them; empty in a store without details. */
  readonly details: Int32Array;
}

/**
 * Who is in which swarm. Swarms are numbered; the number of one that was closed is given to another later.
 * `setTime` comes before all else: the store reads no clock.
 */
export interface SwarmStore {
  /** Of all swarms. */
  readonly peerCount: number;
  readonly swarmCount: number;
  /** Swarms have numbers below this. */
  readonly swarmsEnd: number;
  /** @param nowS - Seconds on a clock that never jumps back. */
  setTime(nowS: number): void;
  /** @param infohash - As five words in the machine's order. @returns `NO_SWARM` when there is none. */
  find(infohash: Int32Array): number;
  /** Opens a swarm under one or two infohashes (20 bytes). @returns `NO_SWARM` when there are too many. */
  open(infohashes: readonly Uint8Array[]): number;
  /** Lets both infohashes of a hybrid lead to an open swarm that one of them led to, with the peers it has. */
  join(swarm: number, infohashes: readonly Uint8Array[]): void;
  /** Removes all peers of one swarm. */
  clear(swarm: number): void;
  /** Forgets a swarm without peers. */
  close(swarm: number): void;
  isOpen(swarm: number): boolean;
  /** As it was opened with, 20 bytes each. */
  infohashes(swarm: number): readonly Uint8Array[];
  /** Takes in what a peer says of itself. */
  announce(swarm: number, peer: PeerAddress, request: AnnounceRequest): AnnounceEffect;
  /**
   * Appends to the answer a random choice of up to `peersMax` peers of the asker's family, never itself: each
   * address once before any is named again with another port.
   */
  sample(swarm: number, asker: PeerAddress, options: SampleOptions, answer: AnnounceAnswer): void;
  count(swarm: number, counts: SwarmCounts): void;
  /** Removes peers of one swarm that were silent for too long. */
  expire(swarm: number): void;
  peers(swarm: number): Iterable<StoredPeer>;
  /** Puts back what `peers` told. @returns False when there is no room. */
  restore(swarm: number, peer: StoredPeer): boolean;
}
