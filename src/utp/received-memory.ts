/** What all connections of a port keep together: packets after holes, and bytes that nobody reads. */
const RECEIVED_BYTES_MAX = 64 * 1024 * 1024;

/** Memory that peers fill, whatever windows we told them: it has one bound for all of them (WIR-21). */
export class ReceivedMemory {
  #bytes = 0;

  get roomBytes(): number {
    return Math.max(RECEIVED_BYTES_MAX - this.#bytes, 0);
  }

  take(bytes: number): void {
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}
