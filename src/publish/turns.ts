import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";

/** How long steps of work may hold the thread before other work has a turn. */
const TURN_MS = 6;

/** Runs work on somebody's account. */
export interface Workers {
  /** @throws What the work throws (rejects). */
  run<Result>(work: Work<Result>): Promise<Result>;
}

/** The account that work is charged to. */
export interface Payer {
  /** All tasks of one line share one place in the circle. */
  readonly line: string;
  /** Called with the time that each part of the work held the thread. */
  charge(ms: number): void;
}

interface Task {
  /** @returns True when it has ended. */
  step(): boolean;
  readonly payer: Payer;
}

/** The hub's own work, which nobody asked for. */
const NOBODY: Payer = { line: "", charge: () => undefined };

/**
 * Shares the main thread: work that grows with its content runs a few milliseconds at a time, and between two turns
 * the thread is free for everything else. Lines take turns in a circle, and so do the tasks of one line: a line with
 * many tasks waits longer, but delays no other. However many tasks there are, a turn gets no longer.
 */
export class Turns implements Workers {
  readonly #clock: Clock;
  /** No line is empty. The first one is next. */
  readonly #lines = new Map<string, Task[]>();
  #waiting = 0;
  /** Time spent since other work had a turn. */
  #spentMs = 0;
  #isScheduled = false;
  #isRunning = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tasks that have not ended. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Starts at once when there is room in this turn: a small task is done before this returns.
   *
   * @throws What the work throws (rejects).
   */
  async run<Result>(work: Work<Result>, payer = NOBODY): Promise<Result> {
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
      this.#waiting += 1;
      this.#enqueue({ step, payer });
      this.#turn();
    });
  }

  #turn(): void {
    // Work that requests more work waits for the running turn.
    if (this.#isRunning) return;
    this.#isRunning = true;
    while (this.#spentMs < TURN_MS) {
      const task = this.#takeNext();
      if (!task) break;
      if (this.#runPart(task)) this.#waiting -= 1;
      else this.#enqueue(task);
    }
    this.#isRunning = false;
    if (this.#isScheduled || (this.#waiting === 0 && this.#spentMs === 0)) return;
    this.#isScheduled = true;
    this.#clock.startTimer(0, () => {
      this.#isScheduled = false;
      this.#spentMs = 0;
      this.#turn();
    });
  }

  #enqueue(task: Task): void {
    const { line } = task.payer;
    const tasks = this.#lines.get(line);
    if (tasks) tasks.push(task);
    else this.#lines.set(line, [task]);
  }

  /** The first task of the next line, which then goes to the end of the circle. */
  #takeNext(): Task | undefined {
    for (const [line, tasks] of this.#lines) {
      const task = tasks.shift();
      this.#lines.delete(line);
      if (tasks.length > 0) this.#lines.set(line, tasks);
      return task;
    }
    return undefined;
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
      task.payer.charge(tookMs);
      return ended;
    }
  }
}
