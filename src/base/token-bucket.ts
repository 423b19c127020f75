/** A rate with a burst: `perSecond` units flow in, up to `burst` are kept. Time is monotonic milliseconds. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #level: number;
  #atMs: number;

  constructor(options: { readonly perSecond: number; readonly burst: number }, now: number) {
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#level = options.burst;
    this.#atMs = now;
  }

  /** Takes units. @returns False, and takes none, when there are too few. */
  take(units: number, now: number): boolean {
    this.#fill(now);
    if (this.#level < units) return false;
    this.#level -= units;
    return true;
  }

  /** Takes units that are used already; the level may fall below nothing. */
  spend(units: number, now: number): void {
    this.#fill(now);
    this.#level -= units;
  }

  /** Gives back units that were taken and not used. */
  giveBack(units: number): void {
    this.#level = Math.min(this.#burst, this.#level + units);
  }

  /** Milliseconds until that many units are there. */
  waitMs(units: number, now: number): number {
    this.#fill(now);
    return Math.max(0, Math.ceil(((units - this.#level) * 1000) / this.#perSecond));
  }

  isFull(now: number): boolean {
    this.#fill(now);
    return this.#level >= this.#burst;
  }

  #fill(now: number): void {
    const passedMs = Math.max(0, now - this.#atMs);
    this.#level = Math.min(this.#burst, this.#level + (passedMs * this.#perSecond) / 1000);
    this.#atMs = now;
  }
}
