import { RateLimit } from "./rate-limit.ts";
import { rateSupply } from "./rate-supply.ts";
import { Claim, TurnRing } from "./turn-ring.ts";

/** Bytes a second; 0 is no limit. */
export interface GroupLimits {
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
}

/** The limit of a group in one direction, and the turns of its torrents at it. */
export class GroupRate {
  readonly limit = new RateLimit(0);
  readonly ring: TurnRing = new TurnRing(rateSupply(this.limit));
}

/** Torrents that share a limit of their own below that of the session, such as those with one label. */
export class RateGroup {
  readonly down = new GroupRate();
  readonly up = new GroupRate();
  /** Torrents that are in it. */
  members = 0;

  get isLimited(): boolean {
    return this.down.limit.bytesPerSecond > 0 || this.up.limit.bytesPerSecond > 0;
  }
}

/** The groups of a session, by name. A group without a limit and without torrents is forgotten. */
export class RateGroups {
  readonly #groups = new Map<string, RateGroup>();

  /** A torrent comes into the group. */
  enter(name: string): RateGroup {
    const group = this.#find(name);
    group.members += 1;
    return group;
  }

  leave(name: string): void {
    const group = this.#groups.get(name);
    if (!group) return;
    group.members -= 1;
    this.#forgetUnused(name, group);
  }

  setLimits(name: string, limits: GroupLimits): void {
    const group = this.#find(name);
    group.down.limit.setRate(limits.downBytesPerSecond);
    group.up.limit.setRate(limits.upBytesPerSecond);
    this.#forgetUnused(name, group);
  }

  run(now: number): void {
    for (const { down, up } of this.#groups.values()) {
      down.ring.run(now);
      up.ring.run(now);
    }
  }

  nextTurnAtMs(now: number): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const { down, up } of this.#groups.values()) {
      atMs = Math.min(atMs, down.ring.nextTurnAtMs(now), up.ring.nextTurnAtMs(now));
    }
    return atMs;
  }

  #find(name: string): RateGroup {
    let group = this.#groups.get(name);
    if (!group) this.#groups.set(name, (group = new RateGroup()));
    return group;
  }

  #forgetUnused(name: string, group: RateGroup): void {
    if (group.members === 0 && !group.isLimited) this.#groups.delete(name);
  }
}

/**
 * One torrent's share of its group's rate. A turn in the group is a grant: its bytes are taken from the group at once,
 * and the torrent keeps them while it waits for its turn at the limit of the session. Without that, a turn that comes
 * in one ring would pass unused because the other one says no.
 */
export class GroupShare {
  readonly #rate: GroupRate;
  readonly #claim: Claim;
  /** Bytes taken from the group, and not passed yet: those of one turn at most. */
  #granted = 0;

  /** @param use - Uses the torrent's turn. @returns Whether it waits for the next. */
  constructor(rate: GroupRate, use: (share: GroupShare, now: number) => boolean) {
    this.#rate = rate;
    this.#claim = new Claim((now) => {
      this.#grant(now);
      return use(this, now);
    });
  }

  get isWaiting(): boolean {
    return this.#claim.isWaiting;
  }

  get isContended(): boolean {
    return this.#rate.ring.hasOthers(this.#claim);
  }

  available(now: number): number {
    return this.#granted + this.#rate.ring.allowed(this.#claim, now);
  }

  take(bytes: number, now: number): void {
    const granted = Math.min(this.#granted, bytes);
    this.#granted -= granted;
    if (bytes > granted) this.#rate.ring.take(this.#claim, bytes - granted, now);
  }

  wait(): void {
    this.#rate.ring.wait(this.#claim);
  }

  /** It wants nothing now: others get what it was granted. */
  giveBack(now: number): void {
    this.#rate.limit.giveBack(this.#granted, now);
    this.#granted = 0;
  }

  leave(): void {
    this.#rate.ring.leave(this.#claim);
    // Without the time: it is counted when the limit is used next.
    this.#rate.limit.giveBack(this.#granted, undefined);
    this.#granted = 0;
  }

  /** What it may take in this turn is its own from now on. */
  #grant(now: number): void {
    const bytes = this.#rate.ring.allowed(this.#claim, now);
    if (bytes === Number.POSITIVE_INFINITY) return;
    this.#rate.ring.take(this.#claim, bytes, now);
    this.#granted += bytes;
  }
}
