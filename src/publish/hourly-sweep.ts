import type { Clock, Timer } from "../ports/clock.ts";

/** From the end of one sweep to the beginning of the next. */
const PAUSE_MS = 3_600_000;

/**
 * Runs a task every hour, until it is stopped.
 *
 * waiting -> sweeping -> waiting; any -> stopped, for good.
 */
export class HourlySweep {
  readonly #clock: Clock;
  readonly #sweep: () => Promise<void>;
  #timer: Timer | undefined;
  #sweeping: Promise<void> | undefined;
  #stopped = false;

  /** @param sweep - Must not reject. */
  constructor(clock: Clock, sweep: () => Promise<void>) {
    this.#clock = clock;
    this.#sweep = sweep;
  }

  /** The first sweep runs in an hour; none runs after `stop`. */
  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#clock.startTimer(PAUSE_MS, () => {
      this.#sweeping = this.#sweep().finally(() => {
        this.#sweeping = undefined;
        this.start();
      });
    });
  }

  /** Waits for a running sweep. Afterwards nothing runs, and no timer is left. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }
}
