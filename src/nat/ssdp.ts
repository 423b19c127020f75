import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { NatError } from "./nat-error.ts";

/** Where devices of UPnP listen, in multicast. */
export const SSDP_PLACE: Endpoint = { address: "239.255.255.250", port: 1900 };
/** The same for IPv6, on the link (UPnP Device Architecture, annex A). */
export const SSDP_PLACE_IPV6: Endpoint = { address: "ff02::c", port: 1900 };
/** Seconds within which a device answers a search. */
export const ANSWER_SECONDS_MAX = 2;

/** Bytes of an answer; real ones have 300 to 600. */
const ANSWER_BYTES_MAX = 2048;
const URL_LENGTH_MAX = 512;

/** What is searched for: routers of both versions of the standard. */
export const SEARCH_TARGETS = [
  "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
  "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
  "urn:schemas-upnp-org:service:WANIPConnection:1",
] as const;

/** What is searched for over IPv6: routers that may have a firewall to open. */
export const PINHOLE_SEARCH_TARGETS = [
  "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
  "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
  "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1",
] as const;

const ROUTER_KIND =
  /InternetGatewayDevice|WANIPConnection|WANPPPConnection|WANIPv6FirewallControl/i;

/** The answer of a device that says it is a router. */
export interface SsdpAnswer {
  /** The URL of its description, as it is written. */
  readonly location: string;
}

/** @param address - Of the group that is asked. */
export function encodeSearch(target: string, address = SSDP_PLACE.address): Uint8Array {
  const host = address.includes(":") ? `[${address.toUpperCase()}]` : address;
  return fromLatin1(
    `M-SEARCH * HTTP/1.1\r\nHOST: ${host}:${SSDP_PLACE.port}\r\n` +
      `ST: ${target}\r\nMAN: "ssdp:discover"\r\nMX: ${ANSWER_SECONDS_MAX}\r\n\r\n`,
  );
}

/**
 * Decodes one datagram that came after a search.
 *
 * @throws {NatError} `malformed`: no answer to a search, or not that of a router.
 */
export function decodeSsdp(bytes: Uint8Array): SsdpAnswer {
  if (bytes.length > ANSWER_BYTES_MAX) throw malformed("too long");
  const [first = "", ...lines] = toLatin1(bytes).split(/\r?\n/);
  if (!/^HTTP\/1\.[01] 200( |$)/.test(first)) throw malformed("no answer to a search");
  const headers = new Map<string, string>();
  for (const line of lines) {
    if (line === "") break;
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    // The first of two counts, for every reader the same.
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  const kind = `${headers.get("st") ?? ""} ${headers.get("usn") ?? ""}`;
  if (!ROUTER_KIND.test(kind)) throw malformed("no router");
  const location = headers.get("location") ?? "";
  if (location === "" || location.length > URL_LENGTH_MAX) throw malformed("no location");
  return { location };
}

function malformed(why: string): NatError {
  return new NatError("malformed", `an answer of SSDP: ${why}`);
}
