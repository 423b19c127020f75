import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";

/** How long steps of work may hold the thread before everything else has a turn. */
const TURN_MS = 6;

/** Runs work for somebody. */
export interface Workers {
  /** @throws What the work throws (rejects). */
  run<Result>(work: Work<Result>): Promise<Result>;
}

interface Task {
  /** @returns True when it has ended. */
  step(): boolean;
  readonly charge: (ms: number) => void;
}

/**
 * Shares the main thread: work that grows with its content is done a few milliseconds at a time, one task after the
 * other in a circle, and between two turns the thread is everybody's. However many ask at once, one turn is no longer.
 */
export class Turns implements Workers {
  readonly #clock: Clock;
  readonly #tasks: Task[] = [];
  /** What was done since everybody else had a turn. */
  #spentMs = 0;
  #isScheduled = false;
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tasks that have not ended. */
  get waiting(): number {
    return this.#tasks.length;
  }

  /**
   * Begins at once when there is room in this turn: little work is done before this returns.
   *
   * @param charge - Told how long each part of it held the thread.
   */
  async run<Result>(
    work: Work<Result>,
    charge: (ms: number) => void = () => undefined,
  ): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const step = (): boolean => {
        try {
          const { done, value } = work.next();
          if (done) resolve(value);
          return done === true;
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return true;
        }
      };
      this.#tasks.push({ step, charge });
      this.#turn();
    });
  }

  #turn(): void {
    // Work that asks for more work: it waits for the turn that is under way.
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#spentMs < TURN_MS) {
      const task = this.#tasks.shift();
      if (!task) break;
      if (!this.#runPart(task)) this.#tasks.push(task);
    }
    this.#isRunning = false;
    if (this.#isScheduled || (this.#tasks.length === 0 && this.#spentMs === 0)) return;
    this.#isScheduled = true;
    this.#clock.startTimer(0, () => {
      this.#isScheduled = false;
      this.#spentMs = 0;
      this.#turn();
    });
  }

  /** @returns True when the task has ended. */
  #runPart(task: Task): boolean {
    const begunMs = this.#clock.nowMs();
    const leftMs = TURN_MS - this.#spentMs;
    for (;;) {
      const ended = task.step();
      const tookMs = this.#clock.nowMs() - begunMs;
      if (!ended && tookMs < leftMs) continue;
      this.#spentMs += tookMs;
      task.charge(tookMs);
      return ended;
    }
  }
}
