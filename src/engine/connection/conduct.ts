/** Unrequested blocks before the peer is closed (WIR-8). Crossing cancels explain a few. */
const UNREQUESTED_BLOCKS_MAX = 64;
/** Requests that cannot be served before the peer is closed (WIR-5). */
const BAD_REQUESTS_MAX = 300;
/** Messages other than blocks, requests and haves in one control period before the peer is closed (WIR-7). */
const CONTROL_MESSAGES_MAX = 1000;
const CONTROL_PERIOD_MS = 10_000;

/**
 * Counts acts of a peer that may be innocent once and are hostile when they continue. Every method returns the reason
 * to close the peer, or `undefined`.
 */
export class Conduct {
  #unrequested = 0;
  #excused = 0;
  #badRequests = 0;
  #controlMessages = 0;
  #controlSinceMs = 0;

  /** An unrequested block arrived. */
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
   * This many requested blocks may arrive although we no longer count on them: without the fast extension a choke, or
   * our cancel, can cross a whole window of them.
   */
  excuseBlocks(count: number): void {
    this.#excused += count;
  }

  /** The peer sent a request that cannot be served. */
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
