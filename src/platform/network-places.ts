import { REACH, reachOf } from "../base/address-reach.ts";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { networkList } from "../base/network-list.ts";
import { type DefaultRoute, defaultRoutes } from "./default-routes.ts";
import { networkInterfaces } from "node:os";

/** An address of this machine in a network, and the router of that network. */
export interface NetworkPlace {
  readonly address: string;
  /** `undefined` where the system does not tell it. */
  readonly gateway: string | undefined;
}

/** An interface's address, as the system tells it. */
export interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
  readonly cidr: string | null;
}

/**
 * Where this machine is, and which router stands between it and the world.
 *
 * @param host - The address that peers connect to; a fixed one decides where we are.
 */
export function networkPlaces(host: string): {
  readonly ipv4: NetworkPlace | undefined;
  readonly ipv6: NetworkPlace | undefined;
} {
  const own = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).map(({ address, cidr }) => ({ name, address, cidr })),
  );
  const routes = defaultRoutes();
  return {
    ipv4: placeIn(own, { family: 4, host, route: routes.ipv4 }),
    ipv6: placeIn(own, { family: 6, host, route: routes.ipv6 }),
  };
}

/** Picks our address in the network of the default router. */
export function placeIn(
  own: readonly InterfaceAddress[],
  how: {
    readonly family: 4 | 6;
    readonly host: string;
    readonly route: DefaultRoute | undefined;
  },
): NetworkPlace | undefined {
  const { family, host, route } = how;
  const isEverybody = host === "::" || (host === "0.0.0.0" && family === 4);
  const usable = own.filter(({ address }) => {
    const reach = reachOf(address);
    if (address.includes(":") !== (family === 6)) return false;
    // With IPv6 the router opens its firewall for an address of the world; others need no hole.
    if (reach === REACH.machine || (family === 6 && reach !== REACH.world)) return false;
    return isEverybody || formatted(address) === formatted(host);
  });
  const near = usable.find(({ name, cidr }) => {
    if (route?.interface !== name) return false;
    // An interface may have several addresses: ours is in the network of the router.
    const gateway = addressBytes(route.gateway.replace(/%.*$/, ""));
    return family === 6 || (cidr !== null && gateway && networkList([cidr])(gateway));
  });
  const chosen = near ?? usable.find(({ name }) => name === route?.interface) ?? usable[0];
  if (!chosen) return undefined;
  const isBehind = route?.interface === chosen.name;
  return { address: chosen.address, gateway: isBehind ? route.gateway : undefined };
}

function formatted(address: string): string {
  const bytes = addressBytes(address.replace(/%.*$/, ""));
  return bytes ? formatAddress(bytes) : address;
}
