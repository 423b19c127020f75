import type { Reach } from "../base/address-reach.ts";
import { VERSION } from "../base/version.ts";
import { GuardedFetch, type MakeFetch } from "../guard/guarded-fetch.ts";
import { OwnNetworks } from "../guard/own-networks.ts";
import type { OpenRangeLine } from "../guard/web-seed-guard.ts";
import { NodeHttpFetch, type NodeHttpFetchOptions } from "../platform/http-fetch.ts";
import { openRangeLine } from "../platform/node-web-ranges.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import type { HttpFetch } from "../ports/net.ts";

/**
 * Opens a fetcher for a URL that the user names: any page is allowed, and no redirect may lead
 * nearer (house rule 8).
 */
export function openFetch(
  { makeFetch, networks } = { makeFetch: fetchMaker(), networks: ownNetworks() },
): HttpFetch {
  return new GuardedFetch({ nearPages: "all", lenient: false, networks, makeFetch });
}

/** Another way to servers than the system's. */
export type HttpWay = Pick<NodeHttpFetchOptions, "openSocket" | "lookUp">;

export function fetchMaker(way: HttpWay = {}): MakeFetch {
  const userAgent = ourName();
  return (how) => new NodeHttpFetch({ ...how, ...way, userAgent });
}

export function rangeLineOpener(way: HttpWay = {}): OpenRangeLine {
  const userAgent = ourName();
  return (judgeHops) => openRangeLine({ ...way, userAgent }, judgeHops);
}

function ourName(): string {
  return `Everseed/${VERSION}`;
}

/** @param reachOfStandIn - Of addresses that stand for names, which a proxy resolves. */
export function ownNetworks(reachOfStandIn?: (address: string) => Reach | undefined): OwnNetworks {
  return new OwnNetworks(ownInterfaces, () => performance.now(), reachOfStandIn);
}
