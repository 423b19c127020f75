import { toLatin1 } from "../base/bytes.ts";
import { MetainfoError } from "./metainfo-error.ts";

/** Slots probed for one name. Chance needs 30 at most; more collisions were made on purpose. */
const PROBES_MAX = 2000;

/** Initial capacity in names, and bytes of the list for each further one. */
const ROOM_AT_FIRST = 512;
const BYTES_PER_NAME = 64;

/** Each byte in lower case, like `toLowerCase` for ASCII. */
const LOWER = Uint8Array.from({ length: 128 }, (_, byte) =>
  String.fromCharCode(byte).toLowerCase().charCodeAt(0),
);

/**
 * Maps the names in folders to entries, for trees of 200,000 files, as a table of numbers. A name is a text, or lies
 * in bytes that are kept anyway and then costs nothing. A map keyed by folder and name would take three times the
 * memory.
 */
export class NameTable<Entry> {
  readonly #entries: (Entry | undefined)[] = [];
  readonly #names: string[] = [];
  readonly #bytes: Uint8Array;
  #folders: Int32Array;
  #hashes: Int32Array;
  /** The offset of a name in `#bytes`, or minus one minus its index in `#names`. */
  #offsets: Int32Array;
  #lengths: Uint8Array;
  /** Index of an entry plus one, or 0; open addressing, at most half full. */
  #slots: Int32Array;

  readonly #seed: number;

  /**
   * @param seed - 32 bits that the author of the names could not know.
   * @param bytes - Holds the names given to `addPlain`.
   */
  constructor(seed: number, bytes: Uint8Array) {
    this.#seed = seed;
    this.#bytes = bytes;
    let room = ROOM_AT_FIRST;
    while (room * BYTES_PER_NAME < bytes.length) room *= 2;
    this.#folders = new Int32Array(room);
    this.#hashes = new Int32Array(room);
    this.#offsets = new Int32Array(room);
    this.#lengths = new Uint8Array(room);
    this.#slots = new Int32Array(2 * room);
  }

  /** @param name - Folded. @returns The index of the name in this folder; -1 when there is none. */
  find(folder: number, name: string): number {
    return this.#slots[this.#slotOf({ folder, name, hash: this.#hash(folder, name) })]! - 1;
  }

  /** The entry that was added at this index; `undefined` for a plain name. */
  entry(index: number): Entry | undefined {
    return this.#entries[index];
  }

  /** The plain name that was added at this index, as it was written. */
  plainName(index: number): string {
    return this.#text({ nameAt: this.#offsets[index]!, nameLength: this.#lengths[index]! });
  }

  /** @param name - Folded, and not added to this folder before. */
  add(folder: number, name: string, entry: Entry): void {
    if (this.#entries.length * 2 >= this.#slots.length) this.#grow();
    const key = { folder, name, hash: this.#hash(folder, name) };
    const slot = this.#slotOf(key);
    this.#offsets[this.#entries.length] = -1 - this.#names.length;
    this.#names.push(name);
    this.#put(slot, key, entry);
  }

  /**
   * Adds an ASCII name of 1 to 255 bytes that lies in the bytes.
   *
   * @returns False, without a change, when its fold is taken in this folder.
   */
  addPlain(folder: number, name: PlainName): boolean {
    if (this.#entries.length * 2 >= this.#slots.length) this.#grow();
    const key = { folder, name, hash: this.#hashPlain(folder, name) };
    const slot = this.#slotOf(key);
    if (this.#slots[slot] !== 0) return false;
    this.#offsets[this.#entries.length] = name.nameAt;
    this.#lengths[this.#entries.length] = name.nameLength;
    this.#put(slot, key, undefined);
    return true;
  }

  #put(slot: number, { folder, hash }: Key, entry: Entry | undefined): void {
    const index = this.#entries.length;
    this.#slots[slot] = index + 1;
    this.#entries.push(entry);
    this.#folders[index] = folder;
    this.#hashes[index] = hash;
  }

  /** The slot of the name, or the free slot where it belongs. */
  #slotOf({ folder, name, hash }: Key): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const index = this.#slots[slot]! - 1;
      if (index === -1) return slot;
      const isSame =
        this.#hashes[index] === hash &&
        this.#folders[index] === folder &&
        this.#foldAt(index) === (typeof name === "string" ? name : this.#text(name).toLowerCase());
      if (isSame) return slot;
      slot = (slot + 1) & mask;
    }
    throw new MetainfoError("too-large", `more than ${PROBES_MAX} names of files collide`);
  }

  #foldAt(index: number): string {
    const at = this.#offsets[index]!;
    return at < 0 ? this.#names[-1 - at]! : this.plainName(index).toLowerCase();
  }

  #text({ nameAt, nameLength }: PlainName): string {
    return toLatin1(this.#bytes.subarray(nameAt, nameAt + nameLength));
  }

  #grow(): void {
    const room = this.#entries.length * 2;
    this.#folders = copyInto(new Int32Array(room), this.#folders);
    this.#hashes = copyInto(new Int32Array(room), this.#hashes);
    this.#offsets = copyInto(new Int32Array(room), this.#offsets);
    this.#lengths = copyInto(new Uint8Array(room), this.#lengths);
    this.#slots = new Int32Array(room * 2);
    const mask = this.#slots.length - 1;
    for (let index = 0; index < this.#entries.length; index += 1) {
      let slot = this.#hashes[index]! & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = index + 1;
    }
  }

  /** FNV-1a over the UTF-16 units of the name, with a final mix of the bits. */
  #hash(folder: number, name: string): number {
    let hash = this.#seed ^ Math.imul(folder, 0x9e3779b1);
    for (let index = 0; index < name.length; index += 1) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
    }
    return mixed(hash);
  }

  /** The hash that `#hash` computes of the folded name. */
  #hashPlain(folder: number, { nameAt, nameLength }: PlainName): number {
    const bytes = this.#bytes;
    const end = nameAt + nameLength;
    let hash = this.#seed ^ Math.imul(folder, 0x9e3779b1);
    for (let index = nameAt; index < end; index += 1) {
      hash = Math.imul(hash ^ LOWER[bytes[index]!]!, 0x01000193);
    }
    return mixed(hash);
  }
}

/** An ASCII name, by its place in the bytes. */
export interface PlainName {
  /** Offset of its first byte. */
  readonly nameAt: number;
  /** Bytes. */
  readonly nameLength: number;
}

function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return once ^ (once >>> 13);
}

/** A name in a folder, while its slot is looked up. */
interface Key {
  readonly folder: number;
  /** Folded text, or a plain name as it stands. */
  readonly name: string | PlainName;
  readonly hash: number;
}

function copyInto<Column extends Int32Array | Uint8Array>(larger: Column, column: Column): Column {
  larger.set(column);
  return larger;
}
