import { nearestOf, REACH, type Reach, reachOf } from "../base/address-reach.ts";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import { networkList } from "../base/network-list.ts";

/**
 * An address of this machine, and its network as "ADDRESS/BITS"; null when the system does not
 * provide it.
 */
export interface OwnInterface {
  readonly address: string;
  readonly cidr: string | null;
}

/** How long a list of interfaces is trusted; interfaces come and go. */
const KEPT_MS = 10_000;
/**
 * A wider network than this on an interface is a tunnel for all traffic, and not a neighbourhood.
 */
const BITS_MIN = 8;

interface Known {
  readonly machine: ReadonlySet<string>;
  readonly isNeighbour: (address: Uint8Array) => boolean;
  readonly atMs: number;
}

/**
 * Decides how far addresses are from this machine, taking its own interfaces into account (HUB-44).
 * With IPv6 every machine at home has a global address; a neighbour's still leads into our own
 * network, and our own to this machine, past the firewall that keeps strangers out.
 */
export class OwnNetworks {
  readonly #interfaces: () => readonly OwnInterface[];
  readonly #nowMs: () => number;
  readonly #reachOfStandIn: (address: string) => Reach | undefined;
  #known: Known | undefined;

  /** @param reachOfStandIn - Of addresses that stand for names, which a proxy resolves. */
  constructor(
    interfaces: () => readonly OwnInterface[],
    nowMs: () => number,
    reachOfStandIn: (address: string) => Reach | undefined = () => undefined,
  ) {
    this.#interfaces = interfaces;
    this.#nowMs = nowMs;
    this.#reachOfStandIn = reachOfStandIn;
  }

  /** Like `reachOf` of `base/`, never farther. */
  reachOf(address: string): Reach {
    const standsFor = this.#reachOfStandIn(address);
    if (standsFor !== undefined) return standsFor;
    const reach = reachOf(address);
    const bytes = addressBytes(address.replace(/%.*$/, ""));
    if (!bytes || reach === REACH.nowhere || reach === REACH.machine) return reach;
    const { machine, isNeighbour } = this.#look();
    if (machine.has(formatAddress(bytes))) return REACH.machine;
    return isNeighbour(bytes) ? REACH.network : reach;
  }

  /** Like `nearestOf` of `base/`. */
  nearestOf(addresses: readonly string[]): ReturnType<typeof nearestOf> {
    return nearestOf(addresses, (address) => this.reachOf(address));
  }

  #look(): Known {
    const nowMs = this.#nowMs();
    if (this.#known && nowMs - this.#known.atMs < KEPT_MS) return this.#known;
    const own = this.#interfaces();
    const addresses = own.flatMap(({ address }) => {
      const bytes = addressBytes(address.replace(/%.*$/, ""));
      return bytes ? [formatAddress(bytes)] : [];
    });
    this.#known = {
      machine: new Set(addresses),
      isNeighbour: networkList(own.flatMap(({ cidr }) => neighbourhoodOf(cidr) ?? [])),
      atMs: nowMs,
    };
    return this.#known;
  }
}

function neighbourhoodOf(cidr: string | null): string | undefined {
  const [address = "", bits = ""] = (cidr ?? "").split("/");
  const plain = address.replace(/%.*$/, "");
  if (!addressBytes(plain) || !/^[0-9]{1,3}$/.test(bits)) return undefined;
  const isOne = Number(bits) >= (plain.includes(":") ? 128 : 32);
  return isOne || Number(bits) < BITS_MIN ? undefined : `${plain}/${bits}`;
}
