import { SITE_BITS, SITE_SHARES } from "../base/address-line.ts";
import { AddressQuota } from "./address-quota.ts";
import type { PeerAddress } from "./peer-address.ts";

export interface AddressSharesOptions {
  /** Entries in all swarms together, by IPv4 address or IPv6 /64. */
  readonly peersPerAddressMax: number;
  /** Entries in one swarm, by IPv4 address or IPv6 /64. */
  readonly peersPerAddressInSwarmMax: number;
  /**
   * True when many machines share this address of 4 or 16 bytes; it then has no bound of its own in
   * a swarm.
   */
  readonly isShared: (address: Uint8Array) => boolean;
}

/** Counters of entries by address (128 kB), and by swarm and address (2 MB). */
const ADDRESS_BUCKETS = 65_536;
const SWARM_ADDRESS_BUCKETS = 1_048_576;
/**
 * Counters of entries by swarm and site (512 kB). The counters over all swarms number as many as
 * those of addresses.
 */
const SWARM_SITE_BUCKETS = 262_144;
/** The largest value a counter can still tell from a larger one. */
const COUNTED_MAX = 65_000;
/** The swarm number that stands for all swarms together. */
const ALL_SWARMS = 0;

/**
 * Limits how many entries one address may hold, over all swarms and in each swarm (TRK-10, TRK-23).
 */
export class AddressShares {
  readonly #options: AddressSharesOptions;
  readonly #all: AddressQuota;
  readonly #bySwarm: AddressQuota;
  readonly #allOfSite: AddressQuota;
  readonly #bySwarmOfSite: AddressQuota;
  /** Entries of one site, over all swarms and in one. */
  readonly #allMax: number;
  readonly #inSwarmMax: number;

  /** @param key - Returns random bits of this process, so that nobody can aim at a counter. */
  constructor(options: AddressSharesOptions, key: () => number) {
    this.#options = options;
    this.#all = new AddressQuota(key(), ADDRESS_BUCKETS);
    this.#bySwarm = new AddressQuota(key(), SWARM_ADDRESS_BUCKETS);
    this.#allOfSite = new AddressQuota(key(), ADDRESS_BUCKETS, SITE_BITS);
    this.#bySwarmOfSite = new AddressQuota(key(), SWARM_SITE_BUCKETS, SITE_BITS);
    this.#allMax = Math.min(options.peersPerAddressMax * SITE_SHARES, COUNTED_MAX);
    this.#inSwarmMax = Math.min(options.peersPerAddressInSwarmMax * SITE_SHARES, COUNTED_MAX);
  }

  /** Decides whether one more entry of this address fits; `unlisted` means not in this swarm. */
  roomFor(swarm: number, peer: PeerAddress): "stored" | "unlisted" | "address-quota" {
    const { peersPerAddressMax, peersPerAddressInSwarmMax, isShared } = this.#options;
    const { words, wordCount } = peer;
    if (this.#all.count(ALL_SWARMS, words, 0, wordCount) >= peersPerAddressMax) {
      return "address-quota";
    }
    const hasSite = wordCount > 1;
    if (hasSite && this.#allOfSite.count(ALL_SWARMS, words, 0, wordCount) >= this.#allMax) {
      return "address-quota";
    }
    const isFull =
      this.#bySwarm.count(swarm, words, 0, wordCount) >= peersPerAddressInSwarmMax ||
      (hasSite && this.#bySwarmOfSite.count(swarm, words, 0, wordCount) >= this.#inSwarmMax);
    return !isFull || isShared(peer.bytes) ? "stored" : "unlisted";
  }

  add(swarm: number, words: Int32Array, offset: number, addressWords: number): void {
    this.#all.add(ALL_SWARMS, words, offset, addressWords);
    this.#bySwarm.add(swarm, words, offset, addressWords);
    if (addressWords === 1) return;
    this.#allOfSite.add(ALL_SWARMS, words, offset, addressWords);
    this.#bySwarmOfSite.add(swarm, words, offset, addressWords);
  }

  remove(swarm: number, words: Int32Array, offset: number, addressWords: number): void {
    this.#all.remove(ALL_SWARMS, words, offset, addressWords);
    this.#bySwarm.remove(swarm, words, offset, addressWords);
    if (addressWords === 1) return;
    this.#allOfSite.remove(ALL_SWARMS, words, offset, addressWords);
    this.#bySwarmOfSite.remove(swarm, words, offset, addressWords);
  }
}
