import { invariant } from "../base/errors.ts";
import type { Slab, SlabPool } from "../ports/content.ts";

/** Memory for one simulated engine: it checks what is returned and never exceeds its limit. */
export class SimSlabs implements SlabPool {
  readonly limitBytes: number;
  #lentBytes = 0;
  readonly #lent = new Set<Slab>();
  /** By size; reused so that a swarm does not keep the garbage collector busy. */
  readonly #free = new Map<number, Slab[]>();

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get lentBytes(): number {
    return this.#lentBytes;
  }

  take(bytes: number): Slab | undefined {
    if (this.#lentBytes + bytes > this.limitBytes) return undefined;
    const slab = this.#free.get(bytes)?.pop() ?? { view: new Uint8Array(bytes) };
    this.#lent.add(slab);
    this.#lentBytes += bytes;
    return slab;
  }

  give(slab: Slab): void {
    invariant(this.#lent.delete(slab), "a slab is given back once, to its own pool");
    const bytes = slab.view.length;
    this.#lentBytes -= bytes;
    const free = this.#free.get(bytes);
    if (free) free.push(slab);
    else this.#free.set(bytes, [slab]);
  }
}
