import type { Clock } from "../ports/clock.ts";

/** Rows of one transaction: a few milliseconds of the main thread, and one sync of the disk. */
export const PART_ROWS = 1_000;

/** Saves rows a part at a time. A database takes each part in one piece, and announces are answered in between. */
export class PartedSave {
  readonly #clock: Pick<Clock, "startTimer">;

  constructor(clock: Pick<Clock, "startTimer">) {
    this.#clock = clock;
  }

  /**
   * @param save - Saves all rows of a part, or none. The first part that fails ends the work.
   * @returns The rows that were not saved, and why.
   */
  async run<Row>(
    rows: readonly Row[],
    save: (part: readonly Row[]) => Promise<void>,
  ): Promise<{ readonly unsaved: readonly Row[]; readonly error?: unknown }> {
    for (let at = 0; at < rows.length; at += PART_ROWS) {
      if (at > 0) await this.#pause();
      try {
        await save(rows.slice(at, at + PART_ROWS));
      } catch (error) {
        return { unsaved: rows.slice(at), error };
      }
    }
    return { unsaved: [] };
  }

  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.startTimer(0, resolve);
    return promise;
  }
}
