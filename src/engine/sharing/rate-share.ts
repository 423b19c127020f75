import { BLOCK_BYTES } from "../../base/geometry.ts";
import { type GroupRate, GroupShare } from "./rate-group.ts";
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
 * The rate of one torrent: its own limit, its turns at the limit of its group, and those at the limit of the session.
 * It waits for the first of these that holds it back, so that it keeps no other torrent waiting at the rest.
 */
export class RateShare implements RateBudget {
  readonly #ring: TurnRing;
  readonly #own: RateLimit;
  readonly #claim: Claim;
  readonly #onWaiting: () => void;
  /** Uses a turn. @returns Whether it wants more, and waits for no limit of its own. */
  readonly #use: (now: number) => boolean;
  #group: GroupShare | undefined;
  /** It waits for its own limit. */
  #waitsForOwn = false;
  #heldAtMs: number | undefined;

  constructor({ ring, own, use, onWaiting }: RateShareOptions) {
    this.#ring = ring;
    this.#own = own;
    // The torrent's own limit may hold back the rest of what it wants: then its turn is over.
    this.#use = (now) => use(now) && !this.#waitsForOwn;
    this.#claim = new Claim((now) => this.#useTurn(now));
    this.#onWaiting = onWaiting;
  }

  available(now: number): number {
    const own = this.#own.available(now);
    const group = this.#group?.available(now) ?? Number.POSITIVE_INFINITY;
    if (own === 0 || group === 0) return 0;
    return Math.min(own, group, this.#ring.allowed(this.#claim, now));
  }

  get isContended(): boolean {
    return this.#ring.hasOthers(this.#claim) || this.#group?.isContended === true;
  }

  take(bytes: number, now: number): void {
    this.#own.take(bytes, now);
    this.#group?.take(bytes, now);
    this.#ring.take(this.#claim, bytes, now);
  }

  /** When there was last too little; `undefined` when never. */
  get heldAtMs(): number | undefined {
    return this.#heldAtMs;
  }

  wait(now: number): void {
    this.#heldAtMs = now;
    this.#waitsForOwn = this.#own.available(now) < BLOCK_BYTES;
    if (!this.#waitsForOwn) this.#waitForOthers(now);
    this.#onWaiting();
  }

  #waitForOthers(now: number): void {
    const group = this.#group;
    if (group && group.available(now) < BLOCK_BYTES) group.wait();
    else this.#ring.wait(this.#claim);
  }

  /** Uses its turn at the session's limit. @returns Whether it waits for the next. */
  #useTurn(now: number): boolean {
    const group = this.#group;
    if (!this.#use(now)) {
      group?.giveBack(now);
      return false;
    }
    if (!group || group.available(now) >= BLOCK_BYTES) return true;
    group.wait();
    this.#onWaiting();
    return false;
  }

  /** Uses its turn in its group. @returns Whether it waits for the next. */
  #useGroupTurn(group: GroupShare, now: number): boolean {
    if (!this.#use(now)) {
      group.giveBack(now);
      return false;
    }
    if (group.available(now) < BLOCK_BYTES) return true;
    // What it was granted passes in its turn at the session's limit.
    this.#ring.wait(this.#claim);
    this.#onWaiting();
    return false;
  }

  /** The torrent shares this limit from now on, instead of the one before. */
  setGroup(rate: GroupRate | undefined): void {
    const before = this.#group;
    this.#group = rate && new GroupShare(rate, (share, now) => this.#useGroupTurn(share, now));
    // What it waited for is no limit of its any more: it asks again in its next turn.
    if (before?.isWaiting === true) this.#ring.wait(this.#claim);
    before?.leave();
  }

  stopWaiting(): void {
    this.#waitsForOwn = false;
    this.#group?.leave();
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
