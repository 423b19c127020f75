/** A torrent that asks for a slot, and what ends its wait. */
export interface SlotAsker {
  /** Stands for the torrent; announces with the same object share its slots. */
  readonly torrent: object;
  readonly signal: AbortSignal;
}

/** The announces of one torrent. It is forgotten when none is left. */
interface Line {
  running: number;
  readonly waiting: Set<() => void>;
}

/**
 * Limits how many announces run at a time, for all torrents together; the others wait. Torrents take turns, and each
 * may take a slot only while it holds fewer than are free: one with a hundred dead trackers then holds half of the
 * slots, and the next torrent need not wait until they time out. N torrents that all wait hold equal shares.
 */
export class AnnounceSlots {
  #free: number;
  /** In the order of their turns. */
  readonly #lines = new Map<object, Line>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @returns The result of `run`, or `undefined` when the signal aborted before its turn. */
  async run<T>({ torrent, signal }: SlotAsker, run: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.#take(torrent, signal))) return undefined;
    try {
      return await run();
    } finally {
      this.#give(torrent);
    }
  }

  #take(torrent: object, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    const line = this.#lines.get(torrent) ?? { running: 0, waiting: new Set() };
    this.#lines.set(torrent, line);
    if (this.#mayTake(line)) {
      this.#free -= 1;
      line.running += 1;
      return Promise.resolve(true);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const leave = (): void => {
      line.waiting.delete(enter);
      this.#forgetEmpty(torrent, line);
      resolve(false);
    };
    const enter = (): void => {
      line.waiting.delete(enter);
      signal.removeEventListener("abort", leave);
      resolve(true);
    };
    line.waiting.add(enter);
    signal.addEventListener("abort", leave, { once: true });
    return promise;
  }

  #give(torrent: object): void {
    const line = this.#lines.get(torrent)!;
    line.running -= 1;
    this.#free += 1;
    this.#forgetEmpty(torrent, line);
    this.#admit();
  }

  /** Lets announces in, one of each torrent in turn: a torrent that got a slot goes to the end of the turns. */
  #admit(): void {
    for (const [torrent, line] of this.#lines) {
      if (this.#free === 0) return;
      const [next] = line.waiting;
      if (!next || !this.#mayTake(line)) continue;
      this.#free -= 1;
      line.running += 1;
      next();
      this.#lines.delete(torrent);
      this.#lines.set(torrent, line);
    }
  }

  #mayTake({ running }: Line): boolean {
    return running < this.#free;
  }

  #forgetEmpty(torrent: object, { running, waiting }: Line): void {
    if (running === 0 && waiting.size === 0) this.#lines.delete(torrent);
  }
}
