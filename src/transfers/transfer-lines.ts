/**
 * Work on transfers, one after the other for each of them: a stop does not overtake the start before it. Different
 * transfers do not wait for each other.
 */
export class TransferLines {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @returns The result of `work`, which begins when all earlier work on this transfer has ended. */
  run<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(id) ?? Promise.resolve();
    const result = before.then(work);
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.#last.set(id, ended);
    void ended.then(() => {
      if (this.#last.get(id) === ended) this.#last.delete(id);
    });
    return result;
  }

  /** Resolves when nothing is under way. */
  async settle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}
