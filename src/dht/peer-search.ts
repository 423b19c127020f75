import type { Endpoint } from "../base/endpoint.ts";
import { getBytes } from "../bencode/bencode-value.ts";
import { BLOOM_BYTES, BloomFilter } from "./bloom-filter.ts";
import { endpointKey } from "./contact.ts";
import type { Dht, Found } from "./dht.ts";
import type { Asked } from "./dht-node.ts";
import type { KrpcFields } from "./encode-krpc.ts";
import type { FoundNode } from "./lookup.ts";
import { namedPeers } from "./named-contacts.ts";

/** Peers that one search brings. */
const PEERS_MAX = 1000;

export interface PeerSearch {
  /** 20 bytes; a v2 infohash is cut to them (BEP 52). */
  readonly infohash: Uint8Array;
  /** What to tell the closest nodes about us; nothing when left out. */
  readonly announce?: PeerAnnounce | undefined;
  /** Leave seeds out (BEP 33). */
  readonly noSeeds?: boolean | undefined;
  /** Peers that were not brought before, and the node that names them. */
  readonly onPeers: (peers: readonly Endpoint[], from: Endpoint) => void;
  readonly onDone: (result: PeerSearchResult) => void;
}

export interface PeerAnnounce {
  /** Where we listen for peers. */
  readonly port: number;
  /** The DHT has the same port: nodes take the one that they see, behind a router too (BEP 5). */
  readonly isPortImplied: boolean;
  readonly seed: boolean;
}

export interface PeerSearchResult {
  readonly peers: number;
  /** Nodes that have taken our announce. */
  readonly announcedTo: number;
  readonly queries: number;
  /** Steps to the closest node; `undefined` when no node could be reached. */
  readonly hops: number | undefined;
}

/** Finds the peers of a torrent and announces ours (BEP 5). @returns A function that ends it. */
export function searchPeers(dht: Dht, search: PeerSearch): () => void {
  const { infohash, announce } = search;
  const known = new Set<string>();
  return dht.search({
    target: infohash,
    method: "get_peers",
    args: { noseed: search.noSeeds ? 1 : undefined },
    onReply: ({ results, from }) => {
      const fresh: Endpoint[] = [];
      for (const peer of namedPeers(results, from.endpoint)) {
        const key = endpointKey(peer);
        if (known.has(key) || known.size >= PEERS_MAX) continue;
        known.add(key);
        fresh.push(peer);
      }
      if (fresh.length > 0) search.onPeers(fresh, from.endpoint);
      return false;
    },
    onDone: (found) => {
      const done = (announcedTo: number): void =>
        search.onDone({
          peers: known.size,
          announcedTo,
          queries: found.reduce((sum, { outcome }) => sum + outcome.queries, 0),
          hops: found[0]?.outcome.closest[0]?.hop,
        });
      if (!announce) done(0);
      else {
        const args = announceArgs(infohash, announce);
        storeAt(dht, found, { method: "announce_peer", argsFor: () => args }, ({ stored }) =>
          done(stored),
        );
      }
    },
  });
}

export function announceArgs(infohash: Uint8Array, announce: PeerAnnounce): KrpcFields {
  return {
    info_hash: infohash,
    port: announce.port,
    implied_port: announce.isPortImplied ? 1 : undefined,
    seed: announce.seed ? 1 : undefined,
  };
}

/** How many take part in a torrent, by the filters of all nodes together (BEP 33). */
export interface SwarmEstimate {
  readonly seeds: number;
  readonly leechers: number;
  /** Nodes that sent filters: those that know peers. */
  readonly nodes: number;
  /** Nodes that answered at all. */
  readonly replies: number;
}

/** Asks how many there are without asking for who (BEP 33). @returns A function that ends it. */
export function scrapeSwarm(
  dht: Dht,
  infohash: Uint8Array,
  onDone: (estimate: SwarmEstimate) => void,
): () => void {
  const seeds = new BloomFilter();
  const leechers = new BloomFilter();
  let nodes = 0;
  let replies = 0;
  return dht.search({
    target: infohash,
    method: "get_peers",
    args: { scrape: 1 },
    onReply: ({ results }) => {
      replies += 1;
      const ofSeeds = getBytes(results, "BFsd");
      const ofLeechers = getBytes(results, "BFpe");
      if (ofSeeds?.length !== BLOOM_BYTES || ofLeechers?.length !== BLOOM_BYTES) return false;
      seeds.join(ofSeeds);
      leechers.join(ofLeechers);
      nodes += 1;
      return false;
    },
    onDone: () =>
      onDone({
        seeds: Math.round(seeds.estimate()),
        leechers: Math.round(leechers.estimate()),
        nodes,
        replies,
      }),
  });
}

/** What became of something that was to be stored. */
export interface StoreResult {
  readonly stored: number;
  /** What nodes that refused said, each text once with its code. */
  readonly refusals: ReadonlyMap<number, string>;
}

/** Gives the closest nodes something to keep; those without a token are left out. */
export function storeAt(
  dht: Dht,
  found: readonly Found[],
  query: {
    readonly method: string;
    readonly argsFor: (to: Endpoint) => KrpcFields;
    /** What became of one of the questions. */
    readonly onAsked?: ((to: FoundNode, asked: Asked) => void) | undefined;
  },
  onDone: (result: StoreResult) => void,
): void {
  const refusals = new Map<number, string>();
  let stored = 0;
  // One more than there are questions, so that the end is not told before all are asked.
  let left = 1;
  const settle = (): void => {
    left -= 1;
    if (left === 0) onDone({ stored, refusals });
  };
  for (const { node, outcome } of found) {
    for (const closeNode of outcome.closest) {
      const { contact, token } = closeNode;
      if (!token) continue;
      const to = contact.endpoint;
      const args = { ...query.argsFor(to), token };
      left += 1;
      const isSent = dht.ask(node, { to, method: query.method, args }, (asked) => {
        if (asked.kind === "reply") stored += 1;
        if (asked.kind === "refused") refusals.set(asked.code, asked.text);
        query.onAsked?.(closeNode, asked);
        settle();
      });
      if (!isSent) settle();
    }
  }
  settle();
}
