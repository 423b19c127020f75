import { addressBytes, formatAddress } from "../base/endpoint.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

/** An address of this machine, and the name of its interface. */
export interface NamedInterface {
  readonly name: string;
  readonly address: string;
}

/** Between two looks at the interfaces of this machine. */
const LOOK_MS = 2_000;

export interface BoundInterfaceOptions {
  /** The name of an interface, or an address of this machine. */
  readonly wanted: string;
  readonly interfaces: () => readonly NamedInterface[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The interface that all traffic is bound to. Interfaces come and go, as those of a VPN do: while this one has no
 * address nothing is sent, and nothing goes out by another one.
 */
export class BoundInterface {
  readonly #options: BoundInterfaceOptions;
  readonly #listeners = new Set<() => void>();
  #ipv4: string | undefined;
  #ipv6: string | undefined;
  #timer: Timer | undefined;

  constructor(options: BoundInterfaceOptions) {
    this.#options = options;
    this.#look();
    this.#lookLater();
  }

  /** As the user named it. */
  get name(): string {
    return this.#options.wanted;
  }

  /** @returns The address of this family that traffic leaves from; `undefined` when there is none now. */
  addressOf(family: 4 | 6): string | undefined {
    return family === 4 ? this.#ipv4 : this.#ipv6;
  }

  /** Its addresses now: none, one, or one of each family. */
  get addresses(): readonly string[] {
    return [this.#ipv4, this.#ipv6].filter((address) => address !== undefined);
  }

  /** Whether the address is one that traffic leaves from. */
  has(address: string): boolean {
    return address === this.#ipv4 || address === this.#ipv6;
  }

  /** Calls `listener` whenever the addresses have changed. @returns Ends that. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.startTimer(LOOK_MS, () => {
      this.#lookLater();
      const before = this.addresses.join(" ");
      this.#look();
      if (this.addresses.join(" ") !== before) this.#tell();
    });
  }

  #tell(): void {
    const { wanted, log } = this.#options;
    if (this.addresses.length === 0) {
      log.warn(`the interface ${wanted} is gone: nothing is sent or received until it is back`);
    } else {
      log.info(`the interface ${wanted} has the address ${this.addresses.join(" and ")}`);
    }
    for (const listener of this.#listeners) listener();
  }

  #look(): void {
    const { wanted, interfaces } = this.#options;
    const own = interfaces().flatMap(({ name, address }) => {
      const bytes = addressBytes(address);
      return bytes ? [{ name, address: formatAddress(bytes) }] : [];
    });
    const bytes = addressBytes(wanted);
    const literal = bytes && formatAddress(bytes);
    const found = own.flatMap(({ name, address }) => {
      if (literal === undefined) return name === wanted ? [address] : [];
      return isThat(literal, address) ? [literal] : [];
    });
    this.#ipv4 = found.find((address) => !address.includes(":"));
    // Link-local addresses lead to no peer and need a scope.
    this.#ipv6 = found.find(isGlobal6);
  }
}

/** A machine has all of 127.0.0.0/8, and its list names one of them. */
function isThat(literal: string, address: string): boolean {
  return address === literal || (address.startsWith("127.") && literal.startsWith("127."));
}

function isGlobal6(address: string): boolean {
  return address.includes(":") && !/^fe[89ab]/.test(address);
}
