import { ChunkPool, CLASS_ENTRIES, DENSE_CLASS, DENSE_MAX, HASHED_CLASS } from "./chunk-pool.ts";
import { portOf } from "./peer-word.ts";

const NONE = -1;
/** Above this load a hash table moves to a larger one. */
const LOAD_MAX = 0.8;
/** It moves to the next smaller table when that one would be no fuller than this. */
const LOAD_AFTER_SHRINKING_MAX = 0.6;
const TWO_32 = 0x1_0000_0000;
const NO_PAGE = new Int32Array(0);

/**
 * The peers of all swarms in one address family. An entry holds the address (1 or 4 words), the
 * peer's word (`peer-word.ts`) and `detailWords` more. A swarm of up to 64 peers is a list, a
 * larger one a hash table.
 *
 * `locate` and `insert` leave `page` and `entry` at a peer, for reading, writing and
 * `removeLocated`. The next call of any other method makes them stale.
 */
export class PeerTable {
  readonly addressWords: number;
  readonly wordsPerEntry: number;
  /** The located entry begins at `page[entry]`. */
  page: Int32Array = NO_PAGE;
  entry = 0;

  readonly #pool: ChunkPool;
  readonly #key: number;
  #handles = new Int32Array(0);
  #counts = new Int32Array(0);
  #classes = new Uint8Array(0);

  /** @param key - Random for each process, so that nobody can aim at one slot of a hash table. */
  constructor(options: { addressWords: 1 | 4; detailWords: number; key: number }) {
    this.addressWords = options.addressWords;
    this.wordsPerEntry = options.addressWords + 1 + options.detailWords;
    this.#pool = new ChunkPool(this.wordsPerEntry);
    this.#key = options.key | 0;
  }

  /** Makes room for swarms numbered below `swarmsMax`. */
  grow(swarmsMax: number): void {
    const known = this.#handles.length;
    this.#handles = grown(this.#handles, new Int32Array(swarmsMax));
    this.#handles.fill(NONE, known);
    this.#counts = grown(this.#counts, new Int32Array(swarmsMax));
    this.#classes = grown(this.#classes, new Uint8Array(swarmsMax));
  }

  count(swarm: number): number {
    return this.#counts[swarm]!;
  }

  /** The slots that may hold peers: `entryAt` takes 0 to `slots - 1`. */
  slots(swarm: number): number {
    const chunkClass = this.#classes[swarm]!;
    return chunkClass < HASHED_CLASS ? this.#counts[swarm]! : CLASS_ENTRIES[chunkClass]!;
  }

  /** Moves `page` and `entry` to the first slot of a swarm that has slots. @returns `entry`. */
  open(swarm: number): number {
    const handle = this.#handles[swarm]!;
    this.page = this.#pool.page(handle);
    this.entry = this.#pool.offset(handle);
    return this.entry;
  }

  /** @returns True when the peer is present; it is then the located one. */
  locate(swarm: number, address: Int32Array, port: number): boolean {
    const handle = this.#handles[swarm]!;
    if (handle === NONE) return false;
    const page = this.#pool.page(handle);
    const start = this.#pool.offset(handle);
    const { wordsPerEntry, addressWords } = this;
    this.page = page;
    const chunkClass = this.#classes[swarm]!;
    if (chunkClass < HASHED_CLASS) {
      const end = start + this.#counts[swarm]! * wordsPerEntry;
      for (let entry = start; entry < end; entry += wordsPerEntry) {
        if (portOf(page[entry + addressWords]!) === port && this.#has(page, entry, address)) {
          this.entry = entry;
          return true;
        }
      }
      return false;
    }
    const slots = CLASS_ENTRIES[chunkClass]!;
    let slot = this.#home(address, { offset: 0, port, slots });
    for (;;) {
      const entry = start + slot * wordsPerEntry;
      const word = page[entry + addressWords]!;
      if (word === 0) return false;
      if (portOf(word) === port && this.#has(page, entry, address)) {
        this.entry = entry;
        return true;
      }
      slot = slot + 1 === slots ? 0 : slot + 1;
    }
  }

  /**
   * A 32-bit hash of the located peer and its last announce. It stays the same until the next
   * announce.
   */
  locatedHash(): number {
    return this.#hash(this.page, this.entry, this.page[this.entry + this.addressWords]!);
  }

  /**
   * Adds an absent peer and locates it, with zeroed details.
   *
   * @returns False when the swarm already has as many peers as a table can hold.
   */
  insert(swarm: number, address: Int32Array, word: number): boolean {
    const count = this.#counts[swarm]!;
    if (!this.#makeRoom(swarm, count + 1)) return false;
    const handle = this.#handles[swarm]!;
    const chunkClass = this.#classes[swarm]!;
    const page = this.#pool.page(handle);
    const start = this.#pool.offset(handle);
    const { wordsPerEntry, addressWords } = this;
    const slot =
      chunkClass < HASHED_CLASS
        ? count
        : this.#emptySlot(page, start, {
            words: address,
            offset: 0,
            port: portOf(word),
            slots: CLASS_ENTRIES[chunkClass]!,
          });
    const entry = start + slot * wordsPerEntry;
    for (let i = 0; i < addressWords; i += 1) page[entry + i] = address[i]!;
    page[entry + addressWords] = word;
    page.fill(0, entry + addressWords + 1, entry + wordsPerEntry);
    this.#counts[swarm] = count + 1;
    this.page = page;
    this.entry = entry;
    return true;
  }

  /** Removes the located peer. Another peer may stand at `entry` afterwards. */
  removeLocated(swarm: number): void {
    const { page, entry, wordsPerEntry, addressWords } = this;
    const handle = this.#handles[swarm]!;
    const chunkClass = this.#classes[swarm]!;
    const start = this.#pool.offset(handle);
    const count = this.#counts[swarm]! - 1;
    this.#counts[swarm] = count;
    if (chunkClass < HASHED_CLASS) {
      const last = start + count * wordsPerEntry;
      page.copyWithin(entry, last, last + wordsPerEntry);
      return;
    }
    const slots = CLASS_ENTRIES[chunkClass]!;
    let hole = (entry - start) / wordsPerEntry;
    let slot = hole;
    for (;;) {
      slot = slot + 1 === slots ? 0 : slot + 1;
      const from = start + slot * wordsPerEntry;
      const word = page[from + addressWords]!;
      if (word === 0) break;
      const home = this.#home(page, { offset: from, port: portOf(word), slots });
      if (stepsTo(slot, home, slots) < stepsTo(slot, hole, slots)) continue;
      page.copyWithin(start + hole * wordsPerEntry, from, from + wordsPerEntry);
      hole = slot;
    }
    page[start + hole * wordsPerEntry + addressWords] = 0;
  }

  /**
   * Frees memory that a swarm has shrunk out of. Call it after removals; it leaves no peer located.
   */
  shrink(swarm: number): void {
    const handle = this.#handles[swarm]!;
    if (handle === NONE) return;
    const count = this.#counts[swarm]!;
    const chunkClass = this.#classes[swarm]!;
    if (count === 0) {
      this.#pool.give(handle, chunkClass);
      this.#handles[swarm] = NONE;
      this.#classes[swarm] = 0;
    } else if (chunkClass >= HASHED_CLASS) {
      const smaller = smallerTable(chunkClass, count);
      if (smaller < chunkClass) this.#move(swarm, smaller);
    } else if (chunkClass > 1 && count <= CLASS_ENTRIES[chunkClass - 2]!) {
      this.#move(swarm, chunkClass - 1);
    }
  }

  #makeRoom(swarm: number, count: number): boolean {
    if (this.#handles[swarm] === NONE) {
      this.#handles[swarm] = this.#pool.take(0);
      this.#classes[swarm] = 0;
      return true;
    }
    const chunkClass = this.#classes[swarm]!;
    const entries = CLASS_ENTRIES[chunkClass]!;
    const room = chunkClass < HASHED_CLASS ? entries : entries * LOAD_MAX;
    if (count <= room) return true;
    if (chunkClass + 1 === CLASS_ENTRIES.length) return false;
    this.#move(swarm, chunkClass + 1);
    return true;
  }

  /** Copies the peers of a swarm into a chunk of another class. */
  #move(swarm: number, chunkClass: number): void {
    const { wordsPerEntry, addressWords } = this;
    const [oldHandle, oldClass] = [this.#handles[swarm]!, this.#classes[swarm]!];
    const handle = this.#pool.take(chunkClass);
    const from = this.#pool.page(oldHandle);
    const to = this.#pool.page(handle);
    const start = this.#pool.offset(handle);
    const end = this.#pool.offset(oldHandle) + this.slots(swarm) * wordsPerEntry;
    const slots = CLASS_ENTRIES[chunkClass]!;
    let next = start;
    for (let entry = this.#pool.offset(oldHandle); entry < end; entry += wordsPerEntry) {
      const word = from[entry + addressWords]!;
      if (word === 0) continue;
      let target = next;
      if (chunkClass < HASHED_CLASS) next += wordsPerEntry;
      else {
        const peer = { words: from, offset: entry, port: portOf(word), slots };
        target = start + this.#emptySlot(to, start, peer) * wordsPerEntry;
      }
      for (let i = 0; i < wordsPerEntry; i += 1) to[target + i] = from[entry + i]!;
    }
    this.#pool.give(oldHandle, oldClass);
    this.#handles[swarm] = handle;
    this.#classes[swarm] = chunkClass;
  }

  /** The slot where an absent peer belongs. */
  #emptySlot(page: Int32Array, start: number, peer: Hashed & { words: Int32Array }): number {
    let slot = this.#home(peer.words, peer);
    while (page[start + slot * this.wordsPerEntry + this.addressWords] !== 0) {
      slot = slot + 1 === peer.slots ? 0 : slot + 1;
    }
    return slot;
  }

  #has(page: Int32Array, entry: number, address: Int32Array): boolean {
    for (let i = 0; i < this.addressWords; i += 1) {
      if (page[entry + i] !== address[i]) return false;
    }
    return true;
  }

  /** The slot where the search for a peer starts. Its address is at `offset` of `words`. */
  #home(words: Int32Array, { offset, port, slots }: Hashed): number {
    return Math.floor((this.#hash(words, offset, port) / TWO_32) * slots);
  }

  #hash(words: Int32Array, offset: number, port: number): number {
    let mixed = Math.imul(port + 0x7f4a7c15, 0xc2b2ae35) ^ this.#key;
    for (let i = 0; i < this.addressWords; i += 1) {
      mixed = Math.imul(mixed ^ words[offset + i]!, 0x85ebca6b);
      mixed ^= mixed >>> 15;
    }
    // The high bits choose the slot, so they must depend on all the low bits.
    mixed = Math.imul(mixed, 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }
}

interface Hashed {
  readonly offset: number;
  readonly port: number;
  readonly slots: number;
}

/** The distance from `from` forward to `slot`, wrapping at the end. */
function stepsTo(slot: number, from: number, slots: number): number {
  return slot >= from ? slot - from : slot + slots - from;
}

/** The right class for a hash table that has this few peers left. */
function smallerTable(chunkClass: number, count: number): number {
  let fitting = chunkClass;
  while (
    fitting > HASHED_CLASS &&
    count <= CLASS_ENTRIES[fitting - 1]! * LOAD_AFTER_SHRINKING_MAX
  ) {
    fitting -= 1;
  }
  const fitsList = fitting === HASHED_CLASS && count <= DENSE_MAX * LOAD_AFTER_SHRINKING_MAX;
  return fitsList ? DENSE_CLASS[count]! : fitting;
}

function grown<Words extends Int32Array | Uint8Array>(from: Words, to: Words): Words {
  to.set(from);
  return to;
}
