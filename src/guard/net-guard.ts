import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { DatagramNet, HttpFetch } from "../ports/net.ts";
import { REACH } from "../base/address-reach.ts";
import { GuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";
import type { OwnNetworks } from "./own-networks.ts";

export interface NetGuardOptions extends Pick<GuardedFetchOptions, "networks" | "makeFetch"> {
  readonly datagrams: DatagramNet;
}

/** Enough to tell a person; a hostile tracker names more. */
const REFUSED_KEPT = 3;

/** Near peers that trackers vouch for; the oldest is forgotten when there are more. */
const VOUCHED_MAX = 10_000;

/**
 * The guard of connections that a torrent leads to (house rule 8). It comes from strangers, but the program that
 * reads it runs inside: what it names may not lead to where strangers cannot go themselves.
 *
 * - Peers that the person names may be anywhere.
 * - A tracker may be anywhere, because a hub at home is; one that is near is asked for nothing but announces, unless the
 *   person names it.
 * - Peers that a tracker names may be as near as the address this reply came from, no nearer. A handshake
 *   carries 20 bytes that whoever made the link chose: enough for a command to some service on this machine.
 */
export class NetGuard {
  /** To trackers. */
  readonly http: HttpFetch;
  /** To trackers. */
  readonly datagrams: DatagramNet;
  readonly #networks: OwnNetworks;
  readonly #trusted = new Set<string>();
  /** Without their queries, which each announce has its own of. */
  readonly #trustedTrackers = new Set<string>();
  /** By address, which is what a person is told. */
  readonly #refused = new Map<string, Endpoint>();
  /**
   * Near peers in replies that came from as near, in the order of their coming. With their ports: a hub's tracker
   * names its everseed on this machine, and what else listens here is not meant by that.
   */
  readonly #vouched = new Set<string>();

  constructor(options: NetGuardOptions) {
    const { datagrams, networks, makeFetch } = options;
    this.#networks = networks;
    const shared = { networks, makeFetch, lenient: true };
    const toAny = new GuardedFetch({ ...shared, nearPages: "all" });
    const toTrackers = new GuardedFetch({ ...shared, nearPages: "announce" });
    this.http = {
      get: (url, limits) =>
        (this.#trustedTrackers.has(withoutQuery(url)) ? toAny : toTrackers).get(url, limits),
    };
    this.datagrams = {
      bind: (bindOptions) => datagrams.bind(bindOptions),
      resolve: async (host) => networks.nearestOf(await datagrams.resolve(host)).addresses,
    };
  }

  /** @param url - Of a tracker that the person names: also one whose path no torrent may name. */
  trustTracker(url: string): void {
    this.#trustedTrackers.add(withoutQuery(url));
  }

  /** @param peer - That the person names. */
  trust(peer: Endpoint): void {
    this.#trusted.add(formatEndpoint(peer));
  }

  /**
   * Judges the peers of one reply.
   *
   * @param from - The address that the reply came from.
   * @returns Those that may be connected to.
   */
  judgePeers(peers: readonly Endpoint[], from: string): readonly Endpoint[] {
    const floor = this.#networks.reachOf(from);
    return peers.filter((peer) => {
      const { address } = peer;
      const reach = this.#networks.reachOf(address);
      if (reach === REACH.world) return true;
      const allowed = reach !== REACH.nowhere && reach >= floor;
      if (allowed) this.#vouch(formatEndpoint(peer));
      else this.#noteRefused(peer);
      return allowed || this.#trusted.has(formatEndpoint(peer));
    });
  }

  /** As `allowPeer`, of somebody who is going to be connected to. */
  admitPeer(peer: Endpoint): boolean {
    const allowed = this.allowPeer(peer);
    if (!allowed) this.#noteRefused(peer);
    return allowed;
  }

  /** Addresses of some of the peers that would have been connected to, and still may not be. */
  get refused(): readonly string[] {
    const refused = [...this.#refused].filter(([, peer]) => !this.allowPeer(peer));
    return refused.map(([address]) => address);
  }

  /** Whether a peer may be connected to. */
  allowPeer(peer: Endpoint): boolean {
    if (this.#networks.reachOf(peer.address) === REACH.world) return true;
    const named = formatEndpoint(peer);
    return this.#trusted.has(named) || this.#vouched.has(named);
  }

  #vouch(peer: string): void {
    this.#vouched.delete(peer);
    this.#vouched.add(peer);
    if (this.#vouched.size <= VOUCHED_MAX) return;
    const [oldest] = this.#vouched;
    this.#vouched.delete(oldest!);
  }

  #noteRefused(peer: Endpoint): void {
    const { size } = this.#refused;
    if (size < REFUSED_KEPT && !this.#refused.has(peer.address))
      this.#refused.set(peer.address, peer);
  }
}

function withoutQuery(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.origin}${parsed.pathname}` : url;
}
