/** Up to this many entries a chunk is a list, searched linearly; larger chunks are hash tables. */
export const DENSE_MAX = 64;
const DENSE_ENTRIES = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 40, 48, DENSE_MAX];
/**
 * From 96 to 2^24, growing by a third and by a half in turn, so that a table never has twice the
 * room it needs.
 */
const HASHED_ENTRIES = Array.from({ length: 18 }, (_, power) => [96 << power, 128 << power]).flat();

/** Entries of a chunk by its class. */
export const CLASS_ENTRIES: readonly number[] = [...DENSE_ENTRIES, ...HASHED_ENTRIES];

/** The smallest class with room for a given count, up to `DENSE_MAX`. */
export const DENSE_CLASS = Uint8Array.from({ length: DENSE_MAX + 1 }, (_, count) =>
  CLASS_ENTRIES.findIndex((entries) => entries >= count),
);
/** The first class of hash tables. */
export const HASHED_CLASS = DENSE_ENTRIES.length;

const PAGE_BITS = 10;
const PAGE_ENTRIES = 1 << PAGE_BITS;
const OFFSET_MASK = PAGE_ENTRIES - 1;
const NO_PAGE = new Int32Array(0);
const NONE = -1;

/** A page that chunks of one class are cut from. */
interface Page {
  words: Int32Array;
  /** Chunks in use now. */
  used: number;
  /** Chunks that were ever in use; the ones after them are fresh. */
  cut: number;
  /** First chunk of the free list; the first word of each free chunk names the next. */
  free: number;
  /** Its position among the pages of its class that have room; `NONE` when it is full. */
  place: number;
}

/**
 * Memory for peers, in chunks of a few fixed sizes. All chunks of a page have one class, and a page
 * with no chunk in use is freed. Otherwise swarms that grow together would leave behind, at every
 * size they outgrow, more memory than their peers take. A large chunk has a page of its own.
 */
export class ChunkPool {
  readonly #wordsPerEntry: number;
  readonly #pages: Page[] = [];
  readonly #freePages: number[] = [];
  /** Pages with room, by class. */
  readonly #roomy: number[][] = CLASS_ENTRIES.map(() => []);

  constructor(wordsPerEntry: number) {
    this.#wordsPerEntry = wordsPerEntry;
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return this.#pages.reduce((bytes, page) => bytes + page.words.byteLength, 0);
  }

  /** @returns A handle. A hash table comes zeroed; a list keeps its old content. */
  take(chunkClass: number): number {
    const entries = CLASS_ENTRIES[chunkClass]!;
    const number = this.#roomy[chunkClass]!.at(-1) ?? this.#addPage(chunkClass);
    const page = this.#pages[number]!;
    let chunk = page.free;
    if (chunk === NONE) {
      chunk = page.cut;
      page.cut += 1;
    } else {
      const start = chunk * entries * this.#wordsPerEntry;
      page.free = page.words[start]!;
      page.words[start] = 0;
    }
    page.used += 1;
    if (page.free === NONE && page.cut === chunksOf(chunkClass)) this.#leaveRoomy(page, chunkClass);
    return (number << PAGE_BITS) | (chunk * entries);
  }

  give(handle: number, chunkClass: number): void {
    const number = handle >>> PAGE_BITS;
    const page = this.#pages[number]!;
    const roomy = this.#roomy[chunkClass]!;
    page.used -= 1;
    // Keep the last page with room, so that one peer that comes and goes does not create and free a
    // page each time.
    const isSpare = chunksOf(chunkClass) > 1 && roomy.length <= (page.place === NONE ? 0 : 1);
    if (page.used === 0 && !isSpare) {
      this.#leaveRoomy(page, chunkClass);
      page.words = NO_PAGE;
      this.#freePages.push(number);
      return;
    }
    const entries = CLASS_ENTRIES[chunkClass]!;
    const start = this.offset(handle);
    if (chunkClass >= HASHED_CLASS) {
      page.words.fill(0, start, start + entries * this.#wordsPerEntry);
    }
    page.words[start] = page.free;
    page.free = (handle & OFFSET_MASK) / entries;
    if (page.place === NONE) page.place = roomy.push(number) - 1;
  }

  page(handle: number): Int32Array {
    return this.#pages[handle >>> PAGE_BITS]!.words;
  }

  /** @returns The offset in words. */
  offset(handle: number): number {
    return (handle & OFFSET_MASK) * this.#wordsPerEntry;
  }

  #addPage(chunkClass: number): number {
    const entries = chunksOf(chunkClass) * CLASS_ENTRIES[chunkClass]!;
    const number = this.#freePages.pop() ?? this.#pages.length;
    this.#pages[number] = {
      words: new Int32Array(entries * this.#wordsPerEntry),
      used: 0,
      cut: 0,
      free: NONE,
      place: this.#roomy[chunkClass]!.push(number) - 1,
    };
    return number;
  }

  #leaveRoomy(page: Page, chunkClass: number): void {
    const { place } = page;
    if (place === NONE) return;
    const roomy = this.#roomy[chunkClass]!;
    const last = roomy.pop()!;
    if (place < roomy.length) {
      roomy[place] = last;
      this.#pages[last]!.place = place;
    }
    page.place = NONE;
  }
}

/** Chunks on a page of this class; a large chunk has a page to itself. */
function chunksOf(chunkClass: number): number {
  return Math.max(1, Math.floor(PAGE_ENTRIES / CLASS_ENTRIES[chunkClass]!));
}
