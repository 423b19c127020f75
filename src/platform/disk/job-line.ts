/** A job starts when its turn comes, and calls `release` when it ends. */
export type Job = (release: () => void) => void;

/**
 * Lets the jobs of one content run concurrently, except those that must run alone: such a job waits
 * until nothing else runs, and later jobs wait for its end.
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

  /** Runs at once and beside any job, but before the last ones. */
  joinUnordered(job: Job): void {
    this.#unordered += 1;
    job(() => {
      this.#unordered -= 1;
      this.#advance();
    });
  }

  /** Runs when all other jobs have ended. */
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
