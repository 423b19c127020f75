/** Seconds without an answer of any DHT node, after which a person is told. */
const SILENT_TICKS = 20;

/** Whether the DHT answers: sent with its first answer, and when there was none for some time. */
export interface DhtNewsEvent {
  readonly kind: "dht";
  readonly answers: boolean;
  /** Nothing else finds a peer at the moment. */
  readonly isNeeded: boolean;
}

/** Tells whether the DHT answers, when that has changed. */
export class DhtNews {
  #silentTicks = 0;
  #told: boolean | undefined;

  /**
   * Call it each second.
   *
   * @param answers - `undefined` while the DHT is not used.
   * @param isNeeded - Nothing else finds a peer at the moment.
   * @returns `undefined` when there is nothing new.
   */
  next(answers: boolean | undefined, isNeeded: boolean): DhtNewsEvent | undefined {
    if (answers === undefined) return undefined;
    this.#silentTicks = answers ? 0 : this.#silentTicks + 1;
    if (answers === this.#told || (!answers && this.#silentTicks < SILENT_TICKS)) return undefined;
    this.#told = answers;
    return { kind: "dht", answers, isNeeded };
  }
}
