import { toHex } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";
import { endpointKey } from "./contact.ts";

const TRANSACTION_BYTES = 4;
/** Queries under way at the same time. */
const PENDING_MAX = 2048;
/** A node that has not answered after this is slow, and somebody else is asked beside it. */
const SLOW_MS = 1000;
/** A node that has not answered after this will not answer. */
export const ANSWER_MS = 8000;

interface Pending<Purpose> {
  readonly to: Endpoint;
  readonly purpose: Purpose;
  readonly askedMs: number;
}

/**
 * Queries that wait for their answers. An answer counts only with the id of the query, which cannot be guessed, and from
 * the endpoint that was asked (DHT-3).
 */
export class Transactions<Purpose> {
  readonly #random: Random;
  /** In the order they were asked, those that are not slow yet and those that are. */
  readonly #fresh = new Map<string, Pending<Purpose>>();
  readonly #slow = new Map<string, Pending<Purpose>>();
  /** Queries under way to each endpoint. */
  readonly #asked = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  get count(): number {
    return this.#fresh.size + this.#slow.size;
  }

  /** @returns The id for the query; `undefined` when too many are under way. */
  open(to: Endpoint, purpose: Purpose, now: number): Uint8Array | undefined {
    if (this.count >= PENDING_MAX) return undefined;
    for (;;) {
      const transaction = this.#random.bytes(TRANSACTION_BYTES);
      const key = toHex(transaction);
      if (this.#fresh.has(key) || this.#slow.has(key)) continue;
      this.#fresh.set(key, { to, purpose, askedMs: now });
      const endpoint = endpointKey(to);
      this.#asked.set(endpoint, (this.#asked.get(endpoint) ?? 0) + 1);
      return transaction;
    }
  }

  /** Tells whether an answer may come from there. Costs less than reading it. */
  expects(from: Endpoint): boolean {
    return this.#asked.has(endpointKey(from));
  }

  /** An answer came. @returns What it answers; `undefined` when nothing was asked there under this id. */
  close(transaction: Uint8Array, from: Endpoint): Pending<Purpose> | undefined {
    const key = toHex(transaction);
    const pending = this.#fresh.get(key) ?? this.#slow.get(key);
    if (!pending || pending.to.port !== from.port || pending.to.address !== from.address) {
      return undefined;
    }
    this.#fresh.delete(key);
    this.#slow.delete(key);
    this.#forgetAsked(pending.to);
    return pending;
  }

  /** Takes the next query that has become slow. It goes on waiting. */
  takeSlow(now: number): Pending<Purpose> | undefined {
    for (const [key, pending] of this.#fresh) {
      if (now - pending.askedMs < SLOW_MS) return undefined;
      this.#fresh.delete(key);
      this.#slow.set(key, pending);
      return pending;
    }
    return undefined;
  }

  /** Takes the next query that will not be answered any more. */
  takeSilent(now: number): Pending<Purpose> | undefined {
    for (const [key, pending] of this.#slow) {
      if (now - pending.askedMs < ANSWER_MS) return undefined;
      this.#slow.delete(key);
      this.#forgetAsked(pending.to);
      return pending;
    }
    return undefined;
  }

  /** When `takeSlow` or `takeSilent` next has something; infinite when nothing waits. */
  nextTimeoutMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { askedMs } of this.#fresh.values()) {
      next = askedMs + SLOW_MS;
      break;
    }
    for (const { askedMs } of this.#slow.values()) {
      next = Math.min(next, askedMs + ANSWER_MS);
      break;
    }
    return next;
  }

  #forgetAsked(to: Endpoint): void {
    const endpoint = endpointKey(to);
    const left = (this.#asked.get(endpoint) ?? 1) - 1;
    if (left > 0) this.#asked.set(endpoint, left);
    else this.#asked.delete(endpoint);
  }
}
