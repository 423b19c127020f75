/**
 * When the system accepted nothing for a peer for this long, we check its acknowledgements, which may cost something.
 */
const SUSPECT_MS = 10_000;
/**
 * The peer's blocks hold memory: it is closed when nothing was accepted and nothing was acknowledged for this long
 * (WIR-6). Linux reopens a receive window when a sixteenth of the buffer is free: with 4 MiB a reader of 12 kB/s
 * acknowledges every 25 s.
 */
const STALLED_MS = 50_000;
/** Where acknowledgements are unknown, a peer is closed when the system accepted nothing for this long. */
const UNTOLD_MS = 180_000;

/** The bytes that a connection has sent. */
export interface Outflow {
  /** Bytes written since the connection began. */
  readonly writtenTotal: number;
  /** How many of those the operating system has accepted. */
  readonly sentTotal: number;
  /** How many of the written bytes were not acknowledged; `undefined` when that is unknown. */
  unackedBytes(): number | undefined;
}

/**
 * Tells a peer that reads slowly from one that does not read. The operating system accepts megabytes, then nothing for
 * half a minute or more, while a slow peer reads steadily: progress is what the other machine acknowledged.
 */
export class ReadClock {
  #sentTotal = 0;
  #ackedTotal = 0;
  #movedAtMs: number;

  constructor(now: number) {
    this.#movedAtMs = now;
  }

  /** Call it at every tick. @returns Whether the peer has stopped reading. */
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
    // The first check records the state.
    if (this.#ackedTotal > 0 && acked > this.#ackedTotal) this.#movedAtMs = now;
    this.#ackedTotal = Math.max(1, acked);
    return now - this.#movedAtMs > STALLED_MS;
  }
}
