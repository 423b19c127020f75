/** What is used up and comes back: a rate, memory, attempts to connect. */
export interface Supply {
  /** Units that may be taken now; infinity when nothing limits them. */
  available(now: number): number;
  /** Counts units as taken. */
  take(units: number, now: number): void;
  /** When a turn may begin, if nobody takes the units before: `now` when at once, infinity when that has no date. */
  nextAvailable(now: number): number;
  /** The least that a turn is worth: with fewer units available nobody is called. */
  readonly unitsMin: number;
  /** Units of one turn when so many claims wait. */
  quantum(waiting: number): number;
}

/** Somebody's claim on a supply. Only the ring writes into it. */
export class Claim {
  /** Asked to use its turn. @returns Whether it wants more than it was allowed. */
  readonly use: (now: number) => boolean;
  /** It stands in the ring. */
  isWaiting = false;
  /** Units left of its turn; a debt when it took more at once. */
  credit = 0;

  constructor(use: (now: number) => boolean) {
    this.use = use;
  }
}

/**
 * Shares a supply out in turns (deficit round robin). While nobody waits, everybody takes what is there. Otherwise
 * only the claim whose turn it is may take, a quantum at most, and goes to the end of the ring. Two claims that wait all
 * the time differ by a quantum and one largest take, however long they wait. A claim that has left begins anew: nothing
 * is saved up.
 */
export class TurnRing {
  readonly #supply: Supply;
  /** The first of a queue in an array; its length is a power of two. */
  #ring: (Claim | undefined)[] = Array.from({ length: 8 }, () => undefined);
  #head = 0;
  #count = 0;
  /** Whose turn it is. */
  #current: Claim | undefined;
  #hasTaken = false;
  /** The turn of the claim at the head began, and was ended for want of units. */
  #headBegan = false;

  constructor(supply: Supply) {
    this.#supply = supply;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Others than this claim wait. */
  hasOthers(claim: Claim): boolean {
    return !this.#isAlone(claim);
  }

  /** It is the claim's turn, or nobody waits. */
  mayTry(claim: Claim): boolean {
    if (this.#isAlone(claim)) return true;
    return claim === this.#current && claim.credit >= this.#supply.unitsMin;
  }

  /** Units the claim may take now: none while others wait and it is not its turn. */
  allowed(claim: Claim, now: number): number {
    const available = this.#supply.available(now);
    if (available === Number.POSITIVE_INFINITY || this.#isAlone(claim)) return available;
    return claim === this.#current ? Math.min(claim.credit, available) : 0;
  }

  take(claim: Claim, units: number, now: number): void {
    this.#supply.take(units, now);
    if (claim !== this.#current) return;
    this.#hasTaken = true;
    if (!this.#isAlone(claim)) claim.credit -= units;
  }

  /** The claim got less than it wants: it is called when it is its turn. */
  wait(claim: Claim): void {
    if (claim.isWaiting) return;
    claim.isWaiting = true;
    claim.credit = 0;
    this.#append(claim);
  }

  /** The claim is gone. */
  leave(claim: Claim): void {
    if (!claim.isWaiting) return;
    const rest = this.#waiting().filter((other) => other !== claim);
    if (this.#at(0) === claim) this.#headBegan = false;
    this.#head = 0;
    this.#count = 0;
    this.#ring.fill(undefined);
    for (const other of rest) this.#append(other);
    claim.isWaiting = false;
    claim.credit = 0;
  }

  /** Calls those that wait, in turn, until there is too little left or nobody can use it. */
  run(now: number): void {
    // What a turn brings about must not begin another inside it.
    if (this.#current) return;
    let idleTurns = 0;
    while (this.#count > idleTurns && this.#supply.available(now) >= this.#supply.unitsMin) {
      idleTurns = this.#turn(now) ? 0 : idleTurns + 1;
    }
  }

  /** When `run` is to be called again; infinity when nobody waits, or the date is not known. */
  nextTurnAtMs(now: number): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#supply.nextAvailable(now);
  }

  /** @returns Whether anything was taken, or a debt was paid. */
  #turn(now: number): boolean {
    const { unitsMin } = this.#supply;
    const claim = this.#at(0)!;
    if (!this.#headBegan) claim.credit += this.#supply.quantum(this.#count);
    this.#headBegan = false;
    // Who took more at once than its turn was worth passes until that is paid.
    if (claim.credit < unitsMin) {
      this.#append(this.#shift());
      return true;
    }
    this.#current = claim;
    this.#hasTaken = false;
    const wantsMore = claim.use(now);
    this.#current = undefined;
    if (!claim.isWaiting) return this.#hasTaken;
    if (!wantsMore) {
      this.#shift();
      claim.isWaiting = false;
      claim.credit = 0;
    } else if (claim.credit >= unitsMin && this.#supply.available(now) < unitsMin) {
      this.#headBegan = true;
    } else {
      this.#append(this.#shift());
    }
    return this.#hasTaken;
  }

  /** Nobody but the claim wants anything. */
  #isAlone(claim: Claim): boolean {
    return this.#count === 0 || (this.#count === 1 && claim.isWaiting);
  }

  #at(index: number): Claim | undefined {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)];
  }

  #waiting(): Claim[] {
    return Array.from({ length: this.#count }, (_, index) => this.#at(index)!);
  }

  #append(claim: Claim): void {
    if (this.#count === this.#ring.length) {
      const waiting = this.#waiting();
      this.#ring = [...waiting, ...waiting.map(() => undefined)];
      this.#head = 0;
    }
    this.#ring[(this.#head + this.#count) & (this.#ring.length - 1)] = claim;
    this.#count += 1;
  }

  #shift(): Claim {
    const claim = this.#at(0)!;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#count -= 1;
    return claim;
  }
}
