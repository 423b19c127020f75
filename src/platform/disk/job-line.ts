/** A job starts when its turn has come, and calls `release` when it has ended. */
export type Job = (release: () => void) => void;

/**
 * Lets the jobs of one content run side by side, except those that must be alone: these wait until
 * nothing else runs, and what comes after them waits for their end.
 */
export class JobLine {
  readonly #waiting: { readonly alone: boolean; readonly job: Job }[] = [];
  #running = 0;
  #unordered = 0;
  #aloneRuns = false;
  #last: Job[] = [];

  join(turn: "shared" | "alone", job: Job): void {
    this.#waiting.push({ alone: turn === "alone", job });
    this.#advance();
  }

  /** Runs at once and beside everything, but before the last. */
  joinUnordered(job: Job): void {
    this.#unordered += 1;
    job(() => {
      this.#unordered -= 1;
      this.#advance();
    });
  }

  /** Runs when all others have ended. */
  joinLast(job: Job): void {
    this.#last.push(job);
    this.#advance();
  }

  #advance(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (!next || this.#aloneRuns || (next.alone && this.#running > 0)) break;
      this.#waiting.shift();
      this.#running += 1;
      this.#aloneRuns = next.alone;
      next.job(() => {
        this.#running -= 1;
        if (next.alone) this.#aloneRuns = false;
        this.#advance();
      });
    }
    if (this.#waiting.length > 0 || this.#running > 0 || this.#unordered > 0) return;
    for (const last of this.#last.splice(0)) last(() => undefined);
  }
}
