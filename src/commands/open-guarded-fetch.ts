import { GuardedFetch } from "../guard/guarded-fetch.ts";
import { OwnNetworks } from "../guard/own-networks.ts";
import { NodeHttpFetch } from "../platform/http-fetch.ts";
import { ownInterfaces } from "../platform/own-interfaces.ts";
import { everseedVersion } from "../platform/version.ts";
import type { HttpFetch } from "../ports/net.ts";

/** Opens what fetches a URL that a person names: any page, and no redirect leads nearer. */
export function openGuardedFetch(): HttpFetch {
  const userAgent = `Everseed/${everseedVersion()}`;
  return new GuardedFetch({
    nearPages: "all",
    lenient: false,
    networks: new OwnNetworks(ownInterfaces, () => performance.now()),
    makeFetch: (how) => new NodeHttpFetch({ ...how, userAgent }),
  });
}
