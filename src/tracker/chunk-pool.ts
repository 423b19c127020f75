/** Entries up to which a chunk is a list that is searched from its beginning; above, a hash table. */
export const DENSE_MAX = 64;

/** Entries of a chunk by its class. Small steps below, where most swarms are; doubling above. */
export const CLASS_ENTRIES: readonly number[] = [
  1,
  2,
  3,
  4,
  5,
  6,
  7,
  8,
  10,
  12,
  16,
  20,
  24,
  32,
  40,
  48,
  DENSE_MAX,
].concat(Array.from({ length: 18 }, (_, power) => 128 << power));

/** The smallest class with room for so many; by count, up to `DENSE_MAX`. */
export const DENSE_CLASS = Uint8Array.from({ length: DENSE_MAX + 1 }, (_, count) =>
  CLASS_ENTRIES.findIndex((entries) => entries >= count),
);
/** The first class of hash tables. */
export const HASHED_CLASS = CLASS_ENTRIES.indexOf(DENSE_MAX) + 1;

const PAGE_BITS = 12;
const PAGE_ENTRIES = 1 << PAGE_BITS;
const OFFSET_MASK = PAGE_ENTRIES - 1;
const NO_PAGE = new Int32Array(0);

/**
 * Memory for peers: chunks of some fixed sizes, cut from pages, used again by whoever needs that size next.
 * Large chunks have a page of their own, which goes back to the system: outgrown tables would otherwise
 * cost more than the peers.
 */
export class ChunkPool {
  readonly #wordsPerEntry: number;
  readonly #pages: Int32Array[] = [];
  readonly #freePages: number[] = [];
  readonly #free: number[][] = CLASS_ENTRIES.map(() => []);
  #page = -1;
  #used = PAGE_ENTRIES;

  constructor(wordsPerEntry: number) {
    this.#wordsPerEntry = wordsPerEntry;
  }

  /** @returns A handle. All words of a hash table are zero; those of a list are whatever they were. */
  take(chunkClass: number): number {
    const free = this.#free[chunkClass]!.pop();
    if (free !== undefined) return free;
    const entries = CLASS_ENTRIES[chunkClass]!;
    if (entries > PAGE_ENTRIES / 2) return this.#addPage(entries) << PAGE_BITS;
    if (this.#used + entries > PAGE_ENTRIES) {
      this.#page = this.#addPage(PAGE_ENTRIES);
      this.#used = 0;
    }
    const handle = (this.#page << PAGE_BITS) | this.#used;
    this.#used += entries;
    return handle;
  }

  give(handle: number, chunkClass: number): void {
    const entries = CLASS_ENTRIES[chunkClass]!;
    if (entries > PAGE_ENTRIES / 2) {
      this.#pages[handle >>> PAGE_BITS] = NO_PAGE;
      this.#freePages.push(handle >>> PAGE_BITS);
      return;
    }
    if (chunkClass >= HASHED_CLASS) {
      const start = this.offset(handle);
      this.page(handle).fill(0, start, start + entries * this.#wordsPerEntry);
    }
    this.#free[chunkClass]!.push(handle);
  }

  page(handle: number): Int32Array {
    return this.#pages[handle >>> PAGE_BITS]!;
  }

  /** @returns In words. */
  offset(handle: number): number {
    return (handle & OFFSET_MASK) * this.#wordsPerEntry;
  }

  #addPage(entries: number): number {
    const page = new Int32Array(entries * this.#wordsPerEntry);
    const index = this.#freePages.pop();
    if (index === undefined) return this.#pages.push(page) - 1;
    this.#pages[index] = page;
    return index;
  }
}
