/** How far back the speed looks: long enough not to jump, short enough to follow a change. */
const windowMs = 8000;
/** When nothing went out for so long, nothing goes out. */
const stillMs = 3000;

/** Measures how fast a growing count of bytes grows. */
export class SpeedMeter {
  readonly #samples: { readonly atMs: number; readonly bytes: number }[] = [];
  #grewAtMs = 0;

  /**
   * To be called when more went out, and now and then when nothing did.
   *
   * @param bytes - In all, not since the last call.
   */
  push(nowMs: number, bytes: number): void {
    const last = this.#samples.at(-1);
    if (last === undefined || bytes !== last.bytes) this.#grewAtMs = nowMs;
    // A lower count is a retry from where the hub is: what was sent before does not count.
    if (last !== undefined && bytes < last.bytes) this.#samples.length = 0;
    this.#samples.push({ atMs: nowMs, bytes });
    while (this.#samples.length > 2 && nowMs - this.#samples[0]!.atMs > windowMs) {
      this.#samples.shift();
    }
  }

  /** After a pause: time that passed without sending does not make it slower. */
  reset(): void {
    this.#samples.length = 0;
  }

  /** @returns Bytes per second over the last seconds; undefined until there is something to say. */
  bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 500) return undefined;
    if (last.atMs - this.#grewAtMs >= stillMs) return 0;
    return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
  }
}
