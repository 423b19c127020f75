import type { Simulation } from "../../src/sim/simulation.ts";
import type { SimLink } from "./sim-link.ts";

const PACKET_BYTES = 1460;

/** A download by TCP as old routers know it: the window grows by a packet a round trip, and a loss halves it. */
export class RenoFlow {
  readonly #simulation: Simulation;
  readonly #link: SimLink;
  #window = 10;
  #slowStart = true;
  #inFlight = 0;
  #cutAtMs = Number.NEGATIVE_INFINITY;
  #roundTripMs = 0;
  #isStopped = false;
  delivered = 0;

  constructor(simulation: Simulation, link: SimLink) {
    this.#simulation = simulation;
    this.#link = link;
  }

  start(): void {
    this.#isStopped = false;
    this.#send();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #send(): void {
    while (!this.#isStopped && this.#inFlight < Math.floor(this.#window)) {
      this.#inFlight += 1;
      const sentMs = this.#simulation.nowMs();
      const isQueued = this.#link.send(PACKET_BYTES, () => {
        this.delivered += PACKET_BYTES;
        this.#simulation.startTimer(this.#link.options.delayMs, () => this.#acked(sentMs));
      });
      // Packets that come later tell of the loss, one round trip after it.
      if (!isQueued) {
        const toldMs = Math.max(this.#roundTripMs, 2 * this.#link.options.delayMs);
        this.#simulation.startTimer(toldMs, () => this.#lost(toldMs));
      }
    }
  }

  #acked(sentMs: number): void {
    this.#inFlight -= 1;
    this.#roundTripMs = this.#simulation.nowMs() - sentMs;
    this.#window += this.#slowStart ? 1 : 1 / this.#window;
    this.#send();
  }

  #lost(roundTripMs: number): void {
    this.#inFlight -= 1;
    this.#slowStart = false;
    const nowMs = this.#simulation.nowMs();
    if (nowMs - this.#cutAtMs >= roundTripMs) {
      this.#cutAtMs = nowMs;
      this.#window = Math.max(this.#window / 2, 2);
    }
    this.#send();
  }
}
