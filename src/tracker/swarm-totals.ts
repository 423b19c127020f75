import { toHex } from "../base/bytes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { KnownTotals, type SwarmTotals } from "./known-totals.ts";
import { PartedSave } from "./save-in-parts.ts";

/** Stores totals beyond the life of the process. */
export interface TotalsStore {
  /** All saved totals. Read once, before the first announce. */
  all(): Iterable<SwarmTotals & { readonly infohash: Uint8Array }>;
  /** Saves all of the totals, or none. */
  save(totals: readonly (SwarmTotals & { readonly infohash: Uint8Array })[]): Promise<void>;
}

interface Entry {
  infohash: Uint8Array;
  completed: number;
  uploaded: number;
  downloaded: number;
  changed: boolean;
  /** True for a registered torrent: its totals outlive its swarm and the process. */
  lasts: boolean;
}

/**
 * Totals of unregistered torrents that are kept while their swarm is empty; the oldest are dropped
 * first.
 */
const PASSING_MAX = 10_000;

/**
 * Totals of the open swarms, by swarm number. Totals of registered torrents are saved from time to
 * time when they changed (TRK-17). An open tracker receives an endless number of infohashes,
 * invented ones included: their totals stay in memory, and only a bounded number of them (TRK-10).
 */
export class OpenTotals {
  readonly #store: TotalsStore;
  readonly #log: Log;
  readonly #saves: PartedSave;
  readonly #known: KnownTotals;
  readonly #entries = new Map<number, Entry>();
  /** By infohash in hexadecimal, in the order their swarms closed. */
  readonly #passing = new Map<string, Entry>();
  #changed: Entry[] = [];
  #saving: Promise<void> = Promise.resolve();

  /** @param key - 32 secret bits. */
  constructor(
    store: TotalsStore,
    key: number,
    world: { readonly clock: Pick<Clock, "startTimer">; readonly log: Log },
  ) {
    this.#store = store;
    this.#log = world.log;
    this.#saves = new PartedSave(world.clock);
    this.#known = new KnownTotals(key, store.all());
  }

  /**
   * @returns Totals of a registered torrent whose swarm is closed. @param infohash - The torrent's
   * first infohash.
   */
  find(infohash: Uint8Array): SwarmTotals | undefined {
    return this.#known.find(infohash);
  }

  /** @param registered - True when the totals must last. */
  open(swarm: number, infohash: Uint8Array, registered: boolean): void {
    const name = toHex(infohash);
    const known = registered ? this.#known.find(infohash) : this.#passing.get(name);
    this.#passing.delete(name);
    this.#entries.set(swarm, {
      infohash,
      completed: known?.completed ?? 0,
      uploaded: known?.uploaded ?? 0,
      downloaded: known?.downloaded ?? 0,
      changed: false,
      lasts: registered,
    });
  }

  /** The torrent of an open swarm was registered: the swarm's totals so far now belong to it. */
  register(swarm: number): void {
    const entry = this.#entries.get(swarm);
    if (!entry || entry.lasts) return;
    entry.lasts = true;
    this.#markChanged(entry);
  }

  /** The swarm turned out to be a hybrid's: keep its totals under the first infohash. */
  rename(swarm: number, infohash: Uint8Array): void {
    const entry = this.#entries.get(swarm);
    if (entry) entry.infohash = new Uint8Array(infohash);
  }

  /** @returns False while something is unsaved: keep the swarm open then. */
  close(swarm: number): boolean {
    const entry = this.#entries.get(swarm);
    if (entry?.changed) return false;
    this.#entries.delete(swarm);
    if (entry && !entry.lasts && entry.completed + entry.uploaded + entry.downloaded > 0) {
      this.#passing.set(toHex(entry.infohash), entry);
      const [oldest] = this.#passing.keys();
      if (this.#passing.size > PASSING_MAX) this.#passing.delete(oldest!);
    }
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

  /** Saves the changes. A failed save is retried the next time. */
  flush(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const changed = this.#changed;
    this.#changed = [];
    const { unsaved, error } = await this.#saves.run(changed, (part) => this.#savePart(part));
    if (unsaved.length === 0) return;
    this.#log.warn("cannot save the totals of swarms yet", { why: String(error) });
    // Some of the part that failed may have changed meanwhile.
    const waiting = new Set(this.#changed);
    for (const entry of unsaved) {
      entry.changed = true;
      if (!waiting.has(entry)) this.#changed.push(entry);
    }
  }

  async #savePart(part: readonly Entry[]): Promise<void> {
    const rows = part.map((entry) => {
      const { infohash, completed, uploaded, downloaded } = entry;
      entry.changed = false;
      this.#known.set(infohash, entry);
      return { infohash, completed, uploaded, downloaded };
    });
    await this.#store.save(rows);
  }

  #markChanged(entry: Entry): void {
    if (entry.changed || !entry.lasts) return;
    entry.changed = true;
    this.#changed.push(entry);
  }
}
