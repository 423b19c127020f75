import type { TransferList, TransferNewsView, TransferView } from "../../src/api/transfers.ts";
import { TRANSFER_EVENTS_PATH, transferPath, TRANSFERS_PATH } from "../../src/api/paths.ts";
import { askHub } from "../client/hub.ts";

/** A short hiccup, as when a laptop wakes, is not worth a bar. */
const HICCUP_MS = 2_500;
const REOPEN_MS = 3_000;
/** What a person did is shown until the news tell of it, and no longer than this. */
const ASSUMED_MS = 5_000;

/** What a person did and the node has not told yet. */
interface Assumed {
  readonly look: Partial<TransferView>;
  readonly untilMs: number;
}

/**
 * The transfers of the node as the page knows them: all of them once, then what changes (server-sent events with
 * deltas). What a person does shows at once, and is put back when the node refuses it.
 */
export class TransferStore {
  readonly #rows = new Map<string, TransferView>();
  readonly #assumed = new Map<string, Assumed>();
  /** Removed by a person, who may still undo it. */
  readonly #hidden = new Set<string>();
  readonly #listeners = new Set<() => void>();
  /** News that came while the list was on its way. */
  #waiting: TransferNewsView[] | undefined;
  #source: EventSource | undefined;
  #hiccup: ReturnType<typeof setTimeout> | undefined;
  #reopen: ReturnType<typeof setTimeout> | undefined;
  #shown: readonly TransferView[] | undefined;
  /** True while no news come. */
  isPaused = false;
  /** True once all of them are known. */
  isWhole: boolean;

  /** Follows this one only. */
  readonly #only: string | undefined;

  /**
   * @param isWhole - `first` is all of them.
   * @param only - The id of the one that is followed; absent: all of them are.
   */
  constructor(first: readonly TransferView[], isWhole: boolean, only?: string) {
    for (const transfer of first) this.#rows.set(transfer.id, transfer);
    this.isWhole = isWhole;
    this.#only = only;
  }

  /** Follows the node while the tab is visible. @returns Ends it. */
  follow(): () => void {
    const followVisibility = (): void => {
      if (document.visibilityState === "visible") this.#open();
      else this.#close();
    };
    followVisibility();
    document.addEventListener("visibilitychange", followVisibility);
    return () => {
      document.removeEventListener("visibilitychange", followVisibility);
      this.#close();
    };
  }

  /** @param listener - Called after each change. @returns Ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get(id: string): TransferView | undefined {
    const row = this.#rows.get(id);
    if (row === undefined || this.#hidden.has(id)) return undefined;
    const assumed = this.#assumed.get(id);
    return assumed === undefined ? row : { ...row, ...assumed.look };
  }

  /** All of them; the same array until something changes. */
  get all(): readonly TransferView[] {
    return (this.#shown ??= [...this.#rows.keys()].flatMap((id) => this.get(id) ?? []));
  }

  /** Adds one that the node has just told of in an answer. */
  put(transfer: TransferView): void {
    this.#rows.set(transfer.id, transfer);
    this.#changed();
  }

  /**
   * Shows `look` while `send` runs and until the news tell of it.
   *
   * @throws (rejects) What `send` throws, after everything was put back.
   */
  async assume(
    ids: readonly string[],
    look: Partial<TransferView> | ((transfer: TransferView) => Partial<TransferView>),
    send: () => Promise<unknown>,
  ): Promise<void> {
    const untilMs = performance.now() + ASSUMED_MS;
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row === undefined) continue;
      this.#assumed.set(id, { look: typeof look === "function" ? look(row) : look, untilMs });
    }
    this.#changed();
    try {
      await send();
      setTimeout(() => this.#forget(ids, untilMs), ASSUMED_MS);
    } catch (error) {
      this.#forget(ids, untilMs);
      throw error;
    }
  }

  /** A later action on the same transfer has assumptions of its own. */
  #forget(ids: readonly string[], untilMs: number): void {
    for (const id of ids) {
      if (this.#assumed.get(id)?.untilMs === untilMs) this.#assumed.delete(id);
    }
    this.#changed();
  }

  hide(ids: readonly string[]): void {
    for (const id of ids) this.#hidden.add(id);
    this.#changed();
  }

  unhide(ids: readonly string[]): void {
    for (const id of ids) this.#hidden.delete(id);
    this.#changed();
  }

  #changed(): void {
    this.#shown = undefined;
    for (const listener of this.#listeners) listener();
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#hiccup);
    clearTimeout(this.#reopen);
    this.#hiccup = undefined;
  }

  #open(): void {
    this.#close();
    const source = (this.#source = new EventSource(TRANSFER_EVENTS_PATH));
    const isOld = (): boolean => this.#source !== source;
    source.addEventListener("ready", () => {
      this.#waiting = [];
      this.#loadAll(isOld).catch((error: unknown) => {
        console.debug("the transfers could not be listed", error);
        if (!isOld()) this.#reopenLater();
      });
    });
    source.addEventListener("transfers", (event: MessageEvent<string>) => {
      // Written by our own node; the schema of this event is in src/api/.
      const news = JSON.parse(event.data) as TransferNewsView;
      if (this.#waiting) this.#waiting.push(news);
      else this.#take(news);
    });
    source.addEventListener("error", () => {
      this.#hiccup ??= setTimeout(() => this.#setPaused(true), HICCUP_MS);
      // The browser reconnects by itself after a lost connection, but not after a refusal.
      if (source.readyState === EventSource.CLOSED) this.#reopenLater();
    });
  }

  #reopenLater(): void {
    this.#hiccup ??= setTimeout(() => this.#setPaused(true), HICCUP_MS);
    clearTimeout(this.#reopen);
    this.#reopen = setTimeout(() => this.#open(), REOPEN_MS);
  }

  #setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
    this.#changed();
  }

  /** Nothing is missed: the stream was open before the list was asked for. */
  async #loadAll(isOld: () => boolean): Promise<void> {
    const rows = await this.#list(isOld);
    if (isOld()) return;
    this.#rows.clear();
    for (const transfer of rows) this.#rows.set(transfer.id, transfer);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.isWhole = true;
    clearTimeout(this.#hiccup);
    this.#hiccup = undefined;
    this.isPaused = false;
    for (const news of waiting) this.#apply(news);
    this.#changed();
  }

  async #list(isOld: () => boolean): Promise<TransferView[]> {
    if (this.#only !== undefined) return [await askHub("GET", transferPath(this.#only))];
    const rows: TransferView[] = [];
    let after: number | null = 0;
    while (after !== null && !isOld()) {
      const page: TransferList = await askHub("GET", `${TRANSFERS_PATH}?after=${after}`);
      rows.push(...page.transfers);
      after = page.next;
    }
    return rows;
  }

  #take(news: TransferNewsView): void {
    clearTimeout(this.#hiccup);
    this.#hiccup = undefined;
    this.isPaused = false;
    this.#apply(news);
    this.#changed();
  }

  #apply({ changed, removed }: TransferNewsView): void {
    for (const change of changed) {
      if (this.#only !== undefined && this.#only !== change.id) continue;
      const known = this.#rows.get(change.id);
      // The first news of a transfer is all of it.
      const row = { ...known, ...change } as TransferView;
      if (row.name === undefined) continue;
      this.#rows.set(row.id, row);
      if (this.#confirms(row)) this.#assumed.delete(row.id);
    }
    for (const id of removed) {
      this.#rows.delete(id);
      this.#assumed.delete(id);
      this.#hidden.delete(id);
    }
  }

  /** The node says what was assumed; figures of the moment before do not count. */
  #confirms(row: TransferView): boolean {
    const state = this.#assumed.get(row.id)?.look.state;
    if (state === undefined || state === row.state) return true;
    return state === "queued" && row.state !== "paused" && row.state !== "failed";
  }
}
