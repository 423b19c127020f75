import type { Endpoint } from "../base/endpoint.ts";
import { ownerOf } from "./address-shares.ts";
import { TokenBucket } from "../base/token-bucket.ts";

/** Queries that are read at all, of all addresses together: what made-up senders can cost is bounded by it. */
const READ_RATE = { perSecond: 1000, burst: 2000 };
/** Queries that one address may ask. */
const ADDRESS_RATE = { perSecond: 5, burst: 50 };
/** An address that goes on asking when its share is used up is not heard for this long. */
const SILENCED_MS = 5 * 60_000;
/** Queries above its share after which an address is not heard. */
const EXCESS_MAX = 50;
/** Addresses that are remembered. */
const ADDRESSES_MAX = 8192;

interface Asker {
  readonly bucket: TokenBucket;
  excess: number;
  silencedUntilMs: number;
}

/** Decides which queries from outside are answered (DHT-1): at most so many of one address, and so many bytes to all together. */
export class QueryGate {
  readonly #askers = new Map<string, Asker>();
  readonly #bytes: TokenBucket;
  readonly #reads: TokenBucket;
  /** Queries that were not answered. */
  refused = 0;

  /** @param replyBytesPerSecond - What all answers together may take. */
  constructor(replyBytesPerSecond: number, now: number) {
    this.#bytes = new TokenBucket(
      { perSecond: replyBytesPerSecond, burst: replyBytesPerSecond * 2 },
      now,
    );
    this.#reads = new TokenBucket(READ_RATE, now);
  }

  /** @returns False when the next query is to be dropped unread. */
  admitRead(now: number): boolean {
    const admitted = this.#reads.take(1, now);
    if (!admitted) this.refused += 1;
    return admitted;
  }

  /** Addresses that are remembered. */
  get askers(): number {
    return this.#askers.size;
  }

  admit(from: Endpoint, now: number): boolean {
    const admitted = this.#admits(from, now);
    if (!admitted) this.refused += 1;
    return admitted;
  }

  /** Counts an answer. @returns False when the line has no room for it. */
  admitReply(bytes: number, now: number): boolean {
    const admitted = this.#bytes.take(bytes, now);
    if (!admitted) this.refused += 1;
    return admitted;
  }

  #admits(from: Endpoint, now: number): boolean {
    const asker = this.#asker(ownerOf(from).place, now);
    if (now < asker.silencedUntilMs) return false;
    if (asker.bucket.take(1, now)) return true;
    asker.excess += 1;
    if (asker.excess < EXCESS_MAX) return false;
    asker.excess = 0;
    asker.silencedUntilMs = now + SILENCED_MS;
    return false;
  }

  #asker(place: string, now: number): Asker {
    const known = this.#askers.get(place);
    if (known) return known;
    if (this.#askers.size >= ADDRESSES_MAX) this.#forget(now);
    const asker = { bucket: new TokenBucket(ADDRESS_RATE, now), excess: 0, silencedUntilMs: 0 };
    this.#askers.set(place, asker);
    return asker;
  }

  /** Forgets addresses that would be treated as new ones anyway; when there are too few, the oldest half. */
  #forget(now: number): void {
    for (const [place, { bucket, silencedUntilMs }] of this.#askers) {
      if (silencedUntilMs <= now && bucket.isFull(now)) this.#askers.delete(place);
    }
    for (const place of this.#askers.keys()) {
      if (this.#askers.size <= ADDRESSES_MAX / 2) break;
      this.#askers.delete(place);
    }
  }
}
