/** Blocks that came unasked before the peer is closed (WIR-8). Crossing cancels explain a few. */
const UNREQUESTED_BLOCKS_MAX = 64;
/** Requests that cannot be served before the peer is closed (WIR-5). */
const BAD_REQUESTS_MAX = 300;
/** Messages other than blocks, requests and haves in one control period before the peer is closed (WIR-7). */
const CONTROL_MESSAGES_MAX = 1000;
const CONTROL_PERIOD_MS = 10_000;

/**
 * What one peer does that may be innocent once and is hostile when it goes on: counted, and closed for when
 * it is too much. Every method answers why the peer is to be closed, or `undefined`.
 */
export class Conduct {
  #unrequested = 0;
  #excused = 0;
  #badRequests = 0;
  #controlMessages = 0;
  #controlSinceMs = 0;

  /** A block came that nobody waits for. */
  handleUnrequestedBlock(): string | undefined {
    if (this.#excused > 0) {
      this.#excused -= 1;
      return undefined;
    }
    this.#unrequested += 1;
    if (this.#unrequested <= UNREQUESTED_BLOCKS_MAX) return undefined;
    return "sends blocks that nobody asked for";
  }

  handleWantedBlock(): void {
    if (this.#unrequested > 0) this.#unrequested -= 1;
  }

  /**
   * Blocks we asked for that may come although we count on them no more: without the fast extension a choke,
   * or our cancel, can cross them on their way, a whole window of them.
   */
  excuseBlocks(count: number): void {
    this.#excused += count;
  }

  /** The peer asked for what cannot be had. */
  handleBadRequest(): string | undefined {
    this.#badRequests += 1;
    return this.#badRequests > BAD_REQUESTS_MAX ? "keeps asking for what cannot be had" : undefined;
  }

  handleControl(now: number): string | undefined {
    if (now - this.#controlSinceMs > CONTROL_PERIOD_MS) {
      this.#controlSinceMs = now;
      this.#controlMessages = 0;
    }
    this.#controlMessages += 1;
    if (this.#controlMessages <= CONTROL_MESSAGES_MAX) return undefined;
    return "floods us with control messages";
  }
}
