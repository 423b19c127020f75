import { equalBytes, readUint32 } from "../base/bytes.ts";
import { torrentMark } from "./mse-keys.ts";

const INFOHASH_BYTES = 20;
const CELLS_MIN = 16;
/** Fuller tables are made twice as large. */
const FILLED_MAX = 3 / 4;
/** A cell that is free. Tags are never 0. */
const FREE = 0;

/**
 * Finds infohashes by their marks: the hash that a dialler sends in place of the infohash. A table without objects: a
 * torrent takes 24 bytes in a table that is between three eighths and three quarters full, so 32 to 64 bytes.
 */
export class TorrentMarks {
  #tags = new Uint32Array(CELLS_MIN);
  #infohashes = new Uint8Array(CELLS_MIN * INFOHASH_BYTES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param infohash - 20 bytes. Harmless when it is there. */
  add(infohash: Uint8Array): void {
    const tag = tagOf(torrentMark(infohash));
    if (this.#cellOf(tag, infohash) !== undefined) return;
    if (this.#size >= this.#tags.length * FILLED_MAX) this.#grow();
    this.#put(tag, infohash);
    this.#size += 1;
  }

  /** Harmless when it is not there. */
  delete(infohash: Uint8Array): void {
    const found = this.#cellOf(tagOf(torrentMark(infohash)), infohash);
    if (found === undefined) return;
    this.#size -= 1;
    this.#close(found);
  }

  /** @param mark - 20 bytes. @returns A copy. */
  find(mark: Uint8Array): Uint8Array | undefined {
    const tag = tagOf(mark);
    const last = this.#tags.length - 1;
    for (let cell = tag & last; this.#tags[cell] !== FREE; cell = (cell + 1) & last) {
      if (this.#tags[cell] !== tag) continue;
      const infohash = this.#at(cell);
      if (equalBytes(torrentMark(infohash), mark)) return infohash.slice();
    }
    return undefined;
  }

  #cellOf(tag: number, infohash: Uint8Array): number | undefined {
    const last = this.#tags.length - 1;
    for (let cell = tag & last; this.#tags[cell] !== FREE; cell = (cell + 1) & last) {
      if (this.#tags[cell] === tag && equalBytes(this.#at(cell), infohash)) return cell;
    }
    return undefined;
  }

  #put(tag: number, infohash: Uint8Array): void {
    const last = this.#tags.length - 1;
    let cell = tag & last;
    while (this.#tags[cell] !== FREE) cell = (cell + 1) & last;
    this.#tags[cell] = tag;
    this.#at(cell).set(infohash);
  }

  /** Frees a cell, and moves those behind it that would not be found any more. */
  #close(freed: number): void {
    const tags = this.#tags;
    const last = tags.length - 1;
    let hole = freed;
    for (let cell = (hole + 1) & last; tags[cell] !== FREE; cell = (cell + 1) & last) {
      const home = tags[cell]! & last;
      // Its way from home leads over the hole.
      if (((cell - home) & last) < ((cell - hole) & last)) continue;
      tags[hole] = tags[cell]!;
      this.#at(hole).set(this.#at(cell));
      hole = cell;
    }
    tags[hole] = FREE;
  }

  #grow(): void {
    const tags = this.#tags;
    const infohashes = this.#infohashes;
    this.#tags = new Uint32Array(tags.length * 2);
    this.#infohashes = new Uint8Array(infohashes.length * 2);
    for (let cell = 0; cell < tags.length; cell += 1) {
      if (tags[cell] === FREE) continue;
      const begin = cell * INFOHASH_BYTES;
      this.#put(tags[cell]!, infohashes.subarray(begin, begin + INFOHASH_BYTES));
    }
  }

  #at(cell: number): Uint8Array {
    const begin = cell * INFOHASH_BYTES;
    return this.#infohashes.subarray(begin, begin + INFOHASH_BYTES);
  }
}

function tagOf(mark: Uint8Array): number {
  return readUint32(mark, 0) || 1;
}
