import { NatError } from "./nat-error.ts";
import { ownUrl } from "./router-url.ts";
import { elementsOf, readXml, textOf } from "./xml-reader.ts";

/** The services that map ports. */
export const MAPPING_SERVICE =
  /^urn:schemas-upnp-org:service:(?:WANIPConnection:[12]|WANPPPConnection:1)$/;
/** The service that opens the firewall for IPv6. */
export const PINHOLE_SERVICE = /^urn:schemas-upnp-org:service:WANIPv6FirewallControl:1$/;
/** Services of one device that are tried: one with WAN over IP and over PPP has both, and only one is connected. */
const SERVICES_MAX = 4;

/** A service of a router. */
export interface IgdService {
  /** `urn:schemas-upnp-org:service:WANIPConnection:1` and the like. */
  readonly type: string;
  readonly controlUrl: string;
}

/**
 * Reads the description of a router.
 *
 * @param from.location - The URL of the description.
 * @param from.address - Of the device: services elsewhere are left out.
 * @param types - Of the services that are of use.
 * @returns These services; at least one, in the order of the document.
 * @throws {NatError} `bad-xml`; `bad-answer` when there is none.
 */
export function readDescription(
  bytes: Uint8Array,
  from: { readonly location: string; readonly address: string },
  types = MAPPING_SERVICE,
): readonly IgdService[] {
  const root = readXml(bytes);
  const named = textOf(root, "urlbase");
  const base = named === "" ? undefined : ownUrl(named, from.address);
  const services: IgdService[] = [];
  for (const service of elementsOf(root, "service")) {
    const type = textOf(service, "servicetype");
    const path = textOf(service, "controlurl");
    const url = ownUrl(path, from.address, base?.href ?? from.location);
    if (!types.test(type) || path === "" || !url || services.length === SERVICES_MAX) continue;
    services.push({ type, controlUrl: url.href });
  }
  if (services.length === 0) throw new NatError("bad-answer", "no service of it is of use");
  return services;
}
