import type { Clock, Timer } from "../ports/clock.ts";
import type { Log, LogFields } from "../ports/log.ts";
import type { OutsideFault, OutsideFaults } from "../ports/outside-faults.ts";

/** How long after the first fault to log the sums. */
const PERIOD_MS = 60_000;
/** Faults of one kind that are logged individually in a period. */
const DETAILS_MAX = 10;

/**
 * Counts the faults of others and logs them at debug level: the first few of each kind
 * individually, and the sums once a minute.
 */
export class FaultCounts implements OutsideFaults {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #totals = new Map<OutsideFault, number>();
  /** Counts of this period. */
  readonly #recent = new Map<OutsideFault, number>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Counts since the start. */
  get totals(): Readonly<Partial<Record<OutsideFault, number>>> {
    return Object.fromEntries(this.#totals);
  }

  count(fault: OutsideFault, fields: LogFields = {}): void {
    if (this.#closed) return;
    const recent = (this.#recent.get(fault) ?? 0) + 1;
    this.#recent.set(fault, recent);
    this.#totals.set(fault, (this.#totals.get(fault) ?? 0) + 1);
    if (recent <= DETAILS_MAX) this.#log.debug("a fault of others", { fault, ...fields });
    this.#timer ??= this.#clock.startTimer(PERIOD_MS, () => this.#sumUp());
  }

  /**
   * Logs the pending sums. Later faults are not counted, so that nothing keeps the program running.
   */
  close(): void {
    if (this.#timer) this.#sumUp();
    this.#closed = true;
  }

  #sumUp(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const counts = Object.fromEntries(this.#recent);
    this.#recent.clear();
    this.#log.debug("faults of others", { counts, sinceStart: this.totals });
  }
}
