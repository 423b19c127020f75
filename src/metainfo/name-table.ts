import { MetainfoError } from "./metainfo-error.ts";

/** Slots looked at for one name. Some 30 are the most that chance needs; more were made on purpose. */
const PROBES_MAX = 2000;

/**
 * Which name of which folder leads where, for trees of 200,000 files: a table of numbers, with the names that
 * are kept anyway beside it. A map with a text of folder and name as its key costs three times the memory.
 */
export class NameTable<Entry> {
  readonly #entries: Entry[] = [];
  readonly #names: string[] = [];
  #folders = new Int32Array(512);
  #hashes = new Int32Array(512);
  /** Index of an entry plus one, or 0; open addressing, at most half full. */
  #slots = new Int32Array(1024);

  readonly #seed: number;

  /** @param seed - 32 bits that whoever chose the names did not know. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  /** @returns What was set for the name in the folder. */
  get(folder: number, name: string): Entry | undefined {
    const index = this.#slots[this.#slotOf(folder, name, this.#hash(folder, name))]!;
    return index === 0 ? undefined : this.#entries[index - 1];
  }

  /** @param name - Not set in this folder before. */
  add(folder: number, name: string, entry: Entry): void {
    if (this.#entries.length * 2 >= this.#slots.length) this.#grow();
    const hash = this.#hash(folder, name);
    const index = this.#entries.length;
    this.#slots[this.#slotOf(folder, name, hash)] = index + 1;
    this.#entries.push(entry);
    this.#names.push(name);
    this.#folders[index] = folder;
    this.#hashes[index] = hash;
  }

  /** The slot of the name, or the free one where it belongs. */
  #slotOf(folder: number, name: string, hash: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const index = this.#slots[slot]! - 1;
      if (index === -1) return slot;
      const isSame =
        this.#hashes[index] === hash &&
        this.#folders[index] === folder &&
        this.#names[index] === name;
      if (isSame) return slot;
      slot = (slot + 1) & mask;
    }
    throw new MetainfoError("too-large", `more than ${PROBES_MAX} names of files collide`);
  }

  #grow(): void {
    const capacity = this.#entries.length * 2;
    this.#folders = enlarged(this.#folders, capacity);
    this.#hashes = enlarged(this.#hashes, capacity);
    this.#slots = new Int32Array(capacity * 2);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.#entries.length; index += 1) {
      let slot = this.#hashes[index]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index + 1;
    }
  }

  /** FNV-1a over the units of the name, its bits mixed once more at the end. */
  #hash(folder: number, name: string): number {
    let hash = this.#seed ^ Math.imul(folder, 0x9e3779b1);
    for (let index = 0; index < name.length; index += 1) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }
}

function enlarged(numbers: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(numbers);
  return larger;
}
