/**
 * The delay that we add to the queue at most. BEP 29 says 100 ms, RFC 6817 at most 100 ms: below it, so that the
 * overshoot of control stays below 100 ms too.
 */
const TARGET_US = 75_000;
/** The window grows by this much in a round trip when there is no queue. */
const GAIN_BYTES = 3000;
/** Slow start ends at this part of the target: a round trip later the queue is twice as long. */
const SLOW_START_SHARE = 0.4;
const WINDOW_BYTES_FIRST = 4 * 1452;
/** No peer makes us keep more than this in flight, whatever window it claims (WIR-21). */
export const WINDOW_BYTES_MAX = 4 * 1024 * 1024;
/** The smallest of so many delays counts: the others waited for a processor. */
const FILTER_SAMPLES = 3;
/** A share of lost packets below this is a property of the line and not a sign of a full queue. */
const LINE_LOSS_SHARE = 0.025;
/** So many losses more than that prove nothing, because chance plays with small numbers. */
const LOSSES_OF_CHANCE = 8;
/** Counts of packets and losses are halved when they get here. */
const LOSS_MEMORY_PACKETS = 1024;
/** A round trip that lost so much of its packets met a full queue, whatever the average says. */
const BURST_SHARE = 1 / 8;
const BURST_PACKETS = 6;
/** A delay that the sum of both directions exceeds by so many targets is not believed: the peer lies, or its clock. */
const LIE_TARGETS = 4;

export interface AckFacts {
  readonly nowMs: number;
  readonly ackedBytes: number;
  readonly ackedPackets: number;
  /** What the queue delays our packets by, as the peer's clock says: microseconds. */
  readonly queueUs: number;
  /** What all queues of both directions delay a round trip by, as our own clock says. */
  readonly roundTripQueueUs: number;
  /** The shortest round trip of the last minutes. */
  readonly roundTripBaseUs: number;
  /** Whether the window, and not the application, limited what we sent. */
  readonly isWindowLimited: boolean;
}

/**
 * How many bytes may be in flight (LEDBAT, RFC 6817). The window grows while the queue on the way is short and shrinks
 * when it is long, so that everybody else on the line goes first.
 *
 * Slow start -> steady; slow start again after a timeout, up to half of the window there was.
 *
 * Two departures. Above the target the window shrinks in proportion to the delay, as in LEDBAT++: when TCP fills the
 * queue, 3,000 bytes a round trip would take minutes to make room. And a loss without a queue is taken for a fault of
 * the line as long as few packets are lost, because halving at each would leave a radio link a tenth of its rate.
 */
export class Ledbat {
  #windowBytes = WINDOW_BYTES_FIRST;
  #minBytes: number;
  #slowStartEndBytes = WINDOW_BYTES_MAX;
  readonly #recent: number[] = [];
  #queueUs = 0;
  #baseUs = 0;
  #packets = 0;
  #losses = 0;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  #roundStartMs = 0;
  #roundPackets = 0;
  #roundLosses = 0;

  /** @param minBytes - The smallest window: one packet. */
  constructor(minBytes: number) {
    this.#minBytes = minBytes;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get isSlowStart(): boolean {
    return this.#windowBytes < this.#slowStartEndBytes;
  }

  handleAck(facts: AckFacts): void {
    this.#count(facts);
    this.#baseUs = facts.roundTripBaseUs;
    const queueUs = this.#filter(believable(facts));
    this.#queueUs = queueUs;
    if (this.isSlowStart) {
      if (queueUs > TARGET_US * SLOW_START_SHARE) {
        this.#drain(facts.nowMs);
        this.#slowStartEndBytes = 0;
      } else if (facts.isWindowLimited) {
        this.#setWindow(this.#windowBytes + facts.ackedBytes);
      }
      return;
    }
    const share = facts.ackedBytes / this.#windowBytes;
    const room = (TARGET_US - queueUs) / TARGET_US;
    if (room >= 0) {
      if (facts.isWindowLimited) this.#setWindow(this.#windowBytes + GAIN_BYTES * room * share);
    } else {
      const shrink = Math.min(-room, 0.5) * this.#windowBytes;
      this.#setWindow(this.#windowBytes - Math.max(shrink, GAIN_BYTES * -room) * share);
    }
  }

  /** Packets were lost. Cuts at most once in a round trip. */
  handleLoss(
    packets: number,
    options: { readonly nowMs: number; readonly roundTripMs: number },
  ): void {
    this.#losses += packets;
    this.#roundLosses += packets;
    const { nowMs, roundTripMs } = options;
    const isBurst =
      this.#roundLosses >= BURST_PACKETS && this.#roundLosses > this.#roundPackets * BURST_SHARE;
    const isFullQueue =
      isBurst || this.#losses > this.#packets * LINE_LOSS_SHARE + LOSSES_OF_CHANCE;
    if (nowMs - this.#cutAtMs < roundTripMs) return;
    if (isFullQueue) {
      this.#cutAtMs = nowMs;
      this.#setWindow(this.#windowBytes / 2);
      this.#slowStartEndBytes = 0;
    } else if (
      this.#queueUs > TARGET_US * SLOW_START_SHARE &&
      // The delays of the last round trip still tell of the window before the cut.
      nowMs - this.#cutAtMs >= 2 * roundTripMs
    ) {
      this.#drain(nowMs);
      this.#slowStartEndBytes = 0;
    }
  }

  /** Nothing came back in time. */
  handleTimeout(): void {
    this.#slowStartEndBytes = Math.max(this.#windowBytes / 2, 2 * this.#minBytes);
    this.#windowBytes = this.#minBytes;
  }

  /** Our packets have another size now. */
  setMinimum(minBytes: number): void {
    this.#minBytes = minBytes;
    this.#setWindow(this.#windowBytes);
  }

  /** Cuts the window by what waits in the queue, and by half at most: the line stays busy meanwhile. */
  #drain(nowMs: number): void {
    this.#cutAtMs = nowMs;
    const share = this.#baseUs / (this.#baseUs + this.#queueUs);
    this.#setWindow(this.#windowBytes * Math.max(share, 0.5));
  }

  #setWindow(bytes: number): void {
    this.#windowBytes = Math.min(Math.max(bytes, this.#minBytes), WINDOW_BYTES_MAX);
  }

  #filter(queueUs: number): number {
    this.#recent.push(queueUs);
    if (this.#recent.length > FILTER_SAMPLES) this.#recent.shift();
    return Math.min(...this.#recent);
  }

  #count({ nowMs, ackedPackets, roundTripBaseUs, roundTripQueueUs }: AckFacts): void {
    if ((nowMs - this.#roundStartMs) * 1000 > roundTripBaseUs + roundTripQueueUs) {
      this.#roundStartMs = nowMs;
      this.#roundPackets = 0;
      this.#roundLosses = 0;
    }
    this.#roundPackets += ackedPackets;
    this.#packets += ackedPackets;
    if (this.#packets <= LOSS_MEMORY_PACKETS) return;
    this.#packets /= 2;
    this.#losses /= 2;
  }
}

/**
 * The delay that we act on. One direction cannot be later than both together, so a clock that jumps, or a peer that
 * says so, slows nobody down for long; nor does "there is no queue" count while round trips take many times longer.
 */
function believable({ queueUs, roundTripQueueUs }: AckFacts): number {
  const most = Math.min(queueUs, roundTripQueueUs);
  return roundTripQueueUs > LIE_TARGETS * TARGET_US ? Math.max(most, roundTripQueueUs / 2) : most;
}
