/** Limits how many announces run at a time; the others wait in line. */
export class AnnounceSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns The result of `run`, or `undefined` when the signal aborted before its turn. */
  async run<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.#take(signal))) return undefined;
    try {
      return await run();
    } finally {
      this.#give();
    }
  }

  #take(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(true);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const leave = (): void => {
      this.#waiting.delete(enter);
      resolve(false);
    };
    const enter = (): void => {
      this.#waiting.delete(enter);
      signal.removeEventListener("abort", leave);
      resolve(true);
    };
    this.#waiting.add(enter);
    signal.addEventListener("abort", leave, { once: true });
    return promise;
  }

  /** Gives the slot to the first in line, or frees it. */
  #give(): void {
    const [next] = this.#waiting;
    if (next) next();
    else this.#free += 1;
  }
}
