import { REACH, type Reach } from "../base/address-reach.ts";
import type { HopJudge, HttpFetch, HttpReply } from "../ports/net.ts";
import type { OwnNetworks } from "./own-networks.ts";

/** Makes what fetches. `lenient` reads answers as trackers give them. */
export type MakeFetch = (how: { readonly judge: HopJudge; readonly lenient: boolean }) => HttpFetch;

export interface GuardedFetchOptions {
  /**
   * What may be asked for at addresses that strangers do not reach: everything, when the person named the URL;
   * where trackers answer, when a torrent did.
   */
  readonly nearPages: "all" | "announce";
  readonly lenient: boolean;
  /** What is near. */
  readonly networks: OwnNetworks;
  readonly makeFetch: MakeFetch;
}

/**
 * Where a tracker answers: `/announce`, and `/KEY/announce` where private trackers put a member's key. Trackers
 * in PHP and the like have an ending. No other element may stand before it: a program takes what follows its
 * own name as an argument (`/cgi-bin/reboot.cgi/announce`).
 */
const ANNOUNCE_PATH = /^(\/[0-9A-Za-z_-]{16,128})?\/announce(\.[a-z]{1,5})?\/?$/;

/**
 * Fetches over HTTP for a command (house rule 8, HUB-7). Every hop is judged, redirects as the first URL: each
 * host is looked up once, and the connection goes to the addresses that were judged. A redirect leads no nearer
 * than it came from. Of a name with near and far addresses only the near ones are asked: the far one could
 * speak for the near one.
 */
export class GuardedFetch implements HttpFetch {
  readonly #options: GuardedFetchOptions;

  constructor(options: GuardedFetchOptions) {
    this.#options = options;
  }

  /** As the fetch that was given; refuses hops, too. */
  get(url: string, limits: Parameters<HttpFetch["get"]>[1]): Promise<HttpReply> {
    const { nearPages, lenient, networks, makeFetch } = this.#options;
    return makeFetch({ lenient, judge: hopJudge(nearPages, networks) }).get(url, limits);
  }
}

/** @returns A judge of the hops of one fetch, in their order. */
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
