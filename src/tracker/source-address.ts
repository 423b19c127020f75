import { REACH, reachOfBytes } from "../base/address-reach.ts";
import { addressBytes } from "../base/endpoint.ts";

/**
 * Whose address an announce is about, when the one it came from may name another: a peer behind our own
 * router knows how the world sees it. Anything but a public address is not believed (TRK-1).
 *
 * @param claimed - Text of `ip=`; empty when nothing is claimed.
 * @param source - 4 or 16 bytes, where the announce came from.
 */
export function believedAddress(claimed: string, source: Uint8Array): Uint8Array {
  const address = claimed === "" ? undefined : addressBytes(claimed);
  return address && reachOfBytes(address) === REACH.world ? address : source;
}
