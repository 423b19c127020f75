import type { DatagramNet, HttpFetch } from "../ports/net.ts";
import type { TrackerSource } from "../tracker-client/tracker-client.ts";
import { nearestOf, REACH, type Reach, reachOf } from "../base/address-reach.ts";
import { GuardedFetch, type GuardedFetchOptions, hostOf } from "./guarded-fetch.ts";

export interface NetGuardOptions extends Pick<
  GuardedFetchOptions,
  "userAgent" | "lookUp" | "makeFetch"
> {
  readonly datagrams: DatagramNet;
}

/** Enough to tell a person; a hostile tracker names more. */
const REFUSED_KEPT = 3;

/**
 * The guard of a command's connections (house rule 8). A torrent comes from strangers, but the command that
 * reads it runs inside: what it names may not lead to where strangers cannot go themselves.
 *
 * - Peers that the person names may be anywhere.
 * - A tracker may be anywhere, because a hub at home is; one that is near is asked for nothing but announces.
 * - Peers whom others name may be as near as the nearest tracker that answers, no nearer. A handshake carries
 *   20 bytes that whoever made the link chose: enough for a command to some service on this machine.
 */
export class NetGuard {
  /** To trackers. */
  readonly http: HttpFetch;
  /** To trackers. */
  readonly datagrams: DatagramNet;
  readonly #trusted = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #sources: Pick<TrackerSource, "status">[] = [];
  /** By host of a tracker, where its answer came from. */
  readonly #reaches = new Map<string, Reach>();
  /** What is nearer is refused. Falls as trackers answer. */
  #floor: Reach = REACH.world;

  constructor(options: NetGuardOptions) {
    const { datagrams } = options;
    this.http = new GuardedFetch({
      ...options,
      nearPages: "announce",
      onReply: (host, reach) => this.#reaches.set(host, reach),
    });
    this.datagrams = {
      bind: (bindOptions) => datagrams.bind(bindOptions),
      resolve: async (host) => this.#resolved(host, await datagrams.resolve(host)),
    };
  }

  /** @param address - Of a peer that the person names. */
  trust(address: string): void {
    this.#trusted.add(address);
  }

  /** @param source - Trackers that are asked through this guard. */
  watch(source: Pick<TrackerSource, "status">): void {
    this.#sources.push(source);
  }

  /** As `allowPeer`, of somebody who is going to be connected to. */
  admitPeer(address: string): boolean {
    const allowed = this.allowPeer(address);
    if (!allowed && this.#refused.size < REFUSED_KEPT) this.#refused.add(address);
    return allowed;
  }

  /** Some of the peers that would have been connected to, and still may not be. */
  get refused(): readonly string[] {
    return [...this.#refused].filter((address) => !this.allowPeer(address));
  }

  /** Whether a peer may be connected to. */
  allowPeer(address: string): boolean {
    if (this.#trusted.has(address)) return true;
    const reach = reachOf(address);
    return reach === REACH.world || reach >= this.#currentFloor();
  }

  #currentFloor(): Reach {
    for (const { name, peersGiven } of this.#sources.flatMap((source) => source.status())) {
      // Silence and nonsense are no answer of a tracker.
      if (peersGiven === 0) continue;
      const reach = this.#reaches.get(hostOf(name)) ?? REACH.world;
      if (reach < this.#floor) this.#floor = reach;
    }
    return this.#floor;
  }

  #resolved(host: string, found: readonly string[]): readonly string[] {
    const { reach, addresses } = nearestOf(found);
    this.#reaches.set(host.toLowerCase().replace(/^\[(.*)\]$/, "$1"), reach);
    return addresses;
  }
}
