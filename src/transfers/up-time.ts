import type { Clock } from "../ports/clock.ts";
import type { SettingsStore } from "./transfer-settings.ts";

const KEY = "up-time";

/**
 * How long the node has run, over its whole life. A row that is seeded counts its time by it, so that a sleeping seed is
 * never written only because time passes. A kill loses what has passed since it was last saved.
 */
export class UpTime {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #store: SettingsStore;
  /** What the clock showed when the node had run for no time at all. */
  #originMs: number;

  constructor({ clock, settings }: { clock: Pick<Clock, "nowMs">; settings: SettingsStore }) {
    this.#clock = clock;
    this.#store = settings;
    this.#originMs = clock.nowMs();
  }

  async load(): Promise<void> {
    this.#originMs = this.#clock.nowMs() - ((await this.#store.get(KEY)) ?? 0);
  }

  async save(): Promise<void> {
    await this.#store.set(KEY, this.nowMs());
  }

  nowMs(): number {
    return Math.round(this.#clock.nowMs() - this.#originMs);
  }
}
