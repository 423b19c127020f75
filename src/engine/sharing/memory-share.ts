import { Claim, type Supply, type TurnRing } from "./turn-ring.ts";

/**
 * Memory that is lent and returned. Its unit is one thing that needs memory, a piece or a run of blocks: how many bytes
 * that takes, and whether they are available, shows when somebody tries.
 */
export class MemorySupply implements Supply {
  readonly unitsMin = 1;
  #isShort = false;
  #takenAtMs = 0;

  available(): number {
    return this.#isShort ? 0 : 1;
  }

  /** The pool counts the bytes. */
  take(_units: number, now: number): void {
    this.#takenAtMs = now;
  }

  /** Since when there has been too little. */
  isShortSince(atMs: number): boolean {
    return this.#isShort && this.#takenAtMs <= atMs;
  }

  /** Memory has no due date: nobody knows when it is returned. */
  nextAvailable(now: number): number {
    return this.#isShort ? Number.POSITIVE_INFINITY : now;
  }

  quantum(): number {
    return 1;
  }

  /** There was not enough for a torrent. */
  handleShort(): void {
    this.#isShort = true;
  }

  /** Some memory was returned. */
  handleRoom(): void {
    this.#isShort = false;
  }
}

export interface MemoryShareOptions {
  readonly ring: TurnRing;
  readonly supply: MemorySupply;
  readonly use: (now: number) => boolean;
  readonly onWaiting: () => void;
  /** Memory was returned, and a torrent waits for it. */
  readonly onRoom: () => void;
  /** The owner tries by itself when memory is returned: it is not called for that. */
  readonly triesItself: boolean;
}

/** One torrent's turns at the memory that all torrents share. */
export class MemoryShare {
  readonly #options: MemoryShareOptions;
  readonly #ring: TurnRing;
  readonly #supply: MemorySupply;
  readonly #claim: Claim;
  #heldAtMs: number | undefined;

  constructor(options: MemoryShareOptions) {
    this.#options = options;
    this.#ring = options.ring;
    this.#supply = options.supply;
    this.#claim = new Claim(options.use);
  }

  /** No other torrent comes first. Whether there is enough memory shows when it is tried. */
  mayTry(): boolean {
    return this.#ring.mayTry(this.#claim);
  }

  /** When the disk last kept the owner waiting for memory; `undefined` when never. */
  get heldAtMs(): number | undefined {
    return this.#heldAtMs;
  }

  /** What the owner lacks is at the disk. */
  handleHeld(now: number): void {
    this.#heldAtMs = now;
  }

  /** There was enough. */
  take(now: number): void {
    this.#ring.take(this.#claim, 1, now);
  }

  /** There was not enough; nobody tries before some is returned. */
  handleShort(): void {
    this.#supply.handleShort();
  }

  wait(): void {
    this.#ring.wait(this.#claim);
    this.#options.onWaiting();
  }

  stopWaiting(): void {
    this.#ring.leave(this.#claim);
  }

  /** Memory was returned: those that wait for it get their turns. */
  handleRoom(): void {
    const { triesItself, onRoom } = this.#options;
    this.#supply.handleRoom();
    if (triesItself ? this.#ring.hasOthers(this.#claim) : !this.#ring.isEmpty) onRoom();
  }
}
