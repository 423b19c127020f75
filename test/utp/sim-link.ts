import type { Random } from "../../src/ports/random.ts";
import type { Simulation } from "../../src/sim/simulation.ts";

/** The heads of IPv4 and UDP. */
const OVERHEAD_BYTES = 28;

export interface LinkOptions {
  /** Infinity without a limit. */
  readonly bytesPerSecond: number;
  readonly delayMs: number;
  /** What waits for the line at most; what comes then is lost. */
  readonly queueBytes?: number;
  /** Longer datagrams disappear: nobody is told. */
  readonly datagramBytesMax?: number;
  readonly lossPerMille?: number;
  readonly duplicatePerMille?: number;
  /** Each packet takes up to so much longer, so that others overtake it. */
  readonly jitterMs?: number;
}

/** One direction of a line: a queue, a rate, a distance, and chance. */
export class SimLink {
  readonly #simulation: Simulation;
  readonly #random: Random;
  options: LinkOptions;
  #freeAtMs = 0;
  /** How long each packet waited in the queue, in milliseconds, since the last `forget`. */
  waits: number[] = [];

  constructor(world: { simulation: Simulation; random: Random }, options: LinkOptions) {
    this.#simulation = world.simulation;
    this.#random = world.random;
    this.options = options;
  }

  /** @returns False when the queue is full. */
  send(bytes: number, deliver: () => void): boolean {
    const { bytesPerSecond, delayMs, jitterMs = 0, queueBytes = Infinity } = this.options;
    if (bytes > (this.options.datagramBytesMax ?? Infinity)) return false;
    const nowMs = this.#simulation.nowMs();
    const waitMs = Math.max(this.#freeAtMs - nowMs, 0);
    if (bytesPerSecond !== Infinity && (waitMs / 1000) * bytesPerSecond > queueBytes) return false;
    this.waits.push(waitMs);
    this.#freeAtMs = nowMs + waitMs + ((bytes + OVERHEAD_BYTES) / bytesPerSecond) * 1000;
    const copies = this.#chance(this.options.duplicatePerMille) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.#chance(this.options.lossPerMille)) continue;
      const lateMs = jitterMs === 0 ? 0 : (jitterMs * this.#random.below(1000)) / 1000;
      this.#simulation.startTimer(this.#freeAtMs - nowMs + delayMs + lateMs, deliver);
    }
    return true;
  }

  forget(): void {
    this.waits = [];
  }

  /** The wait that this share of the packets did not exceed. */
  waitMs(share: number): number {
    const sorted = this.waits.toSorted((a, b) => a - b);
    return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0;
  }

  #chance(perMille = 0): boolean {
    return perMille > 0 && this.#random.below(1000) < perMille;
  }
}
