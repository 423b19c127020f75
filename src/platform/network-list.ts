import { BlockList } from "node:net";
import { formatAddress } from "../base/endpoint.ts";

/**
 * @param networks - Addresses, and networks like "192.168.1.0/24".
 * @returns Whether an address of 4 or 16 bytes lies in one of them.
 */
export function networkList(networks: readonly string[]): (address: Uint8Array) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const family = address.includes(":") ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => list.check(formatAddress(address), address.length === 4 ? "ipv4" : "ipv6");
}
