/** The longest input that is made, in bytes. */
const INPUT_BYTES_MAX = 16 * 1024;

/** Accepted mutants that are mutated further, in addition to the corpus. */
const POOL_MAX = 256;

/** Numbers at which parsers fail: limits of types and of our own. */
const NUMBERS = [
  "0", "-0", "-1", "1", "00", "03", "+1", "1e3", "20", "32", "64", "100", "127", "128", "255", "256",
  "16383", "16384", "16385", "32768", "65535", "65536", "2147483647", "2147483648", "4294967295",
  "4294967296", "4294967297", "9007199254740991", "9007199254740992", "9223372036854775807",
  "9223372036854775808", "18446744073709551616", "99999999999999999999999",
] as const; // prettier-ignore

/** Parts of the grammar that random mutation rarely produces. */
const TOKENS = [
  "d", "l", "i", "e", ":", "0:", "1:", "le", "de", "i0e", "i-1e", "d0:", "4:info", "6:length",
  "5:files", "4:path", "2:..", "1:.", "0:0:", "5:a/../", "9:__proto__", "6:pieces", "12:piece length",
  "12:meta version", "9:file tree", "11:pieces root", "&", "=", "%", "%zz", "%00", "?", "/", "\\",
  "\r\n", "\0", "\u00ff\u00ff\u00ff\u00ff",
] as const; // prettier-ignore

/** Makes inputs from a corpus: the same seed makes the same ones, as long as the verdicts are the same. */
export class Mutator {
  readonly #random: (bound: number) => number;
  readonly #corpus: readonly Uint8Array[];
  readonly #pool: Uint8Array[] = [];
  #made = 0;

  constructor(corpus: readonly Uint8Array[], seed: number) {
    this.#corpus = corpus;
    this.#random = seededRandom(seed);
  }

  /** @returns A new array; the first ones are the corpus itself, unchanged. */
  next(): Uint8Array {
    const index = this.#made;
    this.#made += 1;
    if (index < this.#corpus.length) return this.#corpus[index]!.slice();
    let bytes = this.#pick();
    for (let rounds = 1 + this.#random(4); rounds > 0; rounds -= 1) bytes = this.#mutate(bytes);
    return bytes.length > INPUT_BYTES_MAX ? bytes.slice(0, INPUT_BYTES_MAX) : bytes;
  }

  /** The input was accepted: similar inputs may reach further. */
  keep(input: Uint8Array): void {
    if (this.#pool.length < POOL_MAX) this.#pool.push(input.slice());
    else if (this.#random(16) === 0) this.#pool[this.#random(POOL_MAX)] = input.slice();
  }

  #pick(): Uint8Array {
    const fromPool = this.#pool.length > 0 && this.#random(2) === 0;
    const source = fromPool ? this.#pool : this.#corpus;
    return source[this.#random(source.length)]!.slice();
  }

  #mutate(bytes: Uint8Array): Uint8Array {
    const at = this.#random(bytes.length + 1);
    const length = Math.min(1 + this.#random(1 << this.#random(8)), bytes.length - at);
    switch (this.#random(9)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << this.#random(8);
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at] = this.#random(256);
        return bytes;
      case 2:
        return splice(bytes, at, length, new Uint8Array(0));
      case 3:
        return splice(bytes, at, 0, bytes.slice(at, at + length));
      case 4:
        return splice(bytes, at, 0, latin1(TOKENS[this.#random(TOKENS.length)]!));
      case 5:
        return splice(bytes, at, length, latin1(TOKENS[this.#random(TOKENS.length)]!));
      case 6:
        return this.#replaceNumber(bytes, at);
      case 7: {
        const other = this.#pick();
        const from = this.#random(other.length + 1);
        return splice(bytes, at, length, other.subarray(from, from + this.#random(64)));
      }
      default:
        return bytes.slice(0, at);
    }
  }

  /** Replaces the run of digits at or after `at`. */
  #replaceNumber(bytes: Uint8Array, at: number): Uint8Array {
    let start = at;
    while (start < bytes.length && !isDigit(bytes[start]!)) start += 1;
    let end = start;
    while (end < bytes.length && isDigit(bytes[end]!)) end += 1;
    return splice(bytes, start, end - start, latin1(NUMBERS[this.#random(NUMBERS.length)]!));
  }
}

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - remove + insert.length);
  result.set(bytes.subarray(0, at));
  result.set(insert, at);
  result.set(bytes.subarray(at + remove), at + insert.length);
  return result;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The generator "sfc32": small, fast, and the same everywhere. */
function seededRandom(seed: number): (bound: number) => number {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    return result >>> 0;
  };
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next();
  return (bound) => Math.floor((next() / 2 ** 32) * bound);
}
