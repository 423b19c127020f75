import { invariant } from "../base/errors.ts";
import type { Slab, SlabPool } from "../ports/content.ts";

/**
 * Waits in line for slabs of a pool with a limit. The limit is the back-pressure of all uploads
 * together: who waits here does not read from its socket.
 */
export class SlabLine {
  readonly #pool: SlabPool;
  readonly #waiting: { readonly bytes: number; readonly resolve: (slab: Slab) => void }[] = [];

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** The largest slab that can ever be had, bytes. */
  get bytesMax(): number {
    return this.#pool.limitBytes;
  }

  /** True while somebody waits: who holds a slab for long lets others have a turn. */
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
