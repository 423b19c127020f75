import type { Clock, Timer } from "../ports/clock.ts";

const ROUND_MS = 60_000;
/** Swarms that are swept in one piece: some 3 ms when all their peers fall silent. */
const SWEPT_TOGETHER = 1_000;

export interface HousekeepingOptions {
  readonly clock: Pick<Clock, "startTimer">;
  /** Swarms have numbers below this. */
  readonly swarmsEnd: () => number;
  /** Drops silent peers of the swarms from `from` to below `end`. */
  readonly sweep: (from: number, end: number) => void;
  /** Saves the totals: after each sweep of all swarms, and at the end. It never rejects. */
  readonly save: () => Promise<unknown>;
}

/** What a tracker does once a minute, in pieces: announces are answered in between, however many swarms there are. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  #timer: Timer | undefined;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.startTimer(ROUND_MS, () => this.#sweepFrom(0));
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#options.save();
  }

  #sweepFrom(from: number): void {
    const { clock, swarmsEnd, sweep, save } = this.#options;
    const end = Math.min(from + SWEPT_TOGETHER, swarmsEnd());
    sweep(from, end);
    if (end < swarmsEnd()) {
      this.#timer = clock.startTimer(0, () => this.#sweepFrom(end));
      return;
    }
    void save();
    this.start();
  }
}
