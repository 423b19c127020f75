import { REACH, type Reach } from "../base/address-reach.ts";
import { addressBytes, formatAddress } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";

/** Names at one time; beyond this the oldest is forgotten. */
const NAMES_MAX = 1024;
/** 240.0.0.0/5 stands for names of the world, 248.0.0.0/5 for names of somebody's own network. */
const WORLD_FIRST_BYTE = 240;
const NETWORK_FIRST_BYTE = 248;
const BELOW_FIRST_BYTES = 2 ** 24;
const FIRST_BYTES = 8;

/** Names that have a meaning inside one network only. */
const LOCAL_NAME = /^[^.]+$|\.(?:local|lan|home|internal|intranet|localdomain|home\.arpa)$/;

/**
 * Names are resolved at the proxy, and the parts of the program that handle addresses need not know: a name gets a
 * stand-in, an address out of a block that nobody has (240.0.0.0/4). It is turned back into the name on the way to the
 * proxy, and means nothing outside this process.
 */
export class NameStandIns {
  readonly #random: Random;
  readonly #byName = new Map<string, string>();
  readonly #byAddress = new Map<string, string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** @returns An address to use for the host; a literal address, and this machine, stand for themselves. */
  of(host: string): string {
    const name = host
      .replace(/^\[(.*)\]$/, "$1")
      .replace(/\.$/, "")
      .toLowerCase();
    const literal = addressBytes(name);
    if (literal) return formatAddress(literal);
    if (name === "localhost" || name.endsWith(".localhost")) return "127.0.0.1";
    return this.#byName.get(name) ?? this.#add(name);
  }

  /** @returns The name that an address stands for. */
  nameOf(address: string): string | undefined {
    return this.#byAddress.get(address);
  }

  /** How far away what a stand-in stands for may be; `undefined` for an address that stands for itself. */
  reachOf(address: string): Reach | undefined {
    const name = this.#byAddress.get(address);
    if (name === undefined) return undefined;
    return LOCAL_NAME.test(name) ? REACH.network : REACH.world;
  }

  #add(name: string): string {
    const first = LOCAL_NAME.test(name) ? NETWORK_FIRST_BYTE : WORLD_FIRST_BYTE;
    for (;;) {
      const rest = this.#random.below(BELOW_FIRST_BYTES);
      const head = first + this.#random.below(FIRST_BYTES);
      const address = `${head}.${rest >>> 16}.${(rest >>> 8) & 0xff}.${rest & 0xff}`;
      if (this.#byAddress.has(address)) continue;
      this.#byName.set(name, address);
      this.#byAddress.set(address, name);
      this.#forgetOldest();
      return address;
    }
  }

  #forgetOldest(): void {
    if (this.#byName.size <= NAMES_MAX) return;
    for (const [name, address] of this.#byName) {
      this.#byName.delete(name);
      this.#byAddress.delete(address);
      return;
    }
  }
}
