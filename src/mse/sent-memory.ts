/** What a cipher is given at most, and the place of its first byte within a word. */
const PART_BYTES = 64 * 1024 + 4;
/** Smaller parts are not worth keeping their memory. */
const BYTES_MIN = 4 * 1024;
/** Parts that are kept for later use: 1 MiB. */
const SPARE_MAX = 16;

/**
 * Memory for encrypted bytes on their way to the system, used again afterwards and shared by all streams of a session.
 * Fresh memory has to be filled with zeros and collected: that took as long as half of the encryption.
 */
export class SentMemory {
  readonly #spare: Uint8Array[] = [];

  /** @returns Memory of that length, with anything in it. */
  take(length: number): Uint8Array {
    if (length < BYTES_MIN || length > PART_BYTES) return new Uint8Array(length);
    return (this.#spare.pop() ?? new Uint8Array(PART_BYTES)).subarray(0, length);
  }

  /** @param bytes - Memory of `take`, or a part of it, that nobody reads any more. */
  giveBack(bytes: Uint8Array): void {
    const { buffer } = bytes;
    if (buffer.byteLength !== PART_BYTES || this.#spare.length >= SPARE_MAX) return;
    this.#spare.push(new Uint8Array(buffer));
  }
}
