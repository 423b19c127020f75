import { AddressQuota } from "./address-quota.ts";
import type { PeerAddress } from "./peer-address.ts";

export interface AddressSharesOptions {
  /** Entries in all swarms together, by IPv4 address or IPv6 /64. */
  readonly peersPerAddressMax: number;
  /** Entries in one swarm, by IPv4 address or IPv6 /64. */
  readonly peersPerAddressInSwarmMax: number;
  /** Whether many machines share this address of 4 or 16 bytes: then it has no bound of its own in a swarm. */
  readonly isShared: (address: Uint8Array) => boolean;
}

/** Counters of entries by address (128 kB), and by swarm and address (2 MB). */
const ADDRESS_BUCKETS = 65_536;
const SWARM_ADDRESS_BUCKETS = 1_048_576;
/** Stands for all swarms together. */
const ALL_SWARMS = 0;

/** What one address may hold of the swarms: of all together, and of each (TRK-10). */
export class AddressShares {
  readonly #options: AddressSharesOptions;
  readonly #all: AddressQuota;
  readonly #bySwarm: AddressQuota;

  /** @param key - Makes chance of this process, so that nobody can aim at a counter. */
  constructor(options: AddressSharesOptions, key: () => number) {
    this.#options = options;
    this.#all = new AddressQuota(key(), ADDRESS_BUCKETS);
    this.#bySwarm = new AddressQuota(key(), SWARM_ADDRESS_BUCKETS);
  }

  /** Whether one more entry of this address has a place; `unlisted`: not in this swarm. */
  roomFor(swarm: number, peer: PeerAddress): "stored" | "unlisted" | "address-quota" {
    const { peersPerAddressMax, peersPerAddressInSwarmMax, isShared } = this.#options;
    const { words, wordCount } = peer;
    if (this.#all.count(ALL_SWARMS, words, 0, wordCount) >= peersPerAddressMax) {
      return "address-quota";
    }
    const inSwarm = this.#bySwarm.count(swarm, words, 0, wordCount);
    return inSwarm < peersPerAddressInSwarmMax || isShared(peer.bytes) ? "stored" : "unlisted";
  }

  add(swarm: number, words: Int32Array, offset: number, addressWords: number): void {
    this.#all.add(ALL_SWARMS, words, offset, addressWords);
    this.#bySwarm.add(swarm, words, offset, addressWords);
  }

  remove(swarm: number, words: Int32Array, offset: number, addressWords: number): void {
    this.#all.remove(ALL_SWARMS, words, offset, addressWords);
    this.#bySwarm.remove(swarm, words, offset, addressWords);
  }
}
