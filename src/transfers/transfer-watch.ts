import type { Clock } from "../ports/clock.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import type { Transfer } from "./transfer.ts";

/** What has changed since the last news; ids of transfers that are gone. */
export interface TransferNews {
  readonly changed: readonly Transfer[];
  readonly removed: readonly string[];
}

/** Changes of transfers that a watcher hears of at one time; the rest comes with the next second. */
const CHANGED_MAX = 500;
/** Transfers that are looked at before other work has a turn. */
const SLICE = 100;

export interface TransferWatchParts {
  readonly find: (id: string) => Promise<Transfer | undefined>;
  readonly running: RunningTransfers;
  readonly clock: Clock;
}

/** Tells watchers what has changed, once a second. It costs nothing while nobody watches. */
export class TransferWatch {
  readonly #parts: TransferWatchParts;
  readonly #listeners = new Set<(news: TransferNews) => void>();
  readonly #changed = new Set<string>();
  /** How each running transfer looked when the watchers were last told of it. */
  readonly #told = new Map<string, string>();
  #isTelling = false;

  constructor(parts: TransferWatchParts) {
    this.#parts = parts;
  }

  add(listener: (news: TransferNews) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#changed.clear();
      this.#told.clear();
    };
  }

  handleChange(id: string): void {
    if (this.#listeners.size > 0) this.#changed.add(id);
  }

  /** Call it once a second. */
  async tell(): Promise<void> {
    if (this.#listeners.size === 0 || this.#isTelling) return;
    this.#isTelling = true;
    try {
      await this.#tellNow();
    } finally {
      this.#isTelling = false;
    }
  }

  async #tellNow(): Promise<void> {
    for (const { id } of this.#parts.running.all()) this.#changed.add(id);
    const ids = [...this.#changed].slice(0, CHANGED_MAX);
    const changed: Transfer[] = [];
    const removed: string[] = [];
    for (const [index, id] of ids.entries()) {
      if (index % SLICE === SLICE - 1) await this.#pause();
      this.#changed.delete(id);
      const transfer = await this.#parts.find(id);
      if (!transfer) {
        this.#told.delete(id);
        removed.push(id);
      } else if (this.#isNews(transfer)) changed.push(transfer);
      // One that does not run changes when somebody changes it.
      if (!this.#parts.running.get(id)) this.#told.delete(id);
    }
    if (changed.length + removed.length === 0) return;
    for (const listener of this.#listeners) listener({ changed, removed });
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => void this.#parts.clock.startTimer(0, resolve));
  }

  #isNews(transfer: Transfer): boolean {
    // Seeding time runs by itself; nobody is told of each second.
    const { seededMs: _, infohashes: _same, ...shown } = transfer;
    const look = JSON.stringify(shown);
    if (this.#told.get(transfer.id) === look) return false;
    this.#told.set(transfer.id, look);
    return true;
  }
}
