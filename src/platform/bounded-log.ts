import type { Clock, Timer } from "../ports/clock.ts";
import type { Log, LogFields } from "../ports/log.ts";

type LoudLevel = "warn" | "error";

/** How long after the first line to report the number of suppressed lines. */
const PERIOD_MS = 60_000;
/** Lines written for one message in a period. */
const LINES_MAX = 20;
/** Distinct messages that are counted; this program has fewer. */
const MESSAGES_MAX = 500;

interface Tally {
  readonly level: LoudLevel;
  lines: number;
}

/**
 * A log whose warnings and errors strangers cannot multiply. When each request shows the same fault
 * of ours, the first lines are written, and the rest are counted in one line a minute.
 */
export class BoundedLog implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  /** Counts of this period, by message. */
  readonly #tallies = new Map<string, Tally>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log.debug(message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log.info(message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    if (this.#admits("warn", message)) this.#log.warn(message, fields);
  }

  error(message: string, fields?: LogFields): void {
    if (this.#admits("error", message)) this.#log.error(message, fields);
  }

  /**
   * Reports the pending counts. Later lines pass uncounted, so that no timer keeps the program
   * running.
   */
  close(): void {
    if (this.#timer) this.#sumUp();
    this.#closed = true;
  }

  #admits(level: LoudLevel, message: string): boolean {
    if (this.#closed) return true;
    this.#timer ??= this.#clock.startTimer(PERIOD_MS, () => this.#sumUp());
    const tally = this.#tallies.get(message);
    if (!tally) {
      if (this.#tallies.size < MESSAGES_MAX) this.#tallies.set(message, { level, lines: 1 });
      return true;
    }
    tally.lines += 1;
    return tally.lines <= LINES_MAX;
  }

  #sumUp(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const tallies = [...this.#tallies];
    this.#tallies.clear();
    for (const [line, { level, lines }] of tallies) {
      const count = lines - LINES_MAX;
      if (count > 0) this.#log[level]("more lines like one above were left out", { line, count });
    }
  }
}
