import { networkInterfaces } from "node:os";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { Asker, VirtualSeed } from "../tracker/tracker.ts";
import { REACH, type Reach, reachOf } from "./address-reach.ts";

/** Asking the system for its addresses takes ten times as long as answering an announce. */
const KEPT_MS = 10_000;

interface OwnAddress {
  readonly bytes: Uint8Array;
  readonly reach: Reach;
}

/**
 * The everseed at an address its asker can reach: where the question arrived, or what this machine has. Of
 * several, one as far out as the asker: who asks from the world is not sent into our network.
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
  return (reachable.find((each) => each.reach === reach) ?? reachable[0])?.bytes;
}

function ownAddress(bytes: Uint8Array | undefined): OwnAddress | undefined {
  return bytes && { bytes, reach: reachOf(formatAddress(bytes)) };
}

function systemAddresses(): string[] {
  const entries = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return entries.map(({ address }) => address.replace(/%.*$/, ""));
}
