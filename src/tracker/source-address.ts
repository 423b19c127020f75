import { REACH, reachOfBytes } from "../base/address-reach.ts";
import { addressBytes } from "../base/endpoint.ts";

/**
 * Decides which address an announce is about when its sender may name another: a peer behind our
 * own router knows its public address. Only a public address is believed (TRK-1).
 *
 * @param claimed - The text of `ip=`; empty when absent.
 * @param source - 4 or 16 bytes: the sender of the announce.
 */
export function believedAddress(claimed: string, source: Uint8Array): Uint8Array {
  const address = claimed === "" ? undefined : addressBytes(claimed);
  return address && reachOfBytes(address) === REACH.world ? address : source;
}
