import type { Endpoint } from "../base/endpoint.ts";
import { unlessJunk } from "./nat-error.ts";
import { ownUrl } from "./router-url.ts";
import { decodeSsdp } from "./ssdp.ts";

/** A device that answered the search. */
export interface UpnpDevice {
  readonly address: string;
  /** The URL of its description, at that address. */
  readonly location: string;
}

/** Devices of one search; a home has one router, sometimes two. */
const DEVICES_MAX = 4;
/** Answers of others than the gateway that are read in one search (WIR-26). */
const ANSWERS_MAX = 64;

/**
 * The devices that answered a search. The gateway of this machine comes first, and always has a place: what else
 * answers maps ports of a router that our packets may not pass.
 */
export class UpnpDevices {
  readonly #gateway: string | undefined;
  readonly #isNear: (address: string) => boolean;
  #gateways: UpnpDevice[] = [];
  #others: UpnpDevice[] = [];
  #known = new Set<string>();
  #answers = 0;

  /** @param isNear - Whether an address is in our own network. */
  constructor(gateway: string | undefined, isNear: (address: string) => boolean) {
    this.#gateway = gateway;
    this.#isNear = isNear;
  }

  /** A new search begins. */
  clear(): void {
    this.#gateways = [];
    this.#others = [];
    this.#known = new Set();
    this.#answers = 0;
  }

  /** Reads one datagram; what is not the answer of a router in our network is dropped. */
  handleAnswer(bytes: Uint8Array, { address }: Endpoint): void {
    const isGateway = this.#gateway === undefined || address === this.#gateway;
    if (!isGateway) this.#answers += 1;
    if ((!isGateway && this.#answers > ANSWERS_MAX) || !this.#isNear(address)) return;
    const location = unlessJunk(() => decodeSsdp(bytes))?.location;
    const url = location === undefined ? undefined : ownUrl(location, address);
    const list = isGateway ? this.#gateways : this.#others;
    if (!url || this.#known.has(url.href) || list.length >= DEVICES_MAX) return;
    this.#known.add(url.href);
    list.push({ address, location: url.href });
  }

  /** @param mayBeOther - True when the search is over: a device that is not the gateway is better than none. */
  takeNext(mayBeOther: boolean): UpnpDevice | undefined {
    return this.#gateways.shift() ?? (mayBeOther ? this.#others.shift() : undefined);
  }
}
