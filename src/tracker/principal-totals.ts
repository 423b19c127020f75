import { toHex } from "../base/bytes.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { KnownPrincipal } from "./principal.ts";
import { PartedSave } from "./save-in-parts.ts";

/**
 * What a principal did, as its programs report it (TRK-5): bounded by elapsed time, but not proven.
 */
export interface PrincipalFigures {
  /** Downloads finished. */
  readonly completed: number;
  /** Bytes. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Seconds spent as a seed, summed over programs and torrents. */
  readonly seededS: number;
}

/** What a principal did in one swarm since the last report. */
export interface PrincipalChange extends PrincipalFigures {
  readonly principal: KnownPrincipal;
  /** The torrent's first infohash, 20 bytes. */
  readonly infohash: Uint8Array;
}

/** Stores the totals beyond the life of the process. */
export interface PrincipalTotalsStore {
  /** Sums over all torrents. Read once, before the first announce. */
  sums(): Iterable<PrincipalFigures & { readonly principal: KnownPrincipal }>;
  /** Adds all of the changes to the stored totals, or none. */
  add(changes: readonly PrincipalChange[]): Promise<void>;
}

type Figures = { -readonly [Key in keyof PrincipalFigures]: PrincipalFigures[Key] };
type Change = Figures & Pick<PrincipalChange, "principal" | "infohash">;

/**
 * Principal and torrent pairs with unsaved changes. The bound limits memory while the database
 * refuses writes.
 */
const CHANGES_MAX = 100_000;
const NOTHING: PrincipalFigures = { completed: 0, uploaded: 0, downloaded: 0, seededS: 0 };

/**
 * Totals of what members and devices did: in memory, and by torrent in a store that is written in
 * batches. A kill loses the changes since the last batch (TRK-17).
 */
export class PrincipalTotals {
  readonly #store: PrincipalTotalsStore;
  readonly #log: Log;
  readonly #saves: PartedSave;
  readonly #changesMax: number;
  readonly #sums = new Map<string, Figures>();
  /** By principal and infohash. */
  #changes = new Map<string, Change>();
  #dropped = 0;
  #saving: Promise<void> = Promise.resolve();

  constructor(
    store: PrincipalTotalsStore,
    world: { readonly clock: Pick<Clock, "startTimer">; readonly log: Log },
    changesMax = CHANGES_MAX,
  ) {
    this.#store = store;
    this.#log = world.log;
    this.#saves = new PartedSave(world.clock);
    this.#changesMax = changesMax;
    for (const { principal, ...figures } of store.sums()) {
      addTo(this.#sumOf(nameOf(principal)), figures);
    }
  }

  /** Sums over all torrents and all time, including unsaved changes. */
  sum(principal: KnownPrincipal): PrincipalFigures {
    return this.#sums.get(nameOf(principal)) ?? NOTHING;
  }

  add(change: PrincipalChange): void {
    addTo(this.#sumOf(nameOf(change.principal)), change);
    this.#note(change);
  }

  /** Saves the changes. A failed save is retried the next time. */
  flush(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const changes = this.#changes;
    if (changes.size === 0) return;
    this.#changes = new Map();
    const save = (part: readonly PrincipalChange[]): Promise<void> => this.#store.add(part);
    const { unsaved, error } = await this.#saves.run([...changes.values()], save);
    if (unsaved.length === 0) {
      if (this.#dropped > 0) {
        this.#log.warn("lost some totals by torrent", { changes: this.#dropped });
        this.#dropped = 0;
      }
      return;
    }
    this.#log.warn("cannot save the totals of members yet", { why: String(error) });
    for (const change of unsaved) this.#note(change);
  }

  #note(change: PrincipalChange): void {
    const name = `${nameOf(change.principal)} ${toHex(change.infohash)}`;
    let known = this.#changes.get(name);
    if (!known) {
      if (this.#changes.size >= this.#changesMax) {
        this.#dropped += 1;
        return;
      }
      known = { principal: change.principal, infohash: change.infohash, ...NOTHING };
      this.#changes.set(name, known);
    }
    addTo(known, change);
  }

  #sumOf(name: string): Figures {
    let sum = this.#sums.get(name);
    if (!sum) {
      sum = { ...NOTHING };
      this.#sums.set(name, sum);
    }
    return sum;
  }
}

function nameOf({ kind, id }: KnownPrincipal): string {
  return `${kind} ${id}`;
}

function addTo(target: Figures, more: PrincipalFigures): void {
  target.completed += more.completed;
  target.uploaded = Math.min(target.uploaded + more.uploaded, Number.MAX_SAFE_INTEGER);
  target.downloaded = Math.min(target.downloaded + more.downloaded, Number.MAX_SAFE_INTEGER);
  target.seededS += more.seededS;
}
