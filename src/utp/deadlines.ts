import type { Clock, Timer } from "../ports/clock.ts";

/** Deadlines are met late by this much at most. */
const TICK_MS = 5;
/** The wheel holds 2.5 seconds; later deadlines are looked at once a turn. */
const BUCKETS = 512;

export interface Timed {
  /** Infinity without one. */
  readonly deadlineMs: number;
  /** The tick that it waits for in the wheel; -1 when it is not in it. Only the wheel changes it. */
  waitingFor: number;
  handleDeadline(): void;
}

/** The timers of many connections behind one timer of the clock: a wheel of buckets. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #buckets: Set<Timed>[] = Array.from({ length: BUCKETS }, () => new Set());
  #count = 0;
  /** The last tick that was handled. */
  #tick: number;
  #timer: Timer | undefined;
  #timerTick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tick = Math.floor(clock.nowMs() / TICK_MS);
  }

  /** Its deadline is another. A later one costs nothing: it is looked at when the earlier one comes. */
  update(timed: Timed): void {
    if (timed.deadlineMs === Number.POSITIVE_INFINITY) return;
    if (this.#count === 0) this.#tick = Math.floor(this.#clock.nowMs() / TICK_MS);
    const due = Math.max(Math.ceil(timed.deadlineMs / TICK_MS), this.#tick + 1);
    const tick = Math.min(due, this.#tick + BUCKETS - 1);
    if (timed.waitingFor >= 0) {
      if (timed.waitingFor <= tick) return;
      this.remove(timed);
    }
    timed.waitingFor = tick;
    this.#buckets[tick % BUCKETS]!.add(timed);
    this.#count += 1;
    this.#arm(tick);
  }

  remove(timed: Timed): void {
    if (timed.waitingFor < 0) return;
    this.#buckets[timed.waitingFor % BUCKETS]!.delete(timed);
    timed.waitingFor = -1;
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(tick: number): void {
    if (this.#timer && this.#timerTick <= tick) return;
    this.#timer?.cancel();
    this.#timerTick = tick;
    const delayMs = Math.max(tick * TICK_MS - this.#clock.nowMs(), 0);
    this.#timer = this.#clock.startTimer(delayMs, () => this.#turn());
  }

  #turn(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    // A tick late at most: what is due in this one is due in the next at the latest.
    const last = Math.max(Math.floor(nowMs / TICK_MS), this.#timerTick);
    const due: Timed[] = [];
    for (let tick = this.#tick + 1; tick <= last && tick <= this.#tick + BUCKETS; tick += 1) {
      for (const timed of this.#buckets[tick % BUCKETS]!) due.push(timed);
    }
    this.#tick = last;
    for (const timed of due) {
      this.remove(timed);
      if (timed.deadlineMs <= nowMs) timed.handleDeadline();
      this.update(timed);
    }
    this.#armNext();
  }

  #armNext(): void {
    if (this.#count === 0) return;
    for (let tick = this.#tick + 1; ; tick += 1) {
      if (this.#buckets[tick % BUCKETS]!.size === 0) continue;
      this.#arm(tick);
      return;
    }
  }
}
