import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";

/** Every sleeping seed is announced once in this time; trackers forget peers after about twice as long. */
export const ROUND_MS = 30 * 60_000;
const TICK_MS = 1_000;
/** Counting reads an index of all seeds. */
const RECOUNT_MS = 60_000;
/** Turns taken after one tick, however late it is: a machine that slept does not announce everything at once. */
const TURNS_AT_ONCE_MAX = 200;
/** Turns under way; trackers that do not answer hold the others back no longer than this. */
const UNDER_WAY_MAX = 400;

export interface AnnounceTurnsOptions {
  readonly transfers: Pick<TransferTable, "seedsAfter" | "countSeeds">;
  readonly clock: Clock;
  readonly log: Log;
  /** The turn of one seed has come. @param isFirst - It had none since this node started. */
  readonly take: (row: TransferRow, isFirst: boolean) => Promise<void>;
}

/**
 * Goes through all seeds in the order in which they were added, evenly: in each second of a round as many as in every
 * other. All it remembers is how far it got.
 */
export class AnnounceTurns {
  readonly #options: AnnounceTurnsOptions;
  #timer: Timer | undefined;
  /** The seed that had its turn last. */
  #seq = 0;
  /** The highest one that had a turn. */
  #announcedSeq = 0;
  #seeds = 0;
  #recountAtMs = 0;
  /** Turns that are due, with a fraction. */
  #due = 0;
  #lastMs: number;
  #underWay = 0;
  #isTicking = false;
  #isStopped = false;

  constructor(options: AnnounceTurnsOptions) {
    this.#options = options;
    this.#lastMs = options.clock.nowMs();
  }

  start(): void {
    this.#lastMs = this.#options.clock.nowMs();
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.startTimer(TICK_MS, () => {
      void this.#tick().catch((error: unknown) => {
        this.#options.log.error("the turns of sleeping seeds failed", { error: String(error) });
      });
      this.#schedule();
    });
  }

  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      await this.#takeTurns();
    } finally {
      this.#isTicking = false;
    }
  }

  async #takeTurns(): Promise<void> {
    const { transfers, clock } = this.#options;
    const now = clock.nowMs();
    if (now >= this.#recountAtMs) {
      this.#seeds = await transfers.countSeeds();
      this.#recountAtMs = now + RECOUNT_MS;
    }
    const dueMax = Math.max(1, Math.min(this.#seeds, TURNS_AT_ONCE_MAX));
    this.#due = Math.min(this.#due + (this.#seeds * (now - this.#lastMs)) / ROUND_MS, dueMax);
    this.#lastMs = now;
    const count = Math.min(Math.floor(this.#due), UNDER_WAY_MAX - this.#underWay);
    if (count <= 0) return;
    this.#due -= count;
    const rows = await transfers.seedsAfter(this.#seq, count);
    if (rows.length < count) {
      // The round is over, and the next one begins at once: no turn is lost between them.
      const known = new Set(rows.map(({ seq }) => seq));
      const first = await transfers.seedsAfter(0, count - rows.length);
      rows.push(...first.filter(({ seq }) => !known.has(seq)));
    }
    this.#seq = rows.at(-1)?.seq ?? 0;
    for (const row of rows) this.#begin(row);
  }

  #begin(row: TransferRow): void {
    if (this.#isStopped) return;
    const isFirst = row.seq > this.#announcedSeq;
    if (isFirst) this.#announcedSeq = row.seq;
    this.#underWay += 1;
    void this.#options.take(row, isFirst).finally(() => {
      this.#underWay -= 1;
    });
  }
}
