import { invariant } from "../base/errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";

/** The wall clock when a simulation begins: 2026-01-01. */
const WALL_START_MS = 1_767_225_600_000;

/** This many events at one instant count as an endless loop. */
const EVENTS_AT_ONCE_MAX = 1_000_000;

interface Event {
  readonly atMs: number;
  /** Events of one instant happen in the order they were scheduled. */
  readonly turn: number;
  fire: (() => void) | undefined;
}

/**
 * Simulated time: a queue of events, one after the other on one thread, as fast as the processor
 * runs. It is the clock of every engine in it. The run depends on nothing but its inputs: the same
 * seed gives the same run.
 *
 * Promises do not advance inside `runUntil`, which is one synchronous loop: code in a simulation is
 * driven by callbacks.
 */
export class Simulation implements Clock {
  #nowMs = 0;
  #wallStartMs = WALL_START_MS;
  #turn = 0;
  #atOnce = 0;
  /** A binary heap, next event first. */
  readonly #events: Event[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#wallStartMs + this.#nowMs;
  }

  /** The clock of the machine is set, forwards or back; time goes on as before (STO-8). */
  jumpWall(byMs: number): void {
    this.#wallStartMs += byMs;
  }

  startTimer(delayMs: number, fire: () => void): Timer {
    invariant(delayMs >= 0, "time does not run backwards");
    const event: Event = { atMs: this.#nowMs + delayMs, turn: this.#turn, fire };
    this.#turn += 1;
    this.#push(event);
    return {
      cancel: () => {
        event.fire = undefined;
      },
    };
  }

  /**
   * Processes events until `isDone` returns true; it is called after every event.
   *
   * @param limitMs - Simulated time it may take from now.
   * @returns False when the time ran out, or when no event was left.
   */
  runUntil(isDone: () => boolean, limitMs: number): boolean {
    const endMs = this.#nowMs + limitMs;
    while (!isDone()) {
      const next = this.#events[0];
      if (!next || next.atMs > endMs) {
        this.#nowMs = endMs;
        return false;
      }
      this.#step();
    }
    return true;
  }

  /** Lets this much simulated time pass. */
  runFor(durationMs: number): void {
    this.runUntil(() => false, durationMs);
  }

  /**
   * Processes events until a promise settles. Between two events all pending promise callbacks run.
   *
   * @param limit.turn - Resolves when no promise callback is left to run, as `setImmediate` does.
   * @throws (rejects) As the promise; when it does not settle within `limitMs` of simulated time.
   */
  async settle<Result>(
    work: Promise<Result>,
    limit: { readonly limitMs: number; readonly turn: () => Promise<void> },
  ): Promise<Result> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    work.then(note, note);
    const endMs = this.#nowMs + limit.limitMs;
    for (;;) {
      await limit.turn();
      if (isSettled) return work;
      const next = this.#events[0];
      if (!next) throw new Error("nothing is left to happen, and it has not settled");
      if (next.atMs > endMs) throw new Error(`it did not settle within ${limit.limitMs} ms`);
      this.#step();
    }
  }

  #step(): void {
    const { atMs, fire } = this.#pop();
    // Time must not advance to a cancelled event either.
    if (!fire) return;
    this.#atOnce = atMs > this.#nowMs ? 0 : this.#atOnce + 1;
    invariant(this.#atOnce < EVENTS_AT_ONCE_MAX, "time goes on");
    this.#nowMs = atMs;
    fire();
  }

  #push(event: Event): void {
    const events = this.#events;
    let index = events.length;
    events.push(event);
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (isBefore(events[parent]!, event)) break;
      events[index] = events[parent]!;
      index = parent;
    }
    events[index] = event;
  }

  #pop(): Event {
    const events = this.#events;
    const top = events[0]!;
    const last = events.pop()!;
    if (events.length === 0) return top;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && isBefore(events[child + 1]!, events[child]!)) child += 1;
      if (isBefore(last, events[child]!)) break;
      events[index] = events[child]!;
      index = child;
    }
    events[index] = last;
    return top;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs === b.atMs ? a.turn < b.turn : a.atMs < b.atMs;
}
