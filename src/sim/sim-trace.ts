import type { Simulation } from "./simulation.ts";

/** Bytes of a buffer that enter the fingerprint; the length and the time stand for the rest. */
const BYTES_MAX = 64;

/** A running fingerprint of all events (FNV-1a, twice): equal for equal runs. */
export class SimTrace {
  readonly #simulation: Simulation;
  #a = 0x811c_9dc5;
  #b = 0x1234_5678;
  #count = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** The fingerprint so far. */
  get fingerprint(): string {
    return `${this.#count}-${(this.#a >>> 0).toString(16)}-${(this.#b >>> 0).toString(16)}`;
  }

  /** Records an event at the current time. */
  note(what: string, bytes: Uint8Array = new Uint8Array(0)): void {
    this.#count += 1;
    const text = `${this.#simulation.nowMs()} ${what} ${bytes.length} `;
    for (let i = 0; i < text.length; i += 1) this.#mix(text.charCodeAt(i));
    for (let i = 0; i < bytes.length && i < BYTES_MAX; i += 1) this.#mix(bytes[i]!);
  }

  #mix(value: number): void {
    this.#a = Math.imul(this.#a ^ value, 0x0100_0193);
    this.#b = Math.imul(this.#b ^ value, 0x85eb_ca6b) ^ (this.#b >>> 13);
  }
}
