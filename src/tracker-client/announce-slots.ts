/** Lets so many run at a time; the others wait in line. */
export class AnnounceSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns What `run` returns, or `undefined` when the signal came before its turn. */
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

  /** The place goes to who waits longest, or becomes free. */
  #give(): void {
    const [next] = this.#waiting;
    if (next) next();
    else this.#free += 1;
  }
}
