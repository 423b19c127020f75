import { toHex } from "../base/bytes.ts";
import type { Log } from "../ports/log.ts";
import type { KnownPrincipal } from "./principal.ts";

/** What somebody did, by what their programs say (TRK-5): bounded by the time that went by, and not proven. */
export interface PrincipalFigures {
  /** Downloads finished. */
  readonly completed: number;
  /** Bytes. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Seconds as a seed, of each program and torrent. */
  readonly seededS: number;
}

/** What somebody did in one swarm since it was told last. */
export interface PrincipalChange extends PrincipalFigures {
  readonly principal: KnownPrincipal;
  /** The first of the torrent, 20 bytes. */
  readonly infohash: Uint8Array;
}

/** Where it outlives the process. */
export interface PrincipalTotalsStore {
  /** Over all torrents. It is read once, before the first announce. */
  sums(): Iterable<PrincipalFigures & { readonly principal: KnownPrincipal }>;
  /** Adds to what is there: all of it, or nothing. */
  add(changes: readonly PrincipalChange[]): Promise<void>;
}

type Figures = { -readonly [Key in keyof PrincipalFigures]: PrincipalFigures[Key] };
type Change = Figures & Pick<PrincipalChange, "principal" | "infohash">;

/** Principals and torrents with something unsaved. A database that takes nothing for long makes no more memory than this. */
const CHANGES_MAX = 100_000;
const NOTHING: PrincipalFigures = { completed: 0, uploaded: 0, downloaded: 0, seededS: 0 };

/**
 * What members and devices have done, in memory and, by torrent, in batches in a store (TRK-17: a kill loses what came
 * since the last one).
 */
export class PrincipalTotals {
  readonly #store: PrincipalTotalsStore;
  readonly #log: Log;
  readonly #changesMax: number;
  readonly #sums = new Map<string, Figures>();
  /** By principal and infohash. */
  #changes = new Map<string, Change>();
  #dropped = 0;
  #saving: Promise<void> = Promise.resolve();

  constructor(store: PrincipalTotalsStore, log: Log, changesMax = CHANGES_MAX) {
    this.#store = store;
    this.#log = log;
    this.#changesMax = changesMax;
    for (const { principal, ...figures } of store.sums()) {
      addTo(this.#sumOf(nameOf(principal)), figures);
    }
  }

  /** Over all torrents and all time, unsaved changes included. */
  sum(principal: KnownPrincipal): PrincipalFigures {
    return this.#sums.get(nameOf(principal)) ?? NOTHING;
  }

  add(change: PrincipalChange): void {
    addTo(this.#sumOf(nameOf(change.principal)), change);
    this.#note(change);
  }

  /** Saves what changed. What cannot be saved is tried again the next time. */
  flush(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const changes = this.#changes;
    if (changes.size === 0) return;
    this.#changes = new Map();
    try {
      await this.#store.add([...changes.values()]);
      if (this.#dropped > 0) {
        this.#log.warn("some totals by torrent are lost", { changes: this.#dropped });
        this.#dropped = 0;
      }
    } catch (error) {
      this.#log.warn("totals of members are not saved yet", { why: String(error) });
      for (const change of changes.values()) this.#note(change);
    }
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
