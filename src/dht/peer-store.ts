import { toHex } from "../base/bytes.ts";
import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";
import { ownerOf } from "./address-shares.ts";
import { BloomFilter } from "./bloom-filter.ts";
import { endpointKey, type Family, familyOf } from "./contact.ts";
import { compareDistance } from "./node-id.ts";

/** Infohashes that are kept; the one farthest from our id goes first (DHT-4). */
const INFOHASHES_MAX = 4000;
/** Peers of one infohash; the one that announced first goes first. */
const PEERS_MAX = 500;
/** Ports of one address under one infohash. */
const PORTS_MAX = 4;
/** Infohashes that one address of the world may have brought here. */
const INFOHASHES_OF_ONE_MAX = 200;
/** A peer that has not announced for this long is gone: clients announce again after 15 to 30 minutes. */
export const PEER_MS = 45 * 60_000;
/** How long the filters of BEP 33 are kept before they are made again. */
const FILTER_MS = 60_000;

interface StoredPeer {
  readonly endpoint: Endpoint;
  readonly seed: boolean;
  readonly atMs: number;
}

interface StoredSwarm {
  readonly infohash: Uint8Array;
  /** The place that announced it first: it counts against that one. */
  readonly broughtBy: string;
  /** By endpoint, in the order of their last announce. */
  readonly peers: Map<string, StoredPeer>;
  filters:
    | { readonly atMs: number; readonly seeds: Uint8Array; readonly leechers: Uint8Array }
    | undefined;
}

/** Peers that announced to us, of all infohashes near our id (BEP 5). Everything in it is bounded. */
export class PeerStore {
  readonly #swarms = new Map<string, StoredSwarm>();
  readonly #broughtBy = new Map<string, number>();

  get infohashCount(): number {
    return this.#swarms.size;
  }

  peerCount(infohash: Uint8Array): number {
    return this.#swarms.get(toHex(infohash))?.peers.size ?? 0;
  }

  /** @param ownId - The nearer an infohash is to it, the more likely we are asked for it. */
  add(
    announce: {
      readonly infohash: Uint8Array;
      readonly endpoint: Endpoint;
      readonly seed: boolean;
    },
    ownId: Uint8Array,
    now: number,
  ): void {
    const { infohash, endpoint, seed } = announce;
    const swarm = this.#swarms.get(toHex(infohash)) ?? this.#open(announce, ownId, now);
    if (!swarm) return;
    const key = endpointKey(endpoint);
    swarm.peers.delete(key);
    dropOldestPort(swarm.peers, endpoint.address);
    if (swarm.peers.size >= PEERS_MAX) swarm.peers.delete(swarm.peers.keys().next().value!);
    swarm.peers.set(key, { endpoint, seed, atMs: now });
  }

  /** A random choice of the peers of one family. */
  sample(
    infohash: Uint8Array,
    options: {
      readonly family: Family;
      readonly count: number;
      readonly noSeeds: boolean;
      readonly random: Random;
    },
    now: number,
  ): Endpoint[] {
    const { family, count, noSeeds, random } = options;
    const fitting = this.#fresh(infohash, now).filter(
      ({ endpoint, seed }) => familyOf(endpoint.address) === family && !(noSeeds && seed),
    );
    return chooseSome(fitting, count, random).map(({ endpoint }) => endpoint);
  }

  /** Filters of the seeds and of the others (BEP 33); `undefined` when nobody is known. */
  filters(
    infohash: Uint8Array,
    now: number,
  ): { seeds: Uint8Array; leechers: Uint8Array } | undefined {
    const swarm = this.#swarms.get(toHex(infohash));
    const peers = this.#fresh(infohash, now);
    if (!swarm || peers.length === 0) return undefined;
    if (swarm.filters && now - swarm.filters.atMs < FILTER_MS) return swarm.filters;
    const seeds = new BloomFilter();
    const leechers = new BloomFilter();
    for (const { endpoint, seed } of peers) {
      (seed ? seeds : leechers).add(addressBytes(endpoint.address)!);
    }
    swarm.filters = { atMs: now, seeds: seeds.bytes, leechers: leechers.bytes };
    return swarm.filters;
  }

  /** A random choice of infohashes (BEP 51). */
  infohashes(count: number, random: Random): Uint8Array[] {
    return chooseSome([...this.#swarms.values()], count, random).map(({ infohash }) => infohash);
  }

  /** Forgets peers that are gone. */
  expire(now: number): void {
    for (const [key, swarm] of this.#swarms) {
      for (const [peer, { atMs }] of swarm.peers) {
        if (now - atMs < PEER_MS) break;
        swarm.peers.delete(peer);
      }
      if (swarm.peers.size === 0) this.#close(key, swarm);
    }
  }

  #open(
    announce: { readonly infohash: Uint8Array; readonly endpoint: Endpoint },
    ownId: Uint8Array,
    now: number,
  ): StoredSwarm | undefined {
    const { place, network } = ownerOf({ ...announce.endpoint, port: 0 });
    const brought = this.#broughtBy.get(place) ?? 0;
    const isStranger = network !== undefined;
    if (isStranger && brought >= INFOHASHES_OF_ONE_MAX) return undefined;
    if (this.#swarms.size >= INFOHASHES_MAX) this.expire(now);
    if (this.#swarms.size >= INFOHASHES_MAX && !this.#makeRoom(announce.infohash, ownId)) {
      return undefined;
    }
    const infohash = Uint8Array.from(announce.infohash);
    const swarm: StoredSwarm = { infohash, broughtBy: place, peers: new Map(), filters: undefined };
    this.#swarms.set(toHex(infohash), swarm);
    this.#broughtBy.set(place, brought + 1);
    return swarm;
  }

  /** Forgets the infohash that is farthest from us, unless the new one is farther. */
  #makeRoom(infohash: Uint8Array, ownId: Uint8Array): boolean {
    let farthest: StoredSwarm | undefined;
    for (const swarm of this.#swarms.values()) {
      if (!farthest || compareDistance(ownId, farthest.infohash, swarm.infohash) < 0)
        farthest = swarm;
    }
    if (!farthest || compareDistance(ownId, farthest.infohash, infohash) <= 0) return false;
    this.#close(toHex(farthest.infohash), farthest);
    return true;
  }

  #close(key: string, { broughtBy }: StoredSwarm): void {
    this.#swarms.delete(key);
    const left = (this.#broughtBy.get(broughtBy) ?? 1) - 1;
    if (left > 0) this.#broughtBy.set(broughtBy, left);
    else this.#broughtBy.delete(broughtBy);
  }

  #fresh(infohash: Uint8Array, now: number): StoredPeer[] {
    const peers = this.#swarms.get(toHex(infohash))?.peers.values() ?? [];
    return [...peers].filter(({ atMs }) => now - atMs < PEER_MS);
  }
}

/** Takes the oldest port of an address out when it has as many as one address may have. */
function dropOldestPort(peers: Map<string, StoredPeer>, address: string): void {
  let oldest: string | undefined;
  let count = 0;
  for (const [key, { endpoint }] of peers) {
    if (endpoint.address !== address) continue;
    oldest ??= key;
    count += 1;
  }
  if (oldest !== undefined && count >= PORTS_MAX) peers.delete(oldest);
}

/** @returns At most `count` items, each as likely as every other. Changes the order of `items`. */
export function chooseSome<Item>(items: Item[], count: number, random: Random): Item[] {
  const chosen = Math.min(count, items.length);
  for (let i = 0; i < chosen; i += 1) {
    const other = i + random.below(items.length - i);
    [items[i], items[other]] = [items[other]!, items[i]!];
  }
  return items.slice(0, chosen);
}
