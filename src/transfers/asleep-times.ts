import { ROUND_MS } from "./announce-turns.ts";

/**
 * How long seeds have slept since their last turn, so that sleep counts as seeding time and no time counts twice. It
 * remembers only those that fell asleep since their last turn; of one that was woken, the sleep before that is left out.
 */
export class AsleepTimes {
  readonly #beganMs: number;
  readonly #sinceMs = new Map<string, number>();

  /** @param nowMs - When the node began: before that nothing was seeded. */
  constructor(nowMs: number) {
    this.#beganMs = nowMs;
  }

  handleSleep(id: string, nowMs: number): void {
    this.#sinceMs.set(id, nowMs);
  }

  /** It is awake, or gone. */
  forget(id: string): void {
    this.#sinceMs.delete(id);
  }

  /** The turn of a sleeping seed has come. @returns The milliseconds that it has slept. */
  take(id: string, isFirst: boolean, nowMs: number): number {
    const sinceMs = this.#sinceMs.get(id) ?? (isFirst ? this.#beganMs : nowMs - ROUND_MS);
    this.#sinceMs.delete(id);
    return Math.min(ROUND_MS, Math.round(nowMs - sinceMs));
  }
}
