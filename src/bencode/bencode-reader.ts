import { invariant } from "../base/errors.ts";
import { BencodeError } from "./bencode-error.ts";
import type { BencodeValue } from "./bencode-value.ts";
import { equalValues, type Oddities } from "./oddities.ts";

export interface DecodeOptions {
  /** Levels of nesting allowed; deeper input counts as hostile. Default 100. */
  readonly depthMax?: number;
  /** Values allowed in total, containers included. Default 3 million. */
  readonly itemsMax?: number;
  /** Bytes of input allowed. Default 64 MiB. */
  readonly bytesMax?: number;
  /** Accepts dictionaries whose keys are not sorted, as trackers and peers send them. Default false. */
  readonly lax?: boolean;
  /**
   * For documents from outside (house rule 13): accepts keys in any order, repeated keys (the first value counts) and
   * numbers with leading zeros, and records them here. Without it, they are refused.
   */
  readonly oddities?: Oddities;
  /**
   * Receives the raw bytes of each value of the outermost dictionary. An infohash or a signature covers exactly these
   * bytes: never encode again what somebody else encoded (BEP 3).
   */
  readonly spans?: Map<string, Uint8Array>;
  /**
   * Dictionary keys, at any depth, whose values are not built: the dictionary holds their encoded bytes instead, for
   * a reader that takes them part by part. Their grammar is checked, except for the order and repetition of keys.
   */
  readonly raw?: Pick<ReadonlySet<string>, "has">;
  /** Bytes of one of those values, a view of the input that was checked before: the reader skips it. */
  readonly known?: Uint8Array | undefined;
}

export const DEPTH_MAX = 100;
export const ITEMS_MAX = 3_000_000;
export const BYTES_MAX = 64 * 1024 * 1024;

/** 2^64 has 20 digits; longer integers mean nothing in any BEP and cost quadratic time (BEN-6). */
const INTEGER_DIGITS_MAX = 20;
/** Enough for any input that fits into memory. */
const LENGTH_DIGITS_MAX = 10;
/** Every integer with this many digits fits a `number` exactly. */
const SAFE_DIGITS_MAX = 15;

const INTEGER = 0x69; // i
const LIST = 0x6c; // l
const DICT = 0x64; // d
const END = 0x65; // e
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;

/**
 * Reads bencode step by step, for values too large to build at once: a list of 200,000 files is read file by file.
 * `decode` uses it to read one whole value.
 *
 * Every method throws `BencodeError` where the grammar or a limit is broken. The limits apply to all values of one
 * reader together.
 */
export class BencodeReader {
  #offset = 0;
  readonly #input: Uint8Array;
  /** The same bytes, for reading texts. */
  readonly #buffer: Buffer;
  readonly #lax: boolean;
  readonly #oddities: Oddities | undefined;
  readonly #raw: DecodeOptions["raw"];
  readonly #known: Uint8Array | undefined;
  readonly #spans: Map<string, Uint8Array> | undefined;
  readonly #depthMax: number;
  readonly #itemsMax: number;
  /** Containers entered step by step. */
  #depth = 0;
  #itemsLeft: number;
  /** Keys seen recently: the same few occur in every entry of a long list. */
  readonly #keys: string[] = [];
  /** The same for byte strings read as text: folder names occur in many files. */
  readonly #texts: string[] = [];
  /** Values of the lists that are being read, innermost last. */
  readonly #items: BencodeValue[] = [];

  /** @param input - Encoded bytes. Values alias them: do not reuse the buffer. */
  constructor(input: Uint8Array, options: DecodeOptions = {}) {
    const bytesMax = options.bytesMax ?? BYTES_MAX;
    if (input.length > bytesMax) {
      throw new BencodeError("too-long", bytesMax, `at most ${bytesMax} bytes`);
    }
    this.#input = input;
    this.#buffer = Buffer.from(input.buffer, input.byteOffset, input.length);
    this.#oddities = options.oddities;
    this.#lax = options.lax ?? options.oddities !== undefined;
    this.#raw = options.raw;
    this.#known = options.known;
    this.#spans = options.spans;
    this.#depthMax = options.depthMax ?? DEPTH_MAX;
    this.#itemsMax = options.itemsMax ?? ITEMS_MAX;
    this.#itemsLeft = this.#itemsMax;
  }

  /** Offset of the next byte to read. */
  get offset(): number {
    return this.#offset;
  }

  /** Reads one whole value. */
  value(): BencodeValue {
    return this.#value(this.#depthMax - this.#depth);
  }

  /** Steps into a list. @returns False, without a step, when the next value is not a list. */
  enterList(): boolean {
    return this.#step(LIST);
  }

  /** Steps into a dictionary. @returns False, without a step, when the next value is not a dictionary. */
  enterDict(): boolean {
    return this.#step(DICT);
  }

  /** @returns True when the list has another item; otherwise the reader has left the list. */
  hasItem(): boolean {
    invariant(this.#depth > 0, "a container was entered");
    if (this.#input[this.#offset] !== END) return true;
    this.#offset += 1;
    this.#depth -= 1;
    return false;
  }

  /**
   * Reads the next key of the current dictionary; the caller must read its value before the next call. The caller
   * also judges the order of keys and duplicates.
   *
   * @returns `undefined` at the end: then the reader has left the dictionary.
   */
  nextKey(): string | undefined {
    return this.hasItem() ? this.#key() : undefined;
  }

  /**
   * Reads a byte string as latin1, without creating a view first.
   *
   * @returns `undefined`, without a step, when the next value is not a byte string.
   */
  text(): string | undefined {
    const byte = this.#input[this.#offset];
    if (byte === undefined || !isDigit(byte)) return undefined;
    this.#countItem();
    return this.#latin1(this.#length("unexpected-byte"), this.#texts);
  }

  /** Skips one value and builds nothing. */
  skip(): void {
    this.#skip(this.#depthMax - this.#depth);
  }

  /**
   * Continues at an offset, for a caller that read the values in between itself.
   *
   * @param offset - After a whole value, in the container that the reader is in.
   */
  jump(offset: number): void {
    invariant(offset >= this.#offset && offset <= this.#input.length, "the caller read ahead");
    this.#offset = offset;
  }

  #step(container: number): boolean {
    if (this.#input[this.#offset] !== container) return false;
    this.#countItem();
    this.#enter(this.#depthMax - this.#depth);
    this.#depth += 1;
    return true;
  }

  #countItem(): void {
    if (this.#itemsLeft === 0) {
      throw new BencodeError("too-many-items", this.#offset, `at most ${this.#itemsMax}`);
    }
    this.#itemsLeft -= 1;
  }

  #value(depthLeft: number): BencodeValue {
    this.#countItem();
    switch (this.#input[this.#offset]) {
      case undefined:
        throw new BencodeError("truncated", this.#offset);
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
      throw new BencodeError("too-deep", this.#offset, `at most ${this.#depthMax} levels`);
    }
    this.#offset += 1;
    return depthLeft - 1;
  }

  #list(depthLeft: number): BencodeValue[] {
    // Collected on one stack and copied out, because a growing array reserves room for 17 values.
    const items = this.#items;
    const first = items.length;
    while (this.#input[this.#offset] !== END) items.push(this.#value(depthLeft));
    this.#offset += 1;
    const list = items.slice(first);
    items.length = first;
    return list;
  }

  #dict(depthLeft: number): Map<string, BencodeValue> {
    const dict = new Map<string, BencodeValue>();
    const isOutermost = depthLeft === this.#depthMax - 1;
    let previous: string | undefined;
    while (this.#input[this.#offset] !== END) {
      const start = this.#offset;
      const key = this.#key();
      // Latin1 keeps every byte, and compares in the byte order BEP 3 sorts keys by.
      if (previous !== undefined && key <= previous) {
        if (key === previous || dict.has(key)) {
          this.#repeat(dict, key, { start, depthLeft });
          continue;
        }
        if (!this.#lax) throw new BencodeError("unsorted-keys", start);
      }
      const valueStart = this.#offset;
      dict.set(key, this.#valueOf(key, depthLeft));
      if (isOutermost) this.#spans?.set(key, this.#view(valueStart));
      if (previous === undefined || key > previous) previous = key;
    }
    this.#offset += 1;
    return dict;
  }

  #valueOf(key: string, depthLeft: number): BencodeValue {
    return this.#raw?.has(key) ? this.#rawBytes(depthLeft) : this.#value(depthLeft);
  }

  /** Skips the value of a repeated key, and records whether it differs from the first one. */
  #repeat(
    dict: Map<string, BencodeValue>,
    key: string,
    at: { readonly start: number; readonly depthLeft: number },
  ): void {
    if (!this.#oddities) throw new BencodeError("duplicate-key", at.start);
    const again = this.#valueOf(key, at.depthLeft);
    const differs = !equalValues(dict.get(key)!, again);
    this.#oddities.addRepeat({ dict, key, differs });
  }

  /** The encoded bytes of the next value, of which only the lengths are read. */
  #rawBytes(depthLeft: number): Uint8Array {
    const start = this.#offset;
    const known = this.#known;
    const isKnown =
      known?.buffer === this.#input.buffer && known.byteOffset === this.#input.byteOffset + start;
    if (isKnown) this.jump(start + known.length);
    else this.#skip(depthLeft);
    return this.#view(start);
  }

  /** The bytes read since `start`. */
  #view(start: number): Uint8Array {
    return new Uint8Array(this.#input.buffer, this.#input.byteOffset + start, this.#offset - start);
  }

  /** Checks the grammar, except for the order and repetition of keys. */
  #skip(depthLeft: number): void {
    this.#countItem();
    const byte = this.#input[this.#offset];
    if (byte === INTEGER) this.#integer();
    else if (byte === LIST) this.#skipItems(this.#enter(depthLeft), false);
    else if (byte === DICT) this.#skipItems(this.#enter(depthLeft), true);
    else this.#passBytes("unexpected-byte");
  }

  #skipItems(depthLeft: number, hasKeys: boolean): void {
    while (this.#input[this.#offset] !== END) {
      if (hasKeys) this.#passBytes("bad-key");
      this.#skip(depthLeft);
    }
    this.#offset += 1;
  }

  #passBytes(otherwise: "unexpected-byte" | "bad-key"): void {
    const length = this.#length(otherwise);
    this.#offset += length;
  }

  #key(): string {
    return this.#latin1(this.#length("bad-key"), this.#keys);
  }

  /** @param seen - Texts found before, one in each slot. */
  #latin1(length: number, seen: string[]): string {
    const input = this.#input;
    const start = this.#offset;
    this.#offset += length;
    const slot = (length * 31 + (input[start] ?? 0) * 7 + (input[this.#offset - 1] ?? 0)) & 63;
    const known = seen[slot];
    if (known !== undefined && known.length === length) {
      let index = 0;
      while (index < length && known.charCodeAt(index) === input[start + index]) index += 1;
      if (index === length) return known;
    }
    const text = latin1(this.#buffer, start, this.#offset);
    seen[slot] = text;
    return text;
  }

  #bytes(): Uint8Array {
    const length = this.#length("unexpected-byte");
    const start = this.#offset;
    this.#offset += length;
    // Not `subarray`, which would create a Buffer and look up its species each time.
    return new Uint8Array(this.#input.buffer, this.#input.byteOffset + start, length);
  }

  /** Reads `<digits>:`. The length is compared with the bytes left before it is used in a sum (BEN-2). */
  #length(otherwise: "unexpected-byte" | "bad-key"): number {
    const input = this.#input;
    const start = this.#offset;
    const first = input[start];
    if (first === undefined) throw new BencodeError("truncated", start);
    if (!isDigit(first)) throw new BencodeError(otherwise, start);
    let length = first - ZERO;
    let cursor = start + 1;
    for (;;) {
      const byte = input[cursor];
      if (byte === COLON) break;
      if (byte === undefined) throw new BencodeError("truncated", cursor);
      if (!isDigit(byte)) throw new BencodeError("bad-length", cursor);
      if (length === 0 && cursor === start + 1) this.#padded("bad-length", cursor);
      if (cursor - start === LENGTH_DIGITS_MAX) {
        throw new BencodeError("bad-length", cursor, `at most ${LENGTH_DIGITS_MAX} digits`);
      }
      length = length * 10 + (byte - ZERO);
      cursor += 1;
    }
    this.#offset = cursor + 1;
    const left = input.length - this.#offset;
    if (length > left) {
      throw new BencodeError("truncated", input.length, `${length} bytes declared, ${left} left`);
    }
    return length;
  }

  #integer(): number | bigint {
    const input = this.#input;
    const negative = input[this.#offset + 1] === MINUS;
    const start = this.#offset + (negative ? 2 : 1);
    let cursor = start;
    let value = 0;
    for (;;) {
      const byte = input[cursor];
      if (byte === END) break;
      if (byte === undefined) throw new BencodeError("truncated", cursor);
      if (!isDigit(byte)) throw new BencodeError("bad-integer", cursor);
      if (cursor === start + 1 && input[start] === ZERO) this.#padded("bad-integer", cursor);
      if (cursor - start === INTEGER_DIGITS_MAX) {
        throw new BencodeError("bad-integer", cursor, `at most ${INTEGER_DIGITS_MAX} digits`);
      }
      value = value * 10 + (byte - ZERO);
      cursor += 1;
    }
    const digits = cursor - start;
    if (digits === 0) throw new BencodeError("bad-integer", cursor);
    if (negative && value === 0) this.#padded("bad-integer", cursor);
    this.#offset = cursor + 1;
    if (digits <= SAFE_DIGITS_MAX) return negative && value > 0 ? -value : value;
    const exact = BigInt(latin1(this.#buffer, start, cursor)) * (negative ? -1n : 1n);
    const rounded = Number(exact);
    return Number.isSafeInteger(rounded) ? rounded : exact;
  }

  /** A number with needless leading zeros, as some other programs write it. */
  #padded(code: "bad-integer" | "bad-length", offset: number): void {
    if (!this.#oddities) throw new BencodeError(code, offset);
    this.#oddities.paddedNumbers += 1;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** Up to this size, adding characters one by one is faster than a native call. */
const SHORT_BYTES = 12;

/** Takes one byte per character in memory too, unlike `String.fromCharCode` with many arguments. */
function latin1(input: Buffer, start: number, end: number): string {
  if (end - start > SHORT_BYTES) return input.toString("latin1", start, end);
  let text = "";
  for (let index = start; index < end; index += 1) text += String.fromCharCode(input[index]!);
  return text;
}
