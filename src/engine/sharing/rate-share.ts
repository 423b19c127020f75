import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { RateLimit } from "./rate-limit.ts";
import { Claim, type TurnRing } from "./turn-ring.ts";

/** Bytes that may pass, for a caller that asks before it takes. */
export interface RateBudget {
  /** Whole bytes that may pass now; infinity when nothing limits them. */
  available(now: number): number;
  /** Counts bytes that pass now. */
  take(bytes: number, now: number): void;
  /** Others wait for the same limit. */
  readonly isContended: boolean;
  /** There was too little: the owner is called when it is its turn. */
  wait(now: number): void;
}

export interface RateShareOptions {
  /** The limit of the session, shared by all torrents. */
  readonly ring: TurnRing;
  /** The limit of this torrent alone. */
  readonly own: RateLimit;
  readonly use: (now: number) => boolean;
  readonly onWaiting: () => void;
}

/**
 * The rate of one torrent: its own limit, and its turns at the shared limit. While its own limit holds it back, it is
 * in no ring, so that it keeps no other torrent waiting.
 */
export class RateShare implements RateBudget {
  readonly #ring: TurnRing;
  readonly #own: RateLimit;
  readonly #claim: Claim;
  readonly #onWaiting: () => void;
  /** It waits for its own limit. */
  #waitsForOwn = false;
  #heldAtMs: number | undefined;

  constructor({ ring, own, use, onWaiting }: RateShareOptions) {
    this.#ring = ring;
    this.#own = own;
    // The torrent's own limit may hold back the rest of what it wants: then its turn is over.
    this.#claim = new Claim((now) => use(now) && !this.#waitsForOwn);
    this.#onWaiting = onWaiting;
  }

  available(now: number): number {
    const own = this.#own.available(now);
    return own === 0 ? 0 : Math.min(own, this.#ring.allowed(this.#claim, now));
  }

  get isContended(): boolean {
    return this.#ring.hasOthers(this.#claim);
  }

  take(bytes: number, now: number): void {
    this.#own.take(bytes, now);
    this.#ring.take(this.#claim, bytes, now);
  }

  /** When there was last too little; `undefined` when never. */
  get heldAtMs(): number | undefined {
    return this.#heldAtMs;
  }

  wait(now: number): void {
    this.#heldAtMs = now;
    this.#waitsForOwn = this.#own.available(now) < BLOCK_BYTES;
    if (!this.#waitsForOwn) this.#ring.wait(this.#claim);
    this.#onWaiting();
  }

  stopWaiting(): void {
    this.#waitsForOwn = false;
    this.#ring.leave(this.#claim);
  }

  /** When its own limit lets it continue; infinity unless it waits for that. */
  nextOwnMs(now: number): number {
    return this.#waitsForOwn ? this.#own.nextAvailable(now) : Number.POSITIVE_INFINITY;
  }

  /** @returns Whether it waited for its own limit, which now allows a block. */
  endOwnWait(now: number): boolean {
    if (!this.#waitsForOwn || this.#own.available(now) < BLOCK_BYTES) return false;
    this.#waitsForOwn = false;
    return true;
  }
}
