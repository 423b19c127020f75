import { invariant } from "../base/errors.ts";

/** CRC-32 (ISO 3309, as in ZIP). @param previous - Of the bytes before; 0 at the start. */
export type Crc32 = (bytes: Uint8Array, previous: number) => number;

/** Bytes of a stored sum: 1 when it is known, then the sum. */
const STORED_BYTES = 5;

/**
 * The CRC-32 of each file of a torrent, computed from bytes as readers pass them in order: a sum that reached byte n
 * continues when byte n passes again.
 */
export class FileSums {
  readonly #sizes: (file: number) => number;
  readonly #crc32: Crc32;
  readonly #sums: Uint32Array;
  /** Bytes that each sum covers, from the start of its file. */
  readonly #covered: Float64Array;
  #changed = false;

  /**
   * @param files - How many there are.
   * @param sizes - Bytes of each.
   */
  constructor(files: number, sizes: (file: number) => number, crc32: Crc32) {
    this.#sizes = sizes;
    this.#crc32 = crc32;
    this.#sums = new Uint32Array(files);
    this.#covered = new Float64Array(files);
  }

  /** The sum of the whole file; `undefined` until it is known. */
  of(file: number): number | undefined {
    return this.covered(file) === this.#sizes(file) ? this.#sums[file] : undefined;
  }

  /** Bytes from the start of the file that the sum covers so far. */
  covered(file: number): number {
    const covered = this.#covered[file];
    invariant(covered !== undefined, "files are counted by their torrent");
    return covered;
  }

  /** Takes intact bytes of a file; bytes that do not continue the sum are ignored. */
  feed(file: number, offset: number, bytes: Uint8Array): void {
    const covered = this.covered(file);
    if (covered < offset || covered >= offset + bytes.length) return;
    this.#sums[file] = this.#crc32(bytes.subarray(covered - offset), this.#sums[file]!);
    this.#covered[file] = offset + bytes.length;
    if (this.#covered[file] === this.#sizes(file)) this.#changed = true;
  }

  /** @returns All sums for storing; `undefined` when there are no new ones since the last call. */
  takeChanges(): Uint8Array | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    const stored = new Uint8Array(this.#sums.length * STORED_BYTES);
    const view = new DataView(stored.buffer);
    for (let file = 0; file < this.#sums.length; file += 1) {
      const sum = this.of(file);
      if (sum === undefined) continue;
      view.setUint8(file * STORED_BYTES, 1);
      view.setUint32(file * STORED_BYTES + 1, sum);
    }
    return stored;
  }

  /** Restores stored sums. */
  restore(stored: Uint8Array): void {
    if (stored.length !== this.#sums.length * STORED_BYTES) return;
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
    for (let file = 0; file < this.#sums.length; file += 1) {
      if (view.getUint8(file * STORED_BYTES) !== 1) continue;
      this.#sums[file] = view.getUint32(file * STORED_BYTES + 1);
      this.#covered[file] = this.#sizes(file);
    }
  }
}
