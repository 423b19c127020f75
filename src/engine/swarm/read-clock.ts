/** A peer that took nothing for so long is looked at more closely, which may cost something. */
const SUSPECT_MS = 10_000;
/**
 * Its blocks hold memory: it is closed when nothing went for so long and nothing was acknowledged (WIR-6). Linux opens a
 * receive window again when a sixteenth of the buffer is free: with 4 MiB a reader of 12 kB/s acknowledges every 25 s.
 */
const STALLED_MS = 50_000;
/** Where acknowledgements cannot be told it is closed when the system took nothing for so long. */
const UNTOLD_MS = 180_000;

/** What a connection has on its way. */
export interface Outflow {
  /** Bytes written since the connection began. */
  readonly writtenTotal: number;
  /** Of those, bytes that the operating system has taken. */
  readonly sentTotal: number;
  /** Of those written, bytes that were not acknowledged; `undefined` when that cannot be told. */
  unackedBytes(): number | undefined;
}

/**
 * Tells a peer that reads slowly from one that does not read. The operating system takes megabytes, then nothing for
 * half a minute and more, while a slow peer reads steadily: what counts is what the other machine acknowledged.
 */
export class ReadClock {
  #sentTotal = 0;
  #ackedTotal = 0;
  #movedAtMs: number;

  constructor(now: number) {
    this.#movedAtMs = now;
  }

  /** To be asked at every tick. @returns Whether the peer does not read. */
  isStalled(flow: Outflow, now: number): boolean {
    if (flow.sentTotal === flow.writtenTotal || flow.sentTotal !== this.#sentTotal) {
      this.#sentTotal = flow.sentTotal;
      this.#ackedTotal = 0;
      this.#movedAtMs = now;
      return false;
    }
    if (now - this.#movedAtMs < SUSPECT_MS) return false;
    const unacked = flow.unackedBytes();
    if (unacked === undefined) return now - this.#movedAtMs > UNTOLD_MS;
    const acked = flow.writtenTotal - unacked;
    // The first look says where it stands.
    if (this.#ackedTotal > 0 && acked > this.#ackedTotal) this.#movedAtMs = now;
    this.#ackedTotal = Math.max(1, acked);
    return now - this.#movedAtMs > STALLED_MS;
  }
}
