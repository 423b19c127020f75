/** Shorter runs are not worth views of words and a copy of the state. */
const WORDS_BYTES_MIN = 256;
/** Words are put together with the first byte lowest, as this machine has to keep them. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/**
 * The state of the cipher that works at the moment. The compiler knows this one array, where it lies and how long it is, so
 * its loop checks no index. With that, and with values read ahead, a long run takes 0.93 of the time.
 */
const WORKING = new Int32Array(256);

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

  /**
   * Four steps of `#applyBytes` for each word: reads and writes of memory are a third of its time. Each step reads the
   * next value before it writes, so that the processor need not find out first whether both are at the same place.
   */
  #applyWords(words: Int32Array, into: Int32Array): void {
    WORKING.set(this.#state);
    let i = (this.#i + 1) & 255;
    let j = this.#j;
    let a = WORKING[i]!;
    for (let at = 0; at < words.length; at += 1) {
      let next = (i + 1) & 255;
      let ahead = WORKING[next]!;
      j = (j + a) & 255;
      let b = WORKING[j]!;
      WORKING[i] = b;
      WORKING[j] = a;
      let key = WORKING[(a + b) & 255]!;
      i = next;
      if (j !== next) a = ahead;
      next = (i + 1) & 255;
      ahead = WORKING[next]!;
      j = (j + a) & 255;
      b = WORKING[j]!;
      WORKING[i] = b;
      WORKING[j] = a;
      key |= WORKING[(a + b) & 255]! << 8;
      i = next;
      if (j !== next) a = ahead;
      next = (i + 1) & 255;
      ahead = WORKING[next]!;
      j = (j + a) & 255;
      b = WORKING[j]!;
      WORKING[i] = b;
      WORKING[j] = a;
      key |= WORKING[(a + b) & 255]! << 16;
      i = next;
      if (j !== next) a = ahead;
      next = (i + 1) & 255;
      ahead = WORKING[next]!;
      j = (j + a) & 255;
      b = WORKING[j]!;
      WORKING[i] = b;
      WORKING[j] = a;
      key |= WORKING[(a + b) & 255]! << 24;
      i = next;
      if (j !== next) a = ahead;
      into[at] = words[at]! ^ key;
    }
    this.#state.set(WORKING);
    this.#i = (i - 1) & 255;
    this.#j = j;
  }
}
