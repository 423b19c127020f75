import { HEADER_BYTES, TRAIN_HEAD_BYTES } from "./packet.ts";

/** The largest train: with longer ones the queue of a receiving socket holds too few. */
export const TRAIN_BYTES_MAX = 32 * 1024;
/** Shorter trains save nothing worth having. */
export const TRAIN_BYTES_MIN = 4000;
/** A window has to hold so many, so that there is always one on its way whose ack makes room for the next. */
const TRAINS_OF_WINDOW = 4;
/** The next trial after the first failure; each failure makes the wait four times as long. */
const RETRY_MS = 1000;
const FAILURES_MAX = 5;
/** So many trains that arrive make up for all failures. */
const ARRIVALS_OF_TRUST = 256;
/** Losses closer together than this are one: the queue of a socket was full. */
const LOSS_MS = 100;
/** So many losses, with no train that arrives between them, and trains are suspected. */
const LOSSES_MAX = 3;

/**
 * Whether several packets may share one datagram, a train: the peer has to say that it reads such, our link has to carry
 * them, and a trial has to arrive. What was in a train that got lost is sent again as single packets, so that a way whose
 * packets become smaller loses time and nothing else.
 *
 * off -> trying <-> proven; trying -> off after too many failures.
 */
export class DatagramTrains {
  #state: "off" | "trying" | "proven" = "off";
  #bytesMax = 0;
  #isOnTrial = false;
  #failures = 0;
  #retryAtMs = 0;
  #arrivals = 0;
  #losses = 0;
  #lossAtMs = Number.NEGATIVE_INFINITY;

  /** @param bytesMax - Of a datagram that both sides can have. Smaller than a train, it changes nothing. */
  allow(bytesMax: number): void {
    if (this.#state !== "off" || this.#failures > 0 || bytesMax < TRAIN_BYTES_MIN) return;
    this.#bytesMax = Math.min(bytesMax, TRAIN_BYTES_MAX);
    this.#state = "trying";
  }

  /** The next train is a trial. */
  get isTrial(): boolean {
    return this.#state === "trying";
  }

  /**
   * @param now.packetBytes - Of an ordinary datagram.
   * @returns The payload of the next train; 0 when the next packet goes alone.
   */
  nextPayloadBytes(now: {
    readonly nowMs: number;
    readonly windowBytes: number;
    readonly writtenBytes: number;
    readonly packetBytes: number;
  }): number {
    if (this.#state === "off") return 0;
    const mostBytes = this.#bytesMax - TRAIN_HEAD_BYTES;
    const packetBytes = now.packetBytes - HEADER_BYTES;
    if (now.windowBytes < TRAINS_OF_WINDOW * mostBytes || now.writtenBytes < 2 * packetBytes)
      return 0;
    if (this.#state === "proven") return Math.min(mostBytes, now.writtenBytes);
    // Behind a trial there have to be others, which show that it is its size that is lost.
    const isWorthIt = now.writtenBytes >= mostBytes + 4 * packetBytes;
    return isWorthIt && !this.#isOnTrial && now.nowMs >= this.#retryAtMs ? mostBytes : 0;
  }

  sent(): void {
    if (this.#state === "trying") this.#isOnTrial = true;
  }

  /** A packet of a train arrived, and by its first sending. */
  arrived(): void {
    if (this.#state === "off") return;
    this.#state = "proven";
    this.#isOnTrial = false;
    this.#losses = 0;
    this.#arrivals += 1;
    if (this.#arrivals >= ARRIVALS_OF_TRUST) this.#failures = 0;
  }

  /** A packet of a train is lost; the others of that train are, too. */
  lost(nowMs: number): void {
    if (this.#state === "trying") {
      if (this.#isOnTrial) this.#fail(nowMs);
    } else if (this.#state === "proven" && nowMs - this.#lossAtMs >= LOSS_MS) {
      this.#lossAtMs = nowMs;
      this.#losses += 1;
      if (this.#losses >= LOSSES_MAX) this.#fail(nowMs);
    }
  }

  /** Nothing arrived in time, and a train was on its way. */
  handleTimeout(nowMs: number): void {
    if (this.#state === "proven") this.#fail(nowMs);
  }

  #fail(nowMs: number): void {
    this.#failures += 1;
    this.#state = this.#failures > FAILURES_MAX ? "off" : "trying";
    this.#retryAtMs = nowMs + RETRY_MS * 4 ** (this.#failures - 1);
    this.#isOnTrial = false;
    this.#arrivals = 0;
    this.#losses = 0;
  }
}
