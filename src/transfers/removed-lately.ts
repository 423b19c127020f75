import type { Clock } from "../ports/clock.ts";

/** Programs that ask what has changed ask at least this often. */
const KEPT_MS = 5 * 60_000;
const KEPT_MAX = 10_000;

/** The transfers that were removed in the last minutes, for programs that follow the list. */
export class RemovedLately {
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #removed: { readonly seq: number; readonly atMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  handleRemoved(seq: number): void {
    this.#removed.push({ seq, atMs: this.#clock.nowMs() });
    const endMs = this.#clock.nowMs() - KEPT_MS;
    while (this.#removed.length > KEPT_MAX || this.#removed[0]!.atMs < endMs) this.#removed.shift();
  }

  /** The places in the order of adding of those that were removed since then. @param sinceMs - Monotonic. */
  since(sinceMs: number): number[] {
    return this.#removed.filter(({ atMs }) => atMs >= sinceMs).map(({ seq }) => seq);
  }
}
