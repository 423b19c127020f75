import { encodeUtf8 } from "../../base/bytes.ts";
import type { Work } from "../../base/work.ts";
import {
  type CentralDirectory,
  centralEntryBytes,
  descriptorBytes,
  endBytes,
  LOCAL_HEADER_BYTES,
  type ZipEntry,
} from "./zip-records.ts";

/** Entries that are laid out before other work gets a turn: about half a millisecond. */
const ENTRIES_PER_STEP = 512;

/** A file to put into the archive. */
export interface ZipInput {
  /** "/" between parts. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

/**
 * The position of every record of an archive, known before a byte of it is generated. The same files always give the
 * same positions, so that a part of the archive can be requested again (RFC 9110 14.2).
 */
export class ZipLayout {
  readonly #input: (entry: number) => ZipInput;
  /** The offset of each entry's local header, and finally that of the directory. */
  readonly #starts: Float64Array;
  /** The offset of each directory entry, and finally the end of the directory. */
  readonly #centralStarts: Float64Array;

  private constructor(
    input: (entry: number) => ZipInput,
    starts: Float64Array,
    centralStarts: Float64Array,
  ) {
    this.#input = input;
    this.#starts = starts;
    this.#centralStarts = centralStarts;
  }

  /** @param input - Returns an entry by its number; called again later. */
  static *build(count: number, input: (entry: number) => ZipInput): Work<ZipLayout> {
    const starts = new Float64Array(count + 1);
    // Relative to the directory until its offset is known.
    const centralStarts = new Float64Array(count + 1);
    for (let entry = 0; entry < count; entry += 1) {
      if (entry % ENTRIES_PER_STEP === ENTRIES_PER_STEP - 1) yield;
      const { path, size } = input(entry);
      const name = encodeUtf8(path);
      const start = starts[entry]!;
      starts[entry + 1] = start + LOCAL_HEADER_BYTES + name.length + size + descriptorBytes(size);
      centralStarts[entry + 1] = centralStarts[entry]! + centralEntryBytes({ name, size, start });
    }
    for (let entry = 0; entry <= count; entry += 1) centralStarts[entry]! += starts[count]!;
    return new ZipLayout(input, starts, centralStarts);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  get directory(): CentralDirectory {
    const start = this.#starts[this.count]!;
    return { entries: this.count, start, bytes: this.#centralStarts[this.count]! - start };
  }

  /** Bytes of the whole archive. */
  get size(): number {
    const { start, bytes } = this.directory;
    return start + bytes + endBytes(this.directory);
  }

  entry(index: number): ZipEntry {
    const { path, size, executable } = this.#input(index);
    return { name: encodeUtf8(path), size, executable, start: this.#starts[index]! };
  }

  /** The offset of an entry's local header; of the directory, for one past the last. */
  start(index: number): number {
    return this.#starts[index]!;
  }

  /** The offset of a directory entry; the end of the directory, for one past the last. */
  centralStart(index: number): number {
    return this.#centralStarts[index]!;
  }

  /** The entry that the byte at `offset` belongs to; `count` from the directory on. */
  entryAt(offset: number): number {
    return lastAtOrBefore(this.#starts, offset);
  }

  /** The directory entry that contains the byte at `offset`; `count` after the directory. */
  centralEntryAt(offset: number): number {
    return Math.max(0, lastAtOrBefore(this.#centralStarts, offset));
  }
}

/** Index of the last offset that is at or before `offset`; -1 when there is none. */
function lastAtOrBefore(places: Float64Array, offset: number): number {
  let low = -1;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (places[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
