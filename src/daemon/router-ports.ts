import { REACH } from "../base/address-reach.ts";
import type { RouterServiceOptions } from "../nat/router-service.ts";
import { networkPlaces } from "../platform/network-places.ts";
import { RouterCalls } from "../platform/router-calls.ts";
import { ownNetworks } from "./open-fetch.ts";

/**
 * What a router is asked through, and where this machine is.
 *
 * @param host - Where we listen for peers.
 */
export function routerPorts(
  host: string,
): Pick<RouterServiceOptions, "calls" | "places" | "isNear"> {
  const networks = ownNetworks();
  return {
    calls: new RouterCalls(),
    places: () => networkPlaces(host),
    // Not this machine: what runs here is no router of ours.
    isNear: (address) => networks.reachOf(address) === REACH.network,
  };
}
