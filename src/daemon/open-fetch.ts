import { GuardedFetch, type MakeFetch } from "../guard/guarded-fetch.ts";
import { OwnNetworks } from "../guard/own-networks.ts";
import type { OpenRangeLine } from "../guard/web-seed-guard.ts";
import { NodeHttpFetch } from "../platform/http-fetch.ts";
import { openRangeLine } from "../platform/node-web-ranges.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import { everseedVersion } from "../platform/version.ts";
import type { HttpFetch } from "../ports/net.ts";

/**
 * Opens a fetcher for a URL that the user names: any page is allowed, and no redirect may lead
 * nearer (house rule 8).
 */
export function openFetch(): HttpFetch {
  const networks = ownNetworks();
  return new GuardedFetch({ nearPages: "all", lenient: false, networks, makeFetch: fetchMaker() });
}

export function fetchMaker(): MakeFetch {
  const userAgent = ourName();
  return (how) => new NodeHttpFetch({ ...how, userAgent });
}

export function rangeLineOpener(): OpenRangeLine {
  const userAgent = ourName();
  return (judgeHops) => openRangeLine({ userAgent }, judgeHops);
}

function ourName(): string {
  return `Everseed/${everseedVersion()}`;
}

export function ownNetworks(): OwnNetworks {
  return new OwnNetworks(ownInterfaces, () => performance.now());
}
