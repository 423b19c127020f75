/** The window of the speed: long enough to be steady, short enough to follow changes. */
const windowMs = 8000;
/** After this long without progress, the speed is 0. */
const stillMs = 3000;

/** Measures how fast a growing count of bytes grows. */
export class SpeedMeter {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  #grewAtMs = 0;

  /**
   * Call it when bytes were sent, and from time to time when none were.
   *
   * @param bytes - The total, not the difference to the last call.
   */
  push(nowMs: number, bytes: number): void {
    const last = this.#samples.at(-1);
    if (last === undefined || bytes !== last.bytes) this.#grewAtMs = nowMs;
    // A lower count is a retry from the hub's offset: bytes sent before do not count.
    if (last !== undefined && bytes < last.bytes) this.#samples.length = 0;
    this.#samples.push({ atMs: nowMs, bytes });
    while (this.#samples.length > 2 && nowMs - this.#samples[0]!.atMs > windowMs) {
      this.#samples.shift();
    }
  }

  /** After a pause: the time of the pause does not lower the speed. */
  reset(): void {
    this.#samples.length = 0;
  }

  /** @returns Bytes per second over the last seconds; undefined until it is known. */
  bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return undefined;
    if (last.atMs - this.#grewAtMs >= stillMs) return 0;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }
}
