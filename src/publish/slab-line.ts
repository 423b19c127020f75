import { invariant } from "../base/errors.ts";
import type { Slab, SlabPool } from "../ports/content.ts";

/**
 * A waiting line for slabs of a bounded pool. The bound is the back-pressure of all uploads together: an upload that
 * waits here does not read from its socket.
 */
export class SlabLine {
  readonly #pool: SlabPool;
  readonly #waiting: { readonly bytes: number; readonly resolve: (slab: Slab) => void }[] = [];

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Bytes of the largest possible slab. */
  get bytesMax(): number {
    return this.#pool.limitBytes;
  }

  /** True while somebody waits: the holder of a slab should then not keep it for long. */
  get wanted(): boolean {
    return this.#waiting.length > 0;
  }

  async take(bytes: number): Promise<Slab> {
    invariant(
      bytes <= this.#pool.limitBytes,
      "pieces larger than the pool are refused at declaration",
    );
    const slab = this.#waiting.length === 0 ? this.#pool.take(bytes) : undefined;
    if (slab) return slab;
    return new Promise((resolve) => this.#waiting.push({ bytes, resolve }));
  }

  give(slab: Slab): void {
    this.#pool.give(slab);
    for (;;) {
      const [next] = this.#waiting;
      if (!next) return;
      const free = this.#pool.take(next.bytes);
      if (!free) return;
      this.#waiting.shift();
      next.resolve(free);
    }
  }
}
