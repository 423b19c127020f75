import { REACH, reachOfBytes } from "../../base/address-reach.ts";
import { addressBytes } from "../../base/endpoint.ts";
import { addressKey, machineKey, networkKey, type PeerAddress } from "../../base/peer-address.ts";
import type { EngineSettings } from "../session-contract.ts";

/** The part of all connections that one local network may hold: a household or a campus may be the whole swarm. */
const LOCAL_SHARE = 3 / 4;
/** Connections that one network may open in a burst (as many as it may hold), and per second after that. */
const ACCEPTS_PER_SECOND = 20;

interface Network {
  open: number;
  /** Connections that it may still open now. */
  tokens: number;
  tokensAtMs: number;
}

/** The limits of `EngineSettings` that concern a crowd. */
export type CrowdLimits = Pick<
  EngineSettings,
  "connectionsMax" | "connectionsPerAddressMax" | "connectionsPerNetworkMax"
>;

/**
 * Counts connections by address and by network, so that nobody can take all of them with many addresses (WIR-20).
 * `networkKey` says what a network is. An IPv6 /64 counts as one machine.
 */
export class Crowd {
  readonly #limits: CrowdLimits;
  readonly #byAddress = new Map<string, number>();
  readonly #networks = new Map<string, Network>();
  #open = 0;

  constructor(limits: CrowdLimits) {
    this.#limits = limits;
  }

  /** All connections. */
  get open(): number {
    return this.#open;
  }

  get isFull(): boolean {
    return this.#open >= this.#limits.connectionsMax;
  }

  /** Whether the address and its network may have one more connection, whichever side opens it. */
  mayConnect(address: PeerAddress): boolean {
    const place = placeOf(address);
    if (!place) return false;
    const own = this.#byAddress.get(place.machine) ?? 0;
    if (own >= this.#limits.connectionsPerAddressMax) return false;
    return (this.#networks.get(place.network)?.open ?? 0) < this.#networkMax(place);
  }

  /** Like `mayConnect`, for a connection that the other side opens; the call counts against its rate. */
  mayAccept(address: PeerAddress, now: number): boolean {
    const place = placeOf(address);
    if (!place || !this.mayConnect(address)) return false;
    const network = this.#networkOf(place, now);
    const refilled = network.tokens + ((now - network.tokensAtMs) / 1000) * ACCEPTS_PER_SECOND;
    network.tokens = Math.min(this.#networkMax(place), refilled);
    network.tokensAtMs = now;
    if (network.tokens < 1) return false;
    network.tokens -= 1;
    return true;
  }

  /** A connection was opened, or has ended. */
  count(address: PeerAddress, change: 1 | -1, now: number): void {
    const place = placeOf(address)!;
    this.#open += change;
    const own = (this.#byAddress.get(place.machine) ?? 0) + change;
    if (own > 0) this.#byAddress.set(place.machine, own);
    else this.#byAddress.delete(place.machine);
    this.#networkOf(place, now).open += change;
  }

  /** A network without connections is forgotten when it has opened none for long enough. */
  tick(now: number): void {
    for (const [name, { open, tokens, tokensAtMs }] of this.#networks) {
      const refilled = tokens + ((now - tokensAtMs) / 1000) * ACCEPTS_PER_SECOND;
      if (open === 0 && refilled >= this.#limits.connectionsMax) this.#networks.delete(name);
    }
  }

  #networkOf(place: Place, now: number): Network {
    const known = this.#networks.get(place.network);
    const network = known ?? { open: 0, tokens: this.#networkMax(place), tokensAtMs: now };
    if (!known) this.#networks.set(place.network, network);
    return network;
  }

  #networkMax({ local }: Place): number {
    const { connectionsMax, connectionsPerNetworkMax } = this.#limits;
    const share = Math.ceil(connectionsMax * LOCAL_SHARE);
    return local ? Math.max(share, connectionsPerNetworkMax) : connectionsPerNetworkMax;
  }
}

/**
 * @param peers - In the order in which they connected.
 * @returns The newest peer of the network that has most of them, if it has at least two more than the newcomer's
 *   network.
 */
export function mostCrowded<Peer>(
  peers: readonly { readonly peer: Peer; readonly network: string }[],
  newcomer: string,
): Peer | undefined {
  const counts = new Map<string, number>();
  for (const { network } of peers) counts.set(network, (counts.get(network) ?? 0) + 1);
  let victim: Peer | undefined;
  let most = (counts.get(newcomer) ?? 0) + 1;
  for (const { peer, network } of peers) {
    const count = counts.get(network)!;
    if (network === newcomer || count < most || (count === most && !victim)) continue;
    most = count;
    victim = peer;
  }
  return victim;
}

interface Place {
  readonly network: string;
  /** Of `machineKey`. */
  readonly machine: string;
  /** No stranger on the Internet can have such an address. */
  readonly local: boolean;
}

function placeOf(address: PeerAddress): Place | undefined {
  const network = networkKey(address);
  if (network === undefined) return undefined;
  switch (address.kind) {
    case "tcp":
    case "utp": {
      const bytes = addressBytes(address.endpoint.address)!;
      const reach = reachOfBytes(bytes);
      const local = reach === REACH.machine || reach === REACH.network;
      return { network, machine: machineKey(address), local };
    }
    case "webrtc":
      return { network, machine: addressKey(address), local: false };
  }
}
