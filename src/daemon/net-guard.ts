import type { Endpoint } from "../base/endpoint.ts";
import type { DatagramNet, HttpFetch } from "../ports/net.ts";
import { nearestOf, REACH, reachOf } from "../base/address-reach.ts";
import { GuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";

export interface NetGuardOptions extends Pick<
  GuardedFetchOptions,
  "userAgent" | "lookUp" | "makeFetch"
> {
  readonly datagrams: DatagramNet;
}

/** Enough to tell a person; a hostile tracker names more. */
const REFUSED_KEPT = 3;

/** Near addresses that trackers vouch for; the oldest is forgotten when there are more. */
const VOUCHED_MAX = 10_000;

/**
 * The guard of connections that a torrent leads to (house rule 8). It comes from strangers, but the program that
 * reads it runs inside: what it names may not lead to where strangers cannot go themselves.
 *
 * - Peers that the person names may be anywhere.
 * - A tracker may be anywhere, because a hub at home is; one that is near is asked for nothing but announces.
 * - Peers that a tracker names may be as near as the address this reply came from, no nearer. A handshake
 *   carries 20 bytes that whoever made the link chose: enough for a command to some service on this machine.
 */
export class NetGuard {
  /** To trackers. */
  readonly http: HttpFetch;
  /** To trackers. */
  readonly datagrams: DatagramNet;
  readonly #trusted = new Set<string>();
  readonly #refused = new Set<string>();
  /** Near addresses of peers in replies that came from as near, in the order of their coming. */
  readonly #vouched = new Set<string>();

  constructor(options: NetGuardOptions) {
    const { datagrams } = options;
    this.http = new GuardedFetch({ ...options, nearPages: "announce" });
    this.datagrams = {
      bind: (bindOptions) => datagrams.bind(bindOptions),
      resolve: async (host) => nearestOf(await datagrams.resolve(host)).addresses,
    };
  }

  /** @param address - Of a peer that the person names. */
  trust(address: string): void {
    this.#trusted.add(address);
  }

  /**
   * Judges the peers of one reply.
   *
   * @param from - The address that the reply came from.
   * @returns Those that may be connected to.
   */
  judgePeers(peers: readonly Endpoint[], from: string): readonly Endpoint[] {
    const floor = reachOf(from);
    return peers.filter(({ address }) => {
      const reach = reachOf(address);
      if (reach === REACH.world) return true;
      const allowed = reach !== REACH.nowhere && reach >= floor;
      if (allowed) this.#vouch(address);
      else this.#noteRefused(address);
      return allowed || this.#trusted.has(address);
    });
  }

  /** As `allowPeer`, of somebody who is going to be connected to. */
  admitPeer(address: string): boolean {
    const allowed = this.allowPeer(address);
    if (!allowed) this.#noteRefused(address);
    return allowed;
  }

  /** Some of the peers that would have been connected to, and still may not be. */
  get refused(): readonly string[] {
    return [...this.#refused].filter((address) => !this.allowPeer(address));
  }

  /** Whether a peer may be connected to. */
  allowPeer(address: string): boolean {
    if (this.#trusted.has(address) || this.#vouched.has(address)) return true;
    return reachOf(address) === REACH.world;
  }

  #vouch(address: string): void {
    this.#vouched.delete(address);
    this.#vouched.add(address);
    if (this.#vouched.size <= VOUCHED_MAX) return;
    const [oldest] = this.#vouched;
    this.#vouched.delete(oldest!);
  }

  #noteRefused(address: string): void {
    if (this.#refused.size < REFUSED_KEPT) this.#refused.add(address);
  }
}
