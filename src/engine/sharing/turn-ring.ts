/** A supply that is used up and renewed: a rate, memory, attempts to connect. */
export interface Supply {
  /** Units that may be taken now; infinity when nothing limits them. */
  available(now: number): number;
  /** Counts units as taken. */
  take(units: number, now: number): void;
  /** When a turn may begin, if nobody takes the units before: `now` when at once, infinity when unknown. */
  nextAvailable(now: number): number;
  /** The minimum worth of a turn: with fewer units available no claim is called. */
  readonly unitsMin: number;
  /** Units of one turn when this many claims wait. */
  quantum(waiting: number): number;
}

/** A claim on a supply. Only the ring writes into it. */
export class Claim {
  /** Uses its turn. @returns Whether it wants more than it was allowed. */
  readonly use: (now: number) => boolean;
  /** It is in the ring. */
  isWaiting = false;
  /** Units left of its turn; negative when it took more at once. */
  credit = 0;

  constructor(use: (now: number) => boolean) {
    this.use = use;
  }
}

/**
 * Shares a supply in turns (deficit round robin). While no claim waits, each takes what is available. Otherwise only
 * the claim whose turn it is may take, at most a quantum, and then goes to the end of the ring. Two claims that wait
 * all the time differ by a quantum and one largest take, however long they wait. A claim that has left starts afresh:
 * nothing is saved up.
 */
export class TurnRing {
  readonly #supply: Supply;
  /** The head of a queue in an array; its length is a power of two. */
  #ring: (Claim | undefined)[] = Array.from({ length: 8 }, () => undefined);
  #head = 0;
  #count = 0;
  /** The claim whose turn it is. */
  #current: Claim | undefined;
  #hasTaken = false;
  /** The turn of the head began, and ended early for lack of units. */
  #headBegan = false;

  constructor(supply: Supply) {
    this.#supply = supply;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Claims other than this one wait. */
  hasOthers(claim: Claim): boolean {
    return !this.#isAlone(claim);
  }

  /** It is the claim's turn, or no claim waits. */
  mayTry(claim: Claim): boolean {
    if (this.#isAlone(claim)) return true;
    return claim === this.#current && claim.credit >= this.#supply.unitsMin;
  }

  /** Units that the claim may take now: none while others wait and it is not its turn. */
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

  /** Calls the waiting claims, in turn, until too little is left or none can use it. */
  run(now: number): void {
    // The consequences of a turn must not begin another turn inside it.
    if (this.#current) return;
    let idleTurns = 0;
    while (this.#count > idleTurns && this.#supply.available(now) >= this.#supply.unitsMin) {
      idleTurns = this.#turn(now) ? 0 : idleTurns + 1;
    }
  }

  /** When to call `run` again; infinity when no claim waits, or the time is unknown. */
  nextTurnAtMs(now: number): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#supply.nextAvailable(now);
  }

  /** @returns Whether anything was taken, or a debt was paid. */
  #turn(now: number): boolean {
    const { unitsMin } = this.#supply;
    const claim = this.#at(0)!;
    if (!this.#headBegan) claim.credit += this.#supply.quantum(this.#count);
    this.#headBegan = false;
    // A claim that took more at once than its turn was worth is skipped until that is paid.
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

  /** No other claim wants anything. */
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
