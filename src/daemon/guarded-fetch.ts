import { lookup } from "node:dns/promises";
import { NodeHttpFetch } from "../platform/http-fetch.ts";
import { PlatformError } from "../platform/platform-error.ts";
import type { HttpFetch, HttpReply } from "../ports/net.ts";
import { nearestOf, REACH, type Reach, reachOf } from "../base/address-reach.ts";

export interface GuardedFetchOptions {
  readonly userAgent: string;
  /**
   * What may be asked for at addresses that strangers do not reach: everything, when the person named the URL;
   * where trackers answer, when a torrent did.
   */
  readonly nearPages: "all" | "announce";
  /** Told after a reply where it came from, the farthest address that may have sent it. */
  readonly onReply?: ((host: string, reach: Reach) => void) | undefined;
  /** Addresses of a name, none when there is no such name; the system's when absent. */
  readonly lookUp?: ((host: string) => Promise<readonly string[]>) | undefined;
  /** Makes what fetches, from a test for addresses; `NodeHttpFetch` when absent. */
  readonly makeFetch?: ((allowAddress: (address: string) => boolean) => HttpFetch) | undefined;
}

/** Trackers written in PHP and the like have an ending. */
const ANNOUNCE_PAGE = /^announce(\.[a-z]+)?$/;

/**
 * Fetches over HTTP for a command (house rule 8, HUB-7). A redirect leads no nearer than it came from. Of a
 * name with near and far addresses only the near ones are asked: the far one could speak for the near one.
 */
export class GuardedFetch implements HttpFetch {
  readonly #options: GuardedFetchOptions;

  constructor(options: GuardedFetchOptions) {
    this.#options = options;
  }

  /** @throws {PlatformError} As `NodeHttpFetch`; `address-refused`. */
  async get(url: string, limits: Parameters<HttpFetch["get"]>[1]): Promise<HttpReply> {
    const { userAgent, lookUp = lookUpName, onReply } = this.#options;
    const host = hostOf(url);
    const found = await lookUp(host);
    const near = nearestOf(found);
    this.#refusePage(url, near.reach);
    const far = found.filter((address) => !near.addresses.includes(address));
    let farthest = near.reach;
    const allowAddress = (address: string): boolean => {
      const reach = reachOf(address);
      if (reach < near.reach || far.includes(address)) return false;
      if (reach > farthest) farthest = reach;
      return true;
    };
    const makeFetch = this.#options.makeFetch ?? defaultFetch(userAgent);
    const reply = await makeFetch(allowAddress).get(url, limits);
    onReply?.(host, farthest);
    return reply;
  }

  #refusePage(url: string, reach: Reach): void {
    if (this.#options.nearPages === "all" || reach === REACH.world) return;
    if (new URL(url).pathname.split("/").some((name) => ANNOUNCE_PAGE.test(name))) return;
    throw new PlatformError(
      "address-refused",
      `${hostOf(url)} is in your own network: a torrent may name no other page of it than /announce`,
    );
  }
}

/** The host of a URL as a key: brackets of IPv6 taken off, in lower case. Empty when there is none. */
export function hostOf(url: string): string {
  const host = URL.parse(url)?.hostname ?? "";
  return host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
}

function defaultFetch(userAgent: string) {
  return (allowAddress: (address: string) => boolean): HttpFetch =>
    new NodeHttpFetch({ userAgent, allowAddress });
}

async function lookUpName(host: string): Promise<readonly string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    // Whoever fetches next finds the same and says it.
    if (error instanceof Error && "code" in error) return [];
    throw error;
  }
}
