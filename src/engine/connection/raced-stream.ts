import type { Endpoint } from "../../base/endpoint.ts";
import type { PeerAddress } from "../../base/peer-address.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../../ports/net.ts";

/**
 * How long the first way may still win after another has opened. Answers over TCP and uTP take one round trip each, so
 * both are there within milliseconds, and TCP costs a fraction of the CPU. A peer that is reached by the other way alone
 * is worth that wait.
 */
const HEAD_START_MS = 30;

/** Starts connecting in one way. */
export type DialWay = (handler: StreamHandler) => StreamConnection;

/**
 * One connection that is tried in several ways at the same time: none waits for another to fail. The first stream that
 * opens is the connection from then on, the others are given up; but the way that was named first is preferred when it
 * opens a moment later. It fails when all have failed.
 *
 * racing (-> held) -> won -> ended; racing or held -> ended.
 */
export class RacedStream implements StreamConnection {
  readonly #handler: StreamHandler;
  /** Those that still run, the first one first. */
  readonly #racers: StreamConnection[] = [];
  readonly #first: StreamConnection;
  readonly #clock: Clock;
  /** Has opened while the first way still runs, and wins when the timer fires. */
  #held: { readonly stream: StreamConnection; readonly timer: Timer } | undefined;
  #winner: StreamConnection | undefined;
  #isPaused = false;
  /** Written before any has opened. */
  #early: Uint8Array[] = [];

  constructor(ways: readonly DialWay[], handler: StreamHandler, clock: Clock) {
    this.#handler = handler;
    this.#clock = clock;
    for (const dial of ways) this.#start(dial);
    this.#first = this.#racers[0]!;
  }

  get remote(): PeerAddress {
    return (this.#winner ?? this.#first).remote;
  }

  get local(): Endpoint | undefined {
    return this.#winner?.local;
  }

  get bufferedBytes(): number {
    if (this.#winner) return this.#winner.bufferedBytes;
    return this.#early.reduce((sum, { length }) => sum + length, 0);
  }

  unackedBytes(): number | undefined {
    return this.#winner ? this.#winner.unackedBytes() : this.bufferedBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#winner) this.#winner.write(bytes);
    else if (this.#racers.length > 0) this.#early.push(bytes);
  }

  pauseReading(): void {
    this.#isPaused = true;
    this.#winner?.pauseReading();
  }

  resumeReading(): void {
    this.#isPaused = false;
    this.#winner?.resumeReading();
  }

  get datagramBytesMax(): number | undefined {
    return this.#winner?.datagramBytesMax;
  }

  allowDatagrams(bytesMax: number): void {
    this.#winner?.allowDatagrams?.(bytesMax);
  }

  destroy(): void {
    this.#release();
    for (const racer of this.#racers.splice(0)) racer.destroy();
    this.#early = [];
  }

  #start(dial: DialWay): void {
    const stream: StreamConnection = dial({
      handleOpen: () => this.#handleOpen(stream),
      handleBytes: (chunk, length) => {
        // Whoever speaks before its head start is over is the connection.
        if (!this.#winner) this.#win(stream);
        this.#handler.handleBytes(chunk, length);
      },
      handleSent: (bytes) => this.#handler.handleSent(bytes),
      handleClose: (failure) => this.#handleClose(stream, failure),
    });
    this.#racers.push(stream);
  }

  #handleOpen(stream: StreamConnection): void {
    if (this.#held) {
      if (stream === this.#first) this.#win(stream);
    } else if (stream === this.#first || !this.#racers.includes(this.#first)) {
      this.#win(stream);
    } else {
      const timer = this.#clock.startTimer(HEAD_START_MS, () => this.#win(stream));
      this.#held = { stream, timer };
    }
  }

  #win(stream: StreamConnection): void {
    this.#release();
    this.#winner = stream;
    for (const racer of this.#racers.splice(0)) {
      if (racer !== stream) racer.destroy();
    }
    this.#racers.push(stream);
    if (this.#isPaused) stream.pauseReading();
    for (const bytes of this.#early) stream.write(bytes);
    this.#early = [];
    this.#handler.handleOpen();
  }

  #handleClose(stream: StreamConnection, failure: NetFailure | undefined): void {
    this.#racers.splice(this.#racers.indexOf(stream), 1);
    if (stream === this.#held?.stream) this.#release();
    else if (stream === this.#first && this.#held) this.#win(this.#held.stream);
    if (this.#racers.length > 0) return;
    this.#early = [];
    this.#handler.handleClose(failure);
  }

  #release(): void {
    this.#held?.timer.cancel();
    this.#held = undefined;
  }
}
