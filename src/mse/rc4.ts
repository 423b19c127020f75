/** Shorter runs are not worth views of words. */
const WORDS_BYTES_MIN = 64;
/** Words are put together with the first byte lowest, as this machine has to keep them. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * The stream cipher RC4. It hides, and protects nothing: message stream encryption prescribes it. OpenSSL refuses it by
 * default, so it is our own.
 */
export class Rc4 {
  // Values from 0 to 255. Words are faster than bytes here: the loop needs no conversion.
  readonly #state = new Int32Array(256);
  #i = 0;
  #j = 0;

  /** @param key - 1 to 256 bytes. */
  constructor(key: Uint8Array) {
    const state = this.#state;
    for (let i = 0; i < 256; i += 1) state[i] = i;
    let j = 0;
    for (let i = 0; i < 256; i += 1) {
      const value = state[i]!;
      j = (j + value + key[i % key.length]!) & 255;
      state[i] = state[j]!;
      state[j] = value;
    }
  }

  /** @returns The next bytes of the key stream. */
  keystream(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.apply(bytes, bytes);
    return bytes;
  }

  /**
   * Encrypts or decrypts the next bytes.
   *
   * @param into - As long as `bytes`; the same memory, or memory that does not overlap it.
   */
  apply(bytes: Uint8Array, into: Uint8Array): void {
    const { length } = bytes;
    const offset = bytes.byteOffset & 3;
    if (length < WORDS_BYTES_MIN || (into.byteOffset & 3) !== offset || !IS_LITTLE_ENDIAN) {
      this.#applyBytes(bytes, into, 0, length);
      return;
    }
    const head = -offset & 3;
    const words = (length - head) >>> 2;
    this.#applyBytes(bytes, into, 0, head);
    this.#applyWords(
      new Int32Array(bytes.buffer, bytes.byteOffset + head, words),
      new Int32Array(into.buffer, into.byteOffset + head, words),
    );
    this.#applyBytes(bytes, into, head + words * 4, length);
  }

  #applyBytes(bytes: Uint8Array, into: Uint8Array, begin: number, end: number): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let at = begin; at < end; at += 1) {
      i = (i + 1) & 255;
      const a = state[i]!;
      j = (j + a) & 255;
      const b = state[j]!;
      state[i] = b;
      state[j] = a;
      into[at] = bytes[at]! ^ state[(a + b) & 255]!;
    }
    this.#i = i;
    this.#j = j;
  }

  /** Four steps of `#applyBytes` for each word: reads and writes of memory are a third of its time. */
  #applyWords(words: Int32Array, into: Int32Array): void {
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < words.length; at += 1) {
      i = (i + 1) & 255;
      let a = state[i]!;
      j = (j + a) & 255;
      let b = state[j]!;
      state[i] = b;
      state[j] = a;
      let key = state[(a + b) & 255]!;
      i = (i + 1) & 255;
      a = state[i]!;
      j = (j + a) & 255;
      b = state[j]!;
      state[i] = b;
      state[j] = a;
      key |= state[(a + b) & 255]! << 8;
      i = (i + 1) & 255;
      a = state[i]!;
      j = (j + a) & 255;
      b = state[j]!;
      state[i] = b;
      state[j] = a;
      key |= state[(a + b) & 255]! << 16;
      i = (i + 1) & 255;
      a = state[i]!;
      j = (j + a) & 255;
      b = state[j]!;
      state[i] = b;
      state[j] = a;
      key |= state[(a + b) & 255]! << 24;
      into[at] = words[at]! ^ key;
    }
    this.#i = i;
    this.#j = j;
  }
}
