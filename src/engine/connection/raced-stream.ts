import type { Endpoint } from "../../base/endpoint.ts";
import type { PeerAddress } from "../../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../../ports/net.ts";

/** Starts connecting in one way. */
export type DialWay = (handler: StreamHandler) => StreamConnection;

/**
 * One connection that is tried in several ways at the same time: none waits for another to fail. The first stream that
 * opens is the connection from then on, the others are given up. It fails when all have failed.
 *
 * racing -> won -> ended; racing -> ended.
 */
export class RacedStream implements StreamConnection {
  readonly #handler: StreamHandler;
  /** Those that still run, the first one first. */
  readonly #racers: StreamConnection[] = [];
  readonly #first: StreamConnection;
  #winner: StreamConnection | undefined;
  #isPaused = false;
  /** Written before any has opened. */
  #early: Uint8Array[] = [];

  constructor(ways: readonly DialWay[], handler: StreamHandler) {
    this.#handler = handler;
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

  destroy(): void {
    for (const racer of this.#racers.splice(0)) racer.destroy();
    this.#early = [];
  }

  #start(dial: DialWay): void {
    const stream: StreamConnection = dial({
      handleOpen: () => this.#handleOpen(stream),
      handleBytes: (chunk, length) => this.#handler.handleBytes(chunk, length),
      handleSent: (bytes) => this.#handler.handleSent(bytes),
      handleClose: (failure) => this.#handleClose(stream, failure),
    });
    this.#racers.push(stream);
  }

  #handleOpen(stream: StreamConnection): void {
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
    if (this.#racers.length > 0) return;
    this.#early = [];
    this.#handler.handleClose(failure);
  }
}
