import { REACH, reachOf } from "./address-reach.ts";
import { addressBytes } from "./endpoint.ts";
import { toHex } from "./bytes.ts";

/** Voters that are heard; a new one takes the place of the oldest. */
const VOTERS_MAX = 32;
/** Voters that must agree before an address is believed. */
const VOTES_NEEDED = 4;

/**
 * Learns our address as others see it, from the `ip` of their replies (BEP 42). One network has one vote (DHT-9): the
 * first byte of an IPv4 address, the first 32 bits of an IPv6 one. So nobody changes our id alone.
 */
export class OuterAddress {
  /** By network of the voter: the address it saw, the latest vote last. */
  readonly #votes = new Map<string, string>();
  #current: string | undefined;

  /** @param known - What was believed when the state was saved. */
  constructor(known?: string) {
    this.#current = known;
  }

  /** Canonical text; `undefined` while it is not known. */
  get current(): string | undefined {
    return this.#current;
  }

  /**
   * A node that answered our query says where it saw us.
   *
   * @returns True when we believe in another address than before.
   */
  vote(voter: string, seen: string): boolean {
    const bytes = addressBytes(voter);
    // A neighbour sees us from inside, and such an address is no sign of how the world does.
    if (!bytes || reachOf(voter) !== REACH.world || reachOf(seen) !== REACH.world) return false;
    const network = toHex(bytes.subarray(0, bytes.length === 4 ? 1 : 4));
    this.#votes.delete(network);
    this.#votes.set(network, seen);
    if (this.#votes.size > VOTERS_MAX) this.#votes.delete(this.#votes.keys().next().value!);
    if (seen === this.#current) return false;
    let count = 0;
    for (const vote of this.#votes.values()) if (vote === seen) count += 1;
    if (count < VOTES_NEEDED || count * 2 <= this.#votes.size) return false;
    this.#current = seen;
    return true;
  }
}
