import { REACH, type Reach } from "../base/address-reach.ts";
import type { HopJudge, HttpFetch, HttpReply } from "../ports/net.ts";
import type { OwnNetworks } from "./own-networks.ts";

/** Makes a fetcher. `lenient` also reads malformed replies, as trackers send them. */
export type MakeFetch = (how: { readonly judge: HopJudge; readonly lenient: boolean }) => HttpFetch;

export interface GuardedFetchOptions {
  /**
   * The pages that may be fetched from addresses strangers cannot reach: all of them when the user
   * named the URL, only tracker paths when a torrent named it.
   */
  readonly nearPages: "all" | "announce";
  readonly lenient: boolean;
  /** The pages allowed at near addresses. */
  readonly networks: OwnNetworks;
  readonly makeFetch: MakeFetch;
}

/**
 * Paths of a tracker: `/announce`, and `/KEY/announce` where private trackers put a member's key.
 * Trackers in PHP and the like have an extension. No other element may come before it, because a
 * program treats the path after its own name as an argument (`/cgi-bin/reboot.cgi/announce`).
 */
const ANNOUNCE_PATH = /^(\/[0-9A-Za-z_-]{16,128})?\/announce(\.[a-z]{1,5})?\/?$/;

/**
 * Fetches over HTTP for a command (house rule 8, HUB-7). Every hop is judged, redirects like the
 * first URL: each host is resolved once, and the connection goes to exactly the judged addresses. A
 * redirect may not lead to a nearer address than the one it came from. If a name has both near and
 * far addresses, only the near ones are used: the far one could otherwise vouch for the near one.
 */
export class GuardedFetch implements HttpFetch {
  readonly #options: GuardedFetchOptions;

  constructor(options: GuardedFetchOptions) {
    this.#options = options;
  }

  /** Fetches like the wrapped fetcher, and refuses hops as well. */
  get(url: string, limits: Parameters<HttpFetch["get"]>[1]): Promise<HttpReply> {
    const { nearPages, lenient, networks, makeFetch } = this.#options;
    return makeFetch({ lenient, judge: hopJudge(nearPages, networks) }).get(url, limits);
  }
}

/** @returns A judge for the hops of one fetch, in order. */
function hopJudge(nearPages: "all" | "announce", networks: OwnNetworks): HopJudge {
  let previous: Reach | undefined;
  return ({ url, addresses }) => {
    const { reach, addresses: nearest } = networks.nearestOf(addresses);
    if (reach === REACH.nowhere) return refused(`${url.hostname} has no address of a machine`);
    if (previous !== undefined && reach < previous) {
      return refused(`a server elsewhere may not send us to ${url.hostname}, in your own network`);
    }
    previous = reach;
    const anyPage = nearPages === "all" || reach === REACH.world;
    if (anyPage || ANNOUNCE_PATH.test(url.pathname)) return nearest;
    return refused(
      `${url.hostname} is in your own network: a torrent may name no other page of it than /announce`,
    );
  };
}

function refused(why: string): { readonly refused: string } {
  return { refused: why };
}
