import { REACH, reachOfBytes } from "../base/address-reach.ts";
import { toHex } from "../base/bytes.ts";
import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import { endpointKey } from "./contact.ts";

/** What one owner is likely to hold: an address, and a network of addresses. */
export interface Owner {
  /** One entry of a table for each of these. */
  readonly place: string;
  /** A few entries of a bucket for each of these; `undefined` where networks are not counted. */
  readonly network: string | undefined;
}

/**
 * Says what counts as one owner (DHT-3). In the world that is an address, and a network of 256 IPv4 addresses or an IPv6
 * network of 64 bits. In a network that strangers do not reach it is an address. On this machine, where programs share
 * one address, it is an address and a port.
 */
export function ownerOf(endpoint: Endpoint): Owner {
  const bytes = addressBytes(endpoint.address);
  const reach = bytes ? reachOfBytes(bytes) : REACH.nowhere;
  if (!bytes || reach === REACH.machine)
    return { place: endpointKey(endpoint), network: undefined };
  if (reach !== REACH.world) return { place: endpoint.address, network: undefined };
  return { place: endpoint.address, network: toHex(bytes.subarray(0, bytes.length === 4 ? 3 : 8)) };
}
