import { toLatin1 } from "../base/bytes.ts";
import { BencodeError } from "./bencode-error.ts";
import type { BencodeValue } from "./bencode-value.ts";

export interface DecodeOptions {
  /** Levels of nesting allowed; deeper input counts as hostile. Default 100. */
  readonly depthMax?: number;
  /** Values allowed in all, containers counted too. Default 3 million. */
  readonly itemsMax?: number;
  /** Bytes of input allowed. Default 64 MiB. */
  readonly bytesMax?: number;
  /** Takes dictionaries whose keys are not sorted, as trackers and peers send them. Default false. */
  readonly lax?: boolean;
}

export const DEPTH_MAX = 100;
export const ITEMS_MAX = 3_000_000;
export const BYTES_MAX = 64 * 1024 * 1024;

/** 2^64 has 20 digits; longer integers mean nothing in any BEP and cost quadratic time (BEN-6). */
const INTEGER_DIGITS_MAX = 20;
/** Enough for any input that fits into memory. */
const LENGTH_DIGITS_MAX = 10;
/** Up to here a `number` holds every value of so many digits exactly. */
const SAFE_DIGITS_MAX = 15;

const INTEGER = 0x69; // i
const LIST = 0x6c; // l
const DICT = 0x64; // d
const END = 0x65; // e
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;

/**
 * Decodes the one bencoded value that fills `input` (BEP 3). Duplicate keys are always refused:
 * two readers would see different values (BEN-7).
 *
 * @param input - Encoded bytes. The result aliases them: do not reuse the buffer.
 * @throws {BencodeError} With the offset of the first byte that breaks the grammar or a limit.
 */
export function decode(input: Uint8Array, options: DecodeOptions = {}): BencodeValue {
  const { value, end } = decodePrefix(input, options);
  if (end < input.length) throw new BencodeError("trailing-bytes", end);
  return value;
}

/**
 * Decodes the bencoded value that `input` starts with; what follows it is not looked at. This is how
 * ut_metadata frames its blocks (BEP 9).
 *
 * @param input - Encoded bytes. The result aliases them: do not reuse the buffer.
 * @returns The value, and the offset of the first byte after it.
 * @throws {BencodeError} With the offset of the first byte that breaks the grammar or a limit.
 */
export function decodePrefix(
  input: Uint8Array,
  options: DecodeOptions = {},
): { value: BencodeValue; end: number } {
  const bytesMax = options.bytesMax ?? BYTES_MAX;
  if (input.length > bytesMax) {
    throw new BencodeError("too-long", bytesMax, `at most ${bytesMax} bytes`);
  }
  const decoder = new Decoder(input, options);
  const value = decoder.value(options.depthMax ?? DEPTH_MAX);
  return { value, end: decoder.offset };
}

class Decoder {
  offset = 0;
  readonly #input: Uint8Array;
  readonly #lax: boolean;
  readonly #depthMax: number;
  readonly #itemsMax: number;
  #itemsLeft: number;
  /** Keys seen lately: the same few stand in every entry of a long list. */
  readonly #keys: string[] = [];

  constructor(input: Uint8Array, options: DecodeOptions) {
    this.#input = input;
    this.#lax = options.lax ?? false;
    this.#depthMax = options.depthMax ?? DEPTH_MAX;
    this.#itemsMax = options.itemsMax ?? ITEMS_MAX;
    this.#itemsLeft = this.#itemsMax;
  }

  value(depthLeft: number): BencodeValue {
    if (this.#itemsLeft === 0) {
      throw new BencodeError("too-many-items", this.offset, `at most ${this.#itemsMax}`);
    }
    this.#itemsLeft -= 1;
    switch (this.#input[this.offset]) {
      case undefined:
        throw new BencodeError("truncated", this.offset);
      case INTEGER:
        return this.#integer();
      case LIST:
        return this.#list(this.#enter(depthLeft));
      case DICT:
        return this.#dict(this.#enter(depthLeft));
      default:
        return this.#bytes();
    }
  }

  #enter(depthLeft: number): number {
    if (depthLeft <= 0) {
      throw new BencodeError("too-deep", this.offset, `at most ${this.#depthMax} levels`);
    }
    this.offset += 1;
    return depthLeft - 1;
  }

  #list(depthLeft: number): BencodeValue[] {
    const list: BencodeValue[] = [];
    while (this.#input[this.offset] !== END) list.push(this.value(depthLeft));
    this.offset += 1;
    return list;
  }

  #dict(depthLeft: number): Map<string, BencodeValue> {
    const dict = new Map<string, BencodeValue>();
    let previous: string | undefined;
    while (this.#input[this.offset] !== END) {
      const start = this.offset;
      const key = this.#key();
      // Latin1 keeps every byte, and compares in the byte order BEP 3 sorts keys by.
      if (previous !== undefined && key <= previous) {
        if (key === previous || dict.has(key)) throw new BencodeError("duplicate-key", start);
        if (!this.#lax) throw new BencodeError("unsorted-keys", start);
      }
      dict.set(key, this.value(depthLeft));
      if (previous === undefined || key > previous) previous = key;
    }
    this.offset += 1;
    return dict;
  }

  #key(): string {
    const input = this.#input;
    const length = this.#length("bad-key");
    const start = this.offset;
    this.offset += length;
    const slot = (length * 31 + (input[start] ?? 0) * 7 + (input[this.offset - 1] ?? 0)) & 63;
    const known = this.#keys[slot];
    if (known !== undefined && known.length === length) {
      let index = 0;
      while (index < length && known.charCodeAt(index) === input[start + index]) index += 1;
      if (index === length) return known;
    }
    const key = latin1(input, start, this.offset);
    this.#keys[slot] = key;
    return key;
  }

  #bytes(): Uint8Array {
    const length = this.#length("unexpected-byte");
    const start = this.offset;
    this.offset += length;
    // Not `subarray`, which would make a Buffer of a Buffer and looks the species up each time.
    return new Uint8Array(this.#input.buffer, this.#input.byteOffset + start, length);
  }

  /** Reads `<digits>:`. The length is compared with what is left before anything adds to it (BEN-2). */
  #length(otherwise: "unexpected-byte" | "bad-key"): number {
    const input = this.#input;
    const start = this.offset;
    const first = input[start];
    if (first === undefined) throw new BencodeError("truncated", start);
    if (!isDigit(first)) throw new BencodeError(otherwise, start);
    let length = first - ZERO;
    let cursor = start + 1;
    for (;;) {
      const byte = input[cursor];
      if (byte === COLON) break;
      if (byte === undefined) throw new BencodeError("truncated", cursor);
      if (!isDigit(byte) || length === 0) throw new BencodeError("bad-length", cursor);
      if (cursor - start === LENGTH_DIGITS_MAX) {
        throw new BencodeError("bad-length", cursor, `at most ${LENGTH_DIGITS_MAX} digits`);
      }
      length = length * 10 + (byte - ZERO);
      cursor += 1;
    }
    this.offset = cursor + 1;
    const left = input.length - this.offset;
    if (length > left) {
      throw new BencodeError("truncated", input.length, `${length} bytes declared, ${left} left`);
    }
    return length;
  }

  #integer(): number | bigint {
    const input = this.#input;
    const negative = input[this.offset + 1] === MINUS;
    const start = this.offset + (negative ? 2 : 1);
    let cursor = start;
    let value = 0;
    for (;;) {
      const byte = input[cursor];
      if (byte === END) break;
      if (byte === undefined) throw new BencodeError("truncated", cursor);
      const afterZero = cursor > start && input[start] === ZERO;
      if (!isDigit(byte) || afterZero) throw new BencodeError("bad-integer", cursor);
      if (cursor - start === INTEGER_DIGITS_MAX) {
        throw new BencodeError("bad-integer", cursor, `at most ${INTEGER_DIGITS_MAX} digits`);
      }
      value = value * 10 + (byte - ZERO);
      cursor += 1;
    }
    const digits = cursor - start;
    if (digits === 0 || (negative && value === 0)) throw new BencodeError("bad-integer", cursor);
    this.offset = cursor + 1;
    if (digits <= SAFE_DIGITS_MAX) return negative ? -value : value;
    const exact = BigInt(latin1(input, start, cursor)) * (negative ? -1n : 1n);
    const rounded = Number(exact);
    return Number.isSafeInteger(rounded) ? rounded : exact;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** Reads short runs faster than a call that takes a view would. */
function latin1(input: Uint8Array, start: number, end: number): string {
  if (end - start > 64) return toLatin1(input.subarray(start, end));
  let text = "";
  for (let index = start; index < end; index += 1) text += String.fromCharCode(input[index]!);
  return text;
}
