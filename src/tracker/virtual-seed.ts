import { addressBytes } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { Asker, VirtualSeed } from "./tracker.ts";
import { REACH, type Reach, reachOfBytes } from "../base/address-reach.ts";

/** Asking the system for its addresses takes ten times as long as answering an announce. */
const KEPT_MS = 10_000;

/** The leading bits that tell one block of private addresses from another. */
const PRIVATE_BITS = 8;

interface OwnAddress {
  readonly bytes: Uint8Array;
  readonly reach: Reach;
}

/** Where the engine listens, and how the outside reaches it when a router stands between. */
export interface SeedPlace {
  readonly host: string;
  readonly port: number;
  /** Addresses that lead here from outside. */
  readonly outside: () => readonly Uint8Array[];
  /** The port there, where a router maps it to another number. */
  readonly outerPort?: (() => number | undefined) | undefined;
}

/**
 * Picks an address of the everseed that the asker can reach: the address that received the request,
 * or one of this machine's. Among several it picks one with the asker's reach that shares the
 * longest prefix with it. An asker from the internet is not sent into our network, nor an asker
 * from the network to a bridge of containers. A machine without a public address is named by its
 * router's.
 *
 * @param ownAddresses - This machine's addresses, as text.
 */
export function virtualSeed(
  place: SeedPlace,
  clock: Pick<Clock, "nowMs">,
  ownAddresses: () => readonly string[],
): VirtualSeed {
  const { host, port, outside } = place;
  const fixed = host === "0.0.0.0" || host === "::" ? undefined : addressBytes(host);
  let own: readonly OwnAddress[] = [];
  let ownAtMs = Number.NEGATIVE_INFINITY;
  const fromOutside = (asker: Asker): Uint8Array | undefined => {
    if (reachOfBytes(asker.address) !== REACH.world) return undefined;
    return outside().find(
      (address) => address.length === asker.address.length && reachOfBytes(address) === REACH.world,
    );
  };
  const found = (
    inside: Uint8Array | undefined,
    asker: Asker,
  ): ReturnType<VirtualSeed["reachedFrom"]> => {
    const isOut = inside && reachOfBytes(inside) === REACH.world;
    const outer = isOut ? undefined : fromOutside(asker);
    if (outer) return { address: outer, port: place.outerPort?.() ?? port };
    return inside && { address: inside, port };
  };
  return {
    reachedFrom(asker) {
      if (fixed) return found(fixed, asker);
      if (clock.nowMs() - ownAtMs > KEPT_MS) {
        own = ownAddresses().flatMap((address) => ownAddress(addressBytes(address)) ?? []);
        ownAtMs = clock.nowMs();
      }
      return found(addressFor(asker, own), asker);
    },
  };
}

function addressFor({ address, local }: Asker, own: readonly OwnAddress[]): Uint8Array | undefined {
  const arrivedAt = ownAddress(local);
  const reach = reachOfBytes(address);
  const reachable = [...(arrivedAt ? [arrivedAt] : []), ...own].filter(
    (each) =>
      each.bytes.length === address.length &&
      (each.reach === REACH.machine) === (reach === REACH.machine),
  );
  // The asker has just reached this address. It may have reached a nearer one only through a router
  // or a proxy.
  if (arrivedAt && reachable.includes(arrivedAt) && arrivedAt.reach >= reach) return local;
  const closest = reachable
    .filter((each) => each.reach === reach)
    .map(({ bytes }) => ({ bytes, shared: sharedBits(bytes, address) }))
    .reduce((best, each) => (each.shared > best.shared ? each : best), {
      bytes: local,
      shared: -1,
    });
  // Two private networks with no common prefix, such as 10.0.0.0/8 and a bridge of containers,
  // cannot reach each other.
  if (closest.shared >= (reach === REACH.network ? PRIVATE_BITS : 0)) return closest.bytes;
  return (reachable.find((each) => each.reach === REACH.world) ?? reachable[0])?.bytes;
}

/** The number of equal leading bits. */
function sharedBits(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at === -1 ? one.length * 8 : at * 8 + Math.clz32(one[at]! ^ other[at]!) - 24;
}

function ownAddress(bytes: Uint8Array | undefined): OwnAddress | undefined {
  return bytes && { bytes, reach: reachOfBytes(bytes) };
}
