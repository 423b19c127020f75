import type { Log } from "../ports/log.ts";

/** Over all time, of one swarm. */
export interface SwarmTotals {
  readonly completed: number;
  /** Bytes, as the peers reported them. */
  readonly uploaded: number;
  readonly downloaded: number;
}

/** Where totals outlive the process. */
export interface TotalsStore {
  /** Answers at once: it is asked once for each swarm that opens. */
  find(infohash: Uint8Array): SwarmTotals | undefined;
  /** All or nothing. */
  save(totals: readonly (SwarmTotals & { readonly infohash: Uint8Array })[]): Promise<void>;
}

interface Entry {
  infohash: Uint8Array;
  completed: number;
  uploaded: number;
  downloaded: number;
  changed: boolean;
}

/** Totals of the open swarms, by swarm number; what changed is saved now and then (TRK-17). */
export class OpenTotals {
  readonly #store: TotalsStore;
  readonly #log: Log;
  readonly #entries = new Map<number, Entry>();
  #changed: Entry[] = [];
  #saving: Promise<void> = Promise.resolve();

  constructor(store: TotalsStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  open(swarm: number, infohash: Uint8Array): void {
    const known = this.#store.find(infohash);
    this.#entries.set(swarm, {
      infohash,
      completed: known?.completed ?? 0,
      uploaded: known?.uploaded ?? 0,
      downloaded: known?.downloaded ?? 0,
      changed: false,
    });
  }

  /** @returns False while something is unsaved: then the swarm stays open. */
  close(swarm: number): boolean {
    if (this.#entries.get(swarm)?.changed) return false;
    this.#entries.delete(swarm);
    return true;
  }

  get(swarm: number): SwarmTotals | undefined {
    return this.#entries.get(swarm);
  }

  add(swarm: number, more: SwarmTotals): void {
    const entry = this.#entries.get(swarm);
    if (!entry) return;
    entry.completed += more.completed;
    entry.uploaded = Math.min(entry.uploaded + more.uploaded, Number.MAX_SAFE_INTEGER);
    entry.downloaded = Math.min(entry.downloaded + more.downloaded, Number.MAX_SAFE_INTEGER);
    this.#markChanged(entry);
  }

  /** Saves what changed. What cannot be saved is tried again the next time. */
  flush(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const changed = this.#changed;
    if (changed.length === 0) return;
    this.#changed = [];
    const rows = changed.map((entry) => {
      const { infohash, completed, uploaded, downloaded } = entry;
      entry.changed = false;
      return { infohash, completed, uploaded, downloaded };
    });
    try {
      await this.#store.save(rows);
    } catch (error) {
      this.#log.warn("totals of swarms are not saved yet", { why: String(error) });
      for (const entry of changed) this.#markChanged(entry);
    }
  }

  #markChanged(entry: Entry): void {
    if (entry.changed) return;
    entry.changed = true;
    this.#changed.push(entry);
  }
}
