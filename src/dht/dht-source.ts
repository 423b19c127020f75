import type { Endpoint } from "../base/endpoint.ts";
import { wireInfohashes } from "../base/infohash.ts";
import { tcpAddresses } from "../base/peer-address.ts";
import type { PeerSource, PeerSourceHandle, SwarmView } from "../engine/session-contract.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Family } from "./contact.ts";
import type { Dht } from "./dht.ts";
import { searchPeers } from "./peer-search.ts";

/** Between two announces: nodes keep a peer for 30 minutes at least. */
const ANNOUNCE_MS = 15 * 60_000;
/**
 * After a search that no node answered, an announce that no node has taken, or when nobody was found while peers are
 * wanted; doubled each time.
 */
const RETRY_MS = 15_000;

export interface DhtSourceOptions {
  readonly dht: Dht;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * False for a magnet link. Until its info is known, peers are looked for and nothing is announced: the torrent may turn
   * out to be private (DHT-7).
   */
  readonly isInfoKnown: boolean;
  /**
   * The UDP port of our node, where peers reach us over uTP as well. As long as nothing better is known of our port
   * outside, nodes are asked to take the one that they see, which a router may have chosen (BEP 5, `implied_port`).
   */
  readonly utpPort?: number | undefined;
  /** False when somebody else announces the torrent. */
  readonly announces?: boolean | undefined;
  /** House rule 8. Takes the peers of one reply and the address of the node that sent it. */
  readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
}

/** The DHT as a source of peers of one torrent. The engine attaches it to no private torrent (BEP 27, DHT-7). */
export function dhtSource(options: DhtSourceOptions): PeerSource {
  return { kind: "dht", attach: (swarm) => new TorrentSearch(options, swarm) };
}

/** Looks for the peers of one torrent and announces it, again and again until the torrent stops. */
class TorrentSearch implements PeerSourceHandle {
  readonly #options: DhtSourceOptions;
  readonly #swarm: SwarmView;
  #mayAnnounce: boolean;
  #endSearches: (() => void)[] = [];
  #timer: Timer | undefined;
  #retryMs = RETRY_MS;
  /** Networks that a search of this torrent has asked. */
  readonly #searched = new Set<Family>();
  readonly #endNews: () => void;
  #isSearching = false;
  /** The last search that ended was answered. */
  #isHeard = false;

  constructor(options: DhtSourceOptions, swarm: SwarmView) {
    this.#options = options;
    this.#swarm = swarm;
    this.#mayAnnounce = options.isInfoKnown && this.#announces;
    for (const { family, isReached } of options.dht.status().families) {
      if (isReached) this.#searched.add(family);
    }
    this.#endNews = options.dht.onReached((family) => this.#handleReached(family));
    // The engine is still attaching sources: peers are offered when it is done.
    this.#searchAfter(0);
  }

  get #announces(): boolean {
    return this.#options.announces ?? true;
  }

  handleMetadata(): void {
    if (this.#mayAnnounce || !this.#announces || this.#swarm.private()) return;
    this.#mayAnnounce = true;
    this.#searchAfter(0);
  }

  /** The next announce says that we are a seed. */
  handleComplete(): void {
    if (this.#mayAnnounce) this.#searchAfter(0);
  }

  /** The DHT knows no goodbye: nodes forget us. */
  async detach(): Promise<void> {
    this.#endNews();
    this.#stop();
  }

  /** IPv6 may answer after IPv4, and both after an hour without a network: nobody waits for the next round then. */
  #handleReached(family: Family): void {
    // A search that waits for anybody begins now.
    const isWaiting = this.#isSearching && this.#searched.size === 0;
    const isNews = !this.#searched.has(family) || !(this.#isHeard || this.#isSearching);
    this.#searched.add(family);
    if (isNews && !isWaiting) this.#searchAfter(0);
  }

  #searchAfter(delayMs: number): void {
    this.#stop();
    this.#timer = this.#options.clock.startTimer(delayMs, () => this.#search());
  }

  #stop(): void {
    this.#timer?.cancel();
    for (const end of this.#endSearches) end();
    this.#endSearches = [];
    this.#isSearching = false;
  }

  #search(): void {
    const swarm = this.#swarm;
    const { dht, judgePeers } = this.#options;
    const seed = swarm.stats().left === 0;
    // A program that nobody can call has nothing to announce.
    const mayAnnounce = this.#mayAnnounce && swarm.port() !== 0;
    const port = swarm.outerPort();
    const announce = { port, isPortImplied: port === this.#options.utpPort, seed };
    const infohashes = wireInfohashes(swarm.infohashes);
    let left = infohashes.length;
    let found = 0;
    let isHeard = false;
    this.#isSearching = true;
    this.#endSearches = infohashes.map((infohash) =>
      searchPeers(dht, {
        infohash,
        announce: mayAnnounce ? announce : undefined,
        // Seeds have no use for each other (BEP 33).
        noSeeds: seed,
        onPeers: (peers, from) => {
          const judged = judgePeers(peers, from.address);
          found += judged.length;
          if (judged.length > 0) swarm.offerPeers(tcpAddresses(judged));
        },
        onDone: ({ hops, announcedTo }) => {
          for (const { outer } of dht.status().families) {
            if (outer !== undefined) swarm.handleOuterAddress?.(outer, undefined);
          }
          isHeard ||= mayAnnounce ? announcedTo > 0 : hops !== undefined;
          left -= 1;
          if (left > 0) return;
          this.#isSearching = false;
          this.#isHeard = isHeard;
          this.#searchAgain(isHeard && (found > 0 || seed));
        },
      }),
    );
  }

  #searchAgain(isGood: boolean): void {
    const { random } = this.#options;
    if (isGood) this.#retryMs = RETRY_MS;
    const waitMs = isGood ? ANNOUNCE_MS : this.#retryMs;
    if (!isGood) this.#retryMs = Math.min(this.#retryMs * 2, ANNOUNCE_MS);
    // Chance spreads the torrents of one session over the time.
    this.#searchAfter(waitMs - random.below(waitMs / 4));
  }
}
