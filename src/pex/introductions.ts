import type { Endpoint } from "../base/endpoint.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type { ExtensionPeer } from "../engine/extension.ts";
import { encodeHolepunch } from "../wire/ut-holepunch.ts";

/** Requests to one relay: fewer than ours takes of anybody. */
const ASKED = { perSecond: 1 / 6, burst: 10 } as const;
/** Relays that are asked for one address, one after the other, each time that it does not answer. */
const RELAYS_MAX = 3;
/** Times that an address is asked for: when two routers of a kind that nothing gets through part us, it stays in vain. */
const ROUNDS_MAX = 3;
/** From the first of these times on; then they count anew. */
const ROUNDS_MS = 3_600_000;
/** A relay that has said nothing after this long is not waited for. */
const ANSWER_MS = 5_000;
const ADDRESSES_MAX = 256;

/** An address that we want to be introduced to. */
interface Wanted {
  readonly endpoint: Endpoint;
  readonly firstAtMs: number;
  rounds: number;
  /** The relay that is asked; `undefined` when none is. */
  asked: { readonly relay: ExtensionPeer; readonly atMs: number } | undefined;
  /** Relays to ask next. */
  others: ExtensionPeer[];
}

/**
 * The introductions that we ask for (BEP 55). A peer that does not answer us is asked for at the peers that say they are
 * connected to it, at one after the other until one introduces us.
 *
 * idle -> asked -> idle; asked -> asked, when a relay refuses, leaves or says nothing.
 */
export class Introductions {
  /** By `addressKey`, the oldest first. */
  readonly #wanted = new Map<string, Wanted>();
  readonly #budgets = new WeakMap<ExtensionPeer, TokenBucket>();

  /** @param relays - Peers that say they are connected to it, and take such requests. */
  want(
    { key, endpoint }: { readonly key: string; readonly endpoint: Endpoint },
    relays: readonly ExtensionPeer[],
    now: number,
  ): void {
    if (relays.length === 0) return;
    const wanted = this.#find(key, now) ?? this.#add(key, endpoint, now);
    if (wanted.asked || wanted.rounds >= ROUNDS_MAX) return;
    // Another begins each time, so that one that lies is not all that is tried.
    const first = wanted.rounds % relays.length;
    wanted.others = [...relays.slice(first), ...relays.slice(0, first)].slice(0, RELAYS_MAX);
    this.#askNext(wanted, now);
    if (wanted.asked) wanted.rounds += 1;
  }

  /** The relay says that it cannot introduce us. @returns False when it was not asked for this address. */
  handleRefused(key: string, relay: ExtensionPeer, now: number): boolean {
    const wanted = this.#wanted.get(key);
    if (wanted?.asked?.relay !== relay) return false;
    this.#askNext(wanted, now);
    return true;
  }

  /** The relay introduces us to somebody there, who may have another port outside than the one that we know. */
  handleIntroduced({ address }: Endpoint, relay: ExtensionPeer): void {
    for (const wanted of this.#wanted.values()) {
      if (wanted.asked?.relay === relay && wanted.endpoint.address === address) stop(wanted);
    }
  }

  /** We are connected to it. */
  handleReached(key: string): void {
    this.#wanted.delete(key);
  }

  leave(relay: ExtensionPeer, now: number): void {
    for (const wanted of this.#wanted.values()) {
      wanted.others = wanted.others.filter((other) => other !== relay);
      if (wanted.asked?.relay === relay) this.#askNext(wanted, now);
    }
  }

  tick(now: number): void {
    for (const wanted of this.#wanted.values()) {
      if (wanted.asked && now - wanted.asked.atMs >= ANSWER_MS) this.#askNext(wanted, now);
    }
  }

  #find(key: string, now: number): Wanted | undefined {
    const wanted = this.#wanted.get(key);
    return wanted && now - wanted.firstAtMs < ROUNDS_MS ? wanted : undefined;
  }

  #add(key: string, endpoint: Endpoint, now: number): Wanted {
    const wanted: Wanted = { endpoint, firstAtMs: now, rounds: 0, asked: undefined, others: [] };
    this.#wanted.delete(key);
    this.#wanted.set(key, wanted);
    const [oldest] = this.#wanted.keys();
    if (this.#wanted.size > ADDRESSES_MAX) this.#wanted.delete(oldest!);
    return wanted;
  }

  #askNext(wanted: Wanted, now: number): void {
    wanted.asked = undefined;
    for (let relay = wanted.others.shift(); relay; relay = wanted.others.shift()) {
      if (!this.#budgetOf(relay, now).take(1, now)) continue;
      const { endpoint } = wanted;
      if (!relay.send(encodeHolepunch({ kind: "rendezvous", endpoint, error: 0 }))) continue;
      wanted.asked = { relay, atMs: now };
      return;
    }
  }

  #budgetOf(relay: ExtensionPeer, now: number): TokenBucket {
    const budget = this.#budgets.get(relay) ?? new TokenBucket(ASKED, now);
    this.#budgets.set(relay, budget);
    return budget;
  }
}

function stop(wanted: Wanted): void {
  wanted.asked = undefined;
  wanted.others = [];
}
