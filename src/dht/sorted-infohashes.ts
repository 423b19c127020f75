import { NODE_ID_BYTES } from "./node-id.ts";

/** Infohashes in order, packed: 20 bytes each. An index holds until the next change. */
export class SortedInfohashes {
  #bytes = new Uint8Array(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns A copy. */
  at(index: number): Uint8Array {
    return this.#bytes.slice(index * NODE_ID_BYTES, (index + 1) * NODE_ID_BYTES);
  }

  has(infohash: Uint8Array): boolean {
    return this.#compareAt(this.firstFrom(infohash), infohash) === 0;
  }

  /** @returns False when it is there already. */
  add(infohash: Uint8Array): boolean {
    const index = this.firstFrom(infohash);
    if (this.#compareAt(index, infohash) === 0) return false;
    const start = index * NODE_ID_BYTES;
    const end = this.#count * NODE_ID_BYTES;
    if (end === this.#bytes.length) {
      const grown = new Uint8Array(Math.max(8 * NODE_ID_BYTES, end * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.copyWithin(start + NODE_ID_BYTES, start, end);
    this.#bytes.set(infohash, start);
    this.#count += 1;
    return true;
  }

  /** @returns False when it is not there. */
  delete(infohash: Uint8Array): boolean {
    const index = this.firstFrom(infohash);
    if (this.#compareAt(index, infohash) !== 0) return false;
    const start = index * NODE_ID_BYTES;
    this.#bytes.copyWithin(start, start + NODE_ID_BYTES, this.#count * NODE_ID_BYTES);
    this.#count -= 1;
    return true;
  }

  /** The index of the first that is not before `infohash`; the count when there is none. */
  firstFrom(infohash: Uint8Array): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compareAt(middle, infohash) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Below 0 when the one at `index` comes first; above 0 also when there is none. */
  #compareAt(index: number, infohash: Uint8Array): number {
    if (index >= this.#count) return 1;
    const start = index * NODE_ID_BYTES;
    for (let i = 0; i < NODE_ID_BYTES; i += 1) {
      const difference = this.#bytes[start + i]! - infohash[i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
