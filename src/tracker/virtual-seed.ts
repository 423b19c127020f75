import { addressBytes } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { Asker, VirtualSeed } from "./tracker.ts";
import { REACH, type Reach, reachOfBytes } from "../base/address-reach.ts";

/** Asking the system for its addresses takes ten times as long as answering an announce. */
const KEPT_MS = 10_000;

/** What tells one block of private addresses from another. */
const PRIVATE_BITS = 8;

interface OwnAddress {
  readonly bytes: Uint8Array;
  readonly reach: Reach;
}

/** Where the engine listens, and how the world reaches it when a router stands between. */
export interface SeedPlace {
  readonly host: string;
  readonly port: number;
  /** Addresses that lead here from outside. */
  readonly outside: () => readonly Uint8Array[];
}

/**
 * The everseed at an address its asker can reach: where the question arrived, or what this machine has. Of
 * several, one as far out as the asker and closest to it: who asks from the world is not sent into our network,
 * and who asks from a network not to the bridge of containers. A machine without an address in the world is
 * found at that of its router.
 *
 * @param ownAddresses - Of this machine, in text.
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
    const address = isOut ? inside : (fromOutside(asker) ?? inside);
    return address && { address, port };
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
  return bytes && { bytes, reach: reachOfBytes(bytes) };
}
