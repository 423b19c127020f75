import type { Clock, Timer } from "../ports/clock.ts";
import type { Transfers } from "../transfers/transfers.ts";

/** What has changed within this time is "recently active", as in Transmission. */
const RECENT_MS = 60_000;
/** Without a question for this long nothing is followed any more. */
const FOLLOWED_MS = 5 * 60_000;
/** Ids that are kept; with more, everything counts as changed. */
const CHANGED_MAX = 100_000;

/** The transfers that changed lately, followed only while some program asks for them. */
export class RecentChanges {
  readonly #transfers: Pick<Transfers, "watch" | "removed">;
  readonly #clock: Clock;
  /** When each changed last, the earliest first. */
  readonly #changed = new Map<string, number>();
  #beganMs = 0;
  #unwatch: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(transfers: Pick<Transfers, "watch" | "removed">, clock: Clock) {
    this.#transfers = transfers;
    this.#clock = clock;
  }

  /** @returns `ids` is `undefined` when it is not known yet what has changed: then everything may have. */
  ask(): { readonly ids: readonly string[] | undefined; readonly removed: readonly number[] } {
    const now = this.#clock.nowMs();
    this.#follow(now);
    const sinceMs = now - RECENT_MS;
    for (const [id, atMs] of this.#changed) {
      if (atMs >= sinceMs) break;
      this.#changed.delete(id);
    }
    const removed = this.#transfers.removed.since(sinceMs);
    return { ids: this.#beganMs > sinceMs ? undefined : [...this.#changed.keys()], removed };
  }

  close(): void {
    this.#timer?.cancel();
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#changed.clear();
  }

  #follow(now: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.startTimer(FOLLOWED_MS, () => this.close());
    if (this.#unwatch) return;
    this.#beganMs = now;
    this.#unwatch = this.#transfers.watch(({ changed }) => {
      const nowMs = this.#clock.nowMs();
      for (const { id } of changed) {
        this.#changed.delete(id);
        this.#changed.set(id, nowMs);
      }
      if (this.#changed.size <= CHANGED_MAX) return;
      this.#changed.clear();
      this.#beganMs = nowMs;
    });
  }
}
