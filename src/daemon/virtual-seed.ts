import { networkInterfaces } from "node:os";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { Asker, VirtualSeed } from "../tracker/tracker.ts";
import { REACH, type Reach, reachOf } from "./address-reach.ts";

/** Asking the system for its addresses takes ten times as long as answering an announce. */
const KEPT_MS = 10_000;

/** What tells one block of private addresses from another. */
const PRIVATE_BITS = 8;

interface OwnAddress {
  readonly bytes: Uint8Array;
  readonly reach: Reach;
}

/**
 * The everseed at an address its asker can reach: where the question arrived, or what this machine has. Of
 * several, one as far out as the asker and closest to it: who asks from the world is not sent into our network,
 * and who asks from a network not to the bridge of containers.
 *
 * @param at - Where the engine listens.
 * @param ownAddresses - Of this machine, in text; the system's when absent.
 */
export function virtualSeed(
  at: { readonly host: string; readonly port: number },
  clock: Pick<Clock, "nowMs">,
  ownAddresses = systemAddresses,
): VirtualSeed {
  const { host, port } = at;
  const fixed = host === "0.0.0.0" || host === "::" ? undefined : addressBytes(host);
  let own: readonly OwnAddress[] = [];
  let ownAtMs = Number.NEGATIVE_INFINITY;
  return {
    reachedFrom(asker) {
      if (fixed) return { address: fixed, port };
      if (clock.nowMs() - ownAtMs > KEPT_MS) {
        own = ownAddresses().flatMap((address) => ownAddress(addressBytes(address)) ?? []);
        ownAtMs = clock.nowMs();
      }
      const address = addressFor(asker, own);
      return address && { address, port };
    },
  };
}

function addressFor({ address, local }: Asker, own: readonly OwnAddress[]): Uint8Array | undefined {
  const arrivedAt = ownAddress(local);
  const reach = reachOf(formatAddress(address));
  const reachable = [...(arrivedAt ? [arrivedAt] : []), ...own].filter(
    (each) =>
      each.bytes.length === address.length &&
      (each.reach === REACH.machine) === (reach === REACH.machine),
  );
  // Whoever asks has just reached it. Nearer ones may have been reached through a router or a proxy.
  if (arrivedAt && reachable.includes(arrivedAt) && arrivedAt.reach >= reach) return local;
  const closest = reachable
    .filter((each) => each.reach === reach)
    .map(({ bytes }) => ({ bytes, shared: sharedBits(bytes, address) }))
    .reduce((best, each) => (each.shared > best.shared ? each : best), {
      bytes: local,
      shared: -1,
    });
  // Two private networks with nothing in common, as 10.0.0.0/8 and the bridge of containers, do not meet.
  if (closest.shared >= (reach === REACH.network ? PRIVATE_BITS : 0)) return closest.bytes;
  return (reachable.find((each) => each.reach === REACH.world) ?? reachable[0])?.bytes;
}

/** How many bits from the first on are the same. */
function sharedBits(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at === -1 ? one.length * 8 : at * 8 + Math.clz32(one[at]! ^ other[at]!) - 24;
}

function ownAddress(bytes: Uint8Array | undefined): OwnAddress | undefined {
  return bytes && { bytes, reach: reachOf(formatAddress(bytes)) };
}

function systemAddresses(): string[] {
  const entries = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return entries.map(({ address }) => address.replace(/%.*$/, ""));
}
