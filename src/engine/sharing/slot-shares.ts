/** Interval of rounds that may choke peers (BEP 3): with shorter rounds TCP would have to start over all the time. */
const ROUND_MS = 10_000;

/** One slot rewards the best giver, one tries another peer: a torrent has fewer only when many torrents want slots. */
const SLOTS_OF_TORRENT = 2;

/** A slot is added while the n-th fastest upload has n times this rate: the line can feed one more (libtorrent). */
export const FED_BYTES_PER_SECOND = 2_048;

/** The most slots of a torrent, and of all torrents without growth, as a multiple of the configured slots. */
const SLOTS_GROWTH_MAX = 4;

/** The most slots of all torrents together: 134 MB/s would feed one more. */
const SLOTS_MAX = 256;

/** What a torrent reports when it asks for its slots. */
export interface SlotDemand {
  /** Peers that are interested in us. */
  readonly interested: number;
  /** The rate of each peer that we upload to, in bytes per second. */
  readonly uploads: readonly number[];
  /** A rate limit slows its uploads down: more slots would only make each slower. */
  readonly limited: boolean;
}

export interface SlotGrant {
  /** Peers that the torrent may serve now. */
  readonly slots: number;
  /** A different number than before: a round has begun, in which peers may be choked. */
  readonly round: number;
  /** Other torrents want slots as well. */
  readonly shared: boolean;
}

/** A torrent's claim on upload slots. Only `SlotShares` writes into it. */
export class SlotClaim {
  demand = 0;
  limited = false;
  /** Its uploads, each as the number of slots that would be fed if all were this fast. */
  fed: readonly number[] = [];
  /** The slots it holds, if they were given when slots were last shared. */
  slots = 0;
  sharing = 0;
  /** Its neighbours among the claims with demand. */
  next: SlotClaim | undefined;
  previous: SlotClaim | undefined;
}

/**
 * Shares the upload slots of a session among its torrents. In rounds of ten seconds the torrents with demand get one
 * slot each in turn, until their demand is met or no slots are left. The next round begins after the torrent that got
 * the last slot, so that a remainder moves from torrent to torrent, and with more torrents than slots each has its
 * turn.
 *
 * Between rounds no torrent loses slots: a free slot goes to the first torrent that asks. Slots are added while the
 * line feeds one more, which the uploads of all torrents together decide.
 */
export class SlotShares {
  readonly #uploadSlots: number;
  readonly #isLimited: () => boolean;
  /** For each number of slots, how many uploads would feed it. */
  readonly #fed = new Int32Array(SLOTS_MAX + 1);
  /** Claims with demand form a ring. The first claim of this round, and the first of the next. */
  #first: SlotClaim | undefined;
  #cursor: SlotClaim | undefined;
  #claims = 0;
  /** The sum of the slots that claims hold. */
  #held = 0;
  /** How often slots were shared, and in how many rounds. */
  #sharing = 0;
  #round = 0;
  #nextRoundMs = 0;

  /**
   * @param options.uploadSlots - At least 2: one to reward, one to try.
   * @param options.isLimited - A rate limit slows the uploads of all torrents down.
   */
  constructor(options: { uploadSlots: number; isLimited: () => boolean }) {
    this.#uploadSlots = Math.max(SLOTS_OF_TORRENT, options.uploadSlots);
    this.#isLimited = options.isLimited;
  }

  /** Call this before each decision to choke. It begins a round when one is due. */
  ask(claim: SlotClaim, demand: SlotDemand, now: number): SlotGrant {
    this.#setDemand(claim, demand);
    const total = this.#total();
    if (now >= this.#nextRoundMs) {
      this.#nextRoundMs = now + ROUND_MS;
      this.#round += 1;
      this.#first = this.#cursor;
      this.#share(total);
    } else {
      const free = Math.max(0, total - this.#held);
      this.#hold(claim, Math.min(this.#want(claim), this.#slotsOf(claim) + free));
      // The line feeds fewer slots than are held. No peer is choked before the next round.
      if (this.#held > total) this.#share(total);
    }
    const slots = this.#slotsOf(claim) + total - this.#held;
    const others = this.#claims - (claim.demand > 0 ? 1 : 0);
    return {
      slots: Math.min(slots, this.#slotsMax(claim)),
      round: this.#round,
      shared: others > 0,
    };
  }

  /** The torrent stops serving peers. */
  release(claim: SlotClaim): void {
    this.#setDemand(claim, { interested: 0, uploads: [], limited: claim.limited });
    this.#hold(claim, 0);
  }

  // -- the number of slots ----------------------------------------------------------------------

  /** Without growth. */
  #base(): number {
    const wanted = Math.max(this.#uploadSlots, SLOTS_OF_TORRENT * this.#claims);
    return Math.min(wanted, this.#uploadSlots * SLOTS_GROWTH_MAX);
  }

  #total(): number {
    const base = this.#base();
    if (this.#isLimited()) return base;
    const max = this.#uploadSlots * SLOTS_GROWTH_MAX * Math.max(1, this.#claims);
    return Math.max(base, Math.min(this.#countFed() + 1, max, SLOTS_MAX));
  }

  /** The largest n for which the n-th fastest upload would feed n slots. */
  #countFed(): number {
    let uploads = 0;
    for (let slots = SLOTS_MAX; slots > 0; slots -= 1) {
      uploads += this.#fed[slots]!;
      if (uploads >= slots) return slots;
    }
    return 0;
  }

  #slotsMax(claim: SlotClaim): number {
    return claim.limited ? this.#base() : this.#uploadSlots * SLOTS_GROWTH_MAX;
  }

  // -- sharing the slots ------------------------------------------------------------------------

  #want(claim: SlotClaim): number {
    return Math.min(claim.demand, this.#slotsMax(claim));
  }

  #slotsOf(claim: SlotClaim): number {
    return claim.sharing === this.#sharing ? claim.slots : 0;
  }

  #hold(claim: SlotClaim, slots: number): void {
    this.#held += slots - this.#slotsOf(claim);
    claim.slots = slots;
    claim.sharing = this.#sharing;
  }

  /** Fills the claims evenly from the bottom. Earlier grants are forgotten. */
  #share(total: number): void {
    this.#sharing += 1;
    let left = total;
    let unmet: SlotClaim[] = [];
    this.#held = 0;
    this.#cursor = this.#first;
    let claim = this.#first;
    for (let seen = 0; claim && seen < this.#claims && left > 0; seen += 1) {
      claim.slots = 1;
      claim.sharing = this.#sharing;
      left -= 1;
      if (this.#want(claim) > 1) unmet.push(claim);
      claim = claim.next;
      if (left === 0) this.#cursor = claim;
    }
    while (left > 0 && unmet.length > 0) {
      // Claims that the last, short pass does not reach come first in the next round.
      if (left < unmet.length) this.#cursor = unmet[left];
      const given = unmet.slice(0, left);
      for (const one of given) one.slots += 1;
      left -= given.length;
      unmet = given.filter((one) => one.slots < this.#want(one));
    }
    this.#held = total - left;
  }

  // -- demand -----------------------------------------------------------------------------------

  #setDemand(claim: SlotClaim, { interested, uploads, limited }: SlotDemand): void {
    for (const slots of claim.fed) this.#fed[slots]! -= 1;
    claim.fed = uploads.map((rate) => Math.min(SLOTS_MAX, Math.floor(rate / FED_BYTES_PER_SECOND)));
    for (const slots of claim.fed) this.#fed[slots]! += 1;
    if (claim.demand === 0 && interested > 0) this.#enter(claim);
    else if (claim.demand > 0 && interested === 0) this.#leave(claim);
    claim.demand = interested;
    claim.limited = limited;
  }

  /** After the claims that wait for their turn, before those that have had it. */
  #enter(claim: SlotClaim): void {
    const next = this.#first ?? claim;
    const previous = next.previous ?? claim;
    claim.next = next;
    claim.previous = previous;
    previous.next = claim;
    next.previous = claim;
    this.#first ??= claim;
    this.#cursor ??= claim;
    this.#claims += 1;
  }

  #leave(claim: SlotClaim): void {
    const other = claim.next === claim ? undefined : claim.next;
    claim.previous!.next = claim.next;
    claim.next!.previous = claim.previous;
    if (this.#cursor === claim) this.#cursor = other;
    if (this.#first === claim) this.#first = other;
    claim.next = undefined;
    claim.previous = undefined;
    this.#claims -= 1;
  }
}
