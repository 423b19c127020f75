import type { ReceivedMemory } from "./received-memory.ts";

/** What arrived in order while the owner does not read. */
export class UnreadBytes {
  readonly #memory: ReceivedMemory;
  #parts: Uint8Array[] = [];
  #first = 0;
  #bytes = 0;

  constructor(memory: ReceivedMemory) {
    this.#memory = memory;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    this.#memory.take(part.length);
  }

  /** @returns The oldest part; `undefined` when all is read. */
  take(): Uint8Array | undefined {
    const part = this.#parts[this.#first];
    if (!part) return undefined;
    this.#first += 1;
    this.#bytes -= part.length;
    this.#memory.giveBack(part.length);
    if (this.#bytes === 0) this.clear();
    return part;
  }

  clear(): void {
    this.#memory.giveBack(this.#bytes);
    this.#parts = [];
    this.#first = 0;
    this.#bytes = 0;
  }
}
