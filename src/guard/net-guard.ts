import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { DatagramNet, HttpFetch } from "../ports/net.ts";
import { REACH } from "../base/address-reach.ts";
import { GuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";
import type { OwnNetworks } from "./own-networks.ts";
import type { RefusalOf } from "./filtered-net.ts";
import { WebSeedGuard, type WebSeedGuardOptions } from "./web-seed-guard.ts";

export interface NetGuardOptions
  extends Pick<GuardedFetchOptions, "networks" | "makeFetch">, WebSeedGuardOptions {
  readonly datagrams: DatagramNet;
  /** Addresses that a person keeps away. By default there are none. */
  readonly refusalOf?: RefusalOf | undefined;
}

/** Enough to report to the user; a hostile tracker names more. */
const REFUSED_KEPT = 3;

/** Near peers that trackers vouched for; beyond this the oldest is dropped. */
const VOUCHED_MAX = 10_000;

/**
 * Guards the connections that a torrent leads to (house rule 8). Torrents come from strangers, but
 * the program that reads them runs inside a network: what a torrent names must not lead to places
 * that strangers cannot reach themselves.
 *
 * - Peers that the user names may be anywhere.
 * - A tracker may be anywhere, because a hub at home is. A near tracker gets only announces, unless
 *   the user named it.
 * - Web seeds: see `WebSeedGuard`.
 * - Peers that a tracker names may be as near as the address of its reply, no nearer. A handshake
 *   carries 20 bytes chosen by the author of the link: enough for a command to some service on this
 *   machine.
 * - What a person keeps away is neither a peer, nor a node or tracker to ask, whoever names it.
 */
export class NetGuard {
  /** The fetcher for trackers. */
  readonly http: HttpFetch;
  /** The datagram transport for trackers. */
  readonly datagrams: DatagramNet;
  readonly webSeeds: WebSeedGuard;
  /** Addresses that a person keeps away. */
  readonly refusalOf: RefusalOf;
  readonly #networks: OwnNetworks;
  readonly #trusted = new Set<string>();
  /** Without their queries, which differ in every announce. */
  readonly #trustedTrackers = new Set<string>();
  /** Keyed by address, which is what the user is shown. */
  readonly #refused = new Map<string, Endpoint>();
  /**
   * Near peers from replies of equally near trackers, oldest first. Ports count: a hub's tracker
   * names its everseed on this machine, which says nothing about other services here.
   */
  readonly #vouched = new Set<string>();

  constructor(options: NetGuardOptions) {
    const { datagrams, networks, makeFetch } = options;
    this.#networks = networks;
    this.refusalOf = options.refusalOf ?? (() => undefined);
    this.webSeeds = new WebSeedGuard(options);
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

  /** @param url - A tracker that the user names, even at a path that no torrent may name. */
  trustTracker(url: string): void {
    this.#trustedTrackers.add(withoutQuery(url));
  }

  /** @param peer - A peer that the user names. */
  trust(peer: Endpoint): void {
    this.#trusted.add(formatEndpoint(peer));
  }

  /**
   * Judges the peers of one reply.
   *
   * @param from - The sender of the reply.
   * @returns The peers that may be connected to.
   */
  judgePeers(peers: readonly Endpoint[], from: string): readonly Endpoint[] {
    const floor = this.#networks.reachOf(from);
    return peers.filter((peer) => {
      const { address } = peer;
      if (this.refusalOf(address) !== undefined) return false;
      const reach = this.#networks.reachOf(address);
      if (reach === REACH.world) return true;
      const allowed = reach !== REACH.nowhere && reach >= floor;
      if (allowed) this.#vouch(formatEndpoint(peer));
      else this.#noteRefused(peer);
      return allowed || this.#trusted.has(formatEndpoint(peer));
    });
  }

  /** Like `allowPeer`, for a peer about to be connected to; it records a refusal. */
  admitPeer(peer: Endpoint): boolean {
    const allowed = this.allowPeer(peer);
    if (!allowed && this.refusalOf(peer.address) === undefined) this.#noteRefused(peer);
    return allowed;
  }

  /** Addresses of some of the peers that were refused and still are. */
  get refused(): readonly string[] {
    const refused = [...this.#refused].filter(([, peer]) => !this.allowPeer(peer));
    return refused.map(([address]) => address);
  }

  /** Decides whether a peer may be connected to. */
  allowPeer(peer: Endpoint): boolean {
    if (this.refusalOf(peer.address) !== undefined) return false;
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
