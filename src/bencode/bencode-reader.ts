import { invariant } from "../base/errors.ts";
import { BencodeError } from "./bencode-error.ts";
import type { BencodeValue } from "./bencode-value.ts";
import { equalValues, type Oddities } from "./oddities.ts";

export interface DecodeOptions {
  /** Levels of nesting allowed; deeper input counts as hostile. Default 100. */
  readonly depthMax?: number;
  /** Values allowed in all, containers counted too. Default 3 million. */
  readonly itemsMax?: number;
  /** Bytes of input allowed. Default 64 MiB. */
  readonly bytesMax?: number;
  /** Takes dictionaries whose keys are not sorted, as trackers and peers send them. Default false. */
  readonly lax?: boolean;
  /**
   * For documents from outside (house rule 13): takes keys in any order and more than once, the first value
   * counting, and numbers with zeros in front, and notes what it took. Without it they are refused.
   */
  readonly oddities?: Oddities;
  /**
   * Receives the bytes of each value of the outermost dictionary as they stand in the input, which is what an
   * infohash or a signature covers: never encode again what somebody else encoded (BEP 3).
   */
  readonly spans?: Map<string, Uint8Array>;
  /**
   * Dictionary keys, at any depth, whose values are not built: the dictionary holds their encoded bytes
   * instead, for a reader that takes them part by part. Their grammar was judged, but for the order and
   * repetition of keys.
   */
  readonly raw?: Pick<ReadonlySet<string>, "has">;
  /** Bytes of one of those values, a view of the input that was judged before: it is passed over without a look. */
  readonly known?: Uint8Array | undefined;
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
 * Reads bencode step by step, for values too large to be built at once: a list of 200,000 files is read
 * file by file. `decode` is this reader asked for one whole value.
 *
 * Every method throws `BencodeError` where the grammar or a limit breaks. Limits hold for all values of
 * one reader together.
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
  /** Keys seen lately: the same few stand in every entry of a long list. */
  readonly #keys: string[] = [];
  /** The same of byte strings read as text: names of folders stand at many files. */
  readonly #texts: string[] = [];
  /** Values of the lists under way, innermost last. */
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

  /** Of the next byte to read. */
  get offset(): number {
    return this.#offset;
  }

  /** Reads one whole value. */
  value(): BencodeValue {
    return this.#value(this.#depthMax - this.#depth);
  }

  /** Steps into a list. @returns False, without a step, when the next value is none. */
  enterList(): boolean {
    return this.#step(LIST);
  }

  /** Steps into a dictionary. @returns False, without a step, when the next value is none. */
  enterDict(): boolean {
    return this.#step(DICT);
  }

  /** @returns True when the list stepped into goes on; otherwise the reader has left it. */
  hasItem(): boolean {
    invariant(this.#depth > 0, "a container was entered");
    if (this.#input[this.#offset] !== END) return true;
    this.#offset += 1;
    this.#depth -= 1;
    return false;
  }

  /**
   * The next key of the dictionary stepped into; its value must be read before the next call. Order and
   * duplicates are for the caller to judge.
   *
   * @returns `undefined` at the end: then the reader has left the dictionary.
   */
  nextKey(): string | undefined {
    return this.hasItem() ? this.#key() : undefined;
  }

  /**
   * Reads a byte string in latin1, without a view of it in between.
   *
   * @returns `undefined`, without a step, when the next value is none.
   */
  text(): string | undefined {
    const byte = this.#input[this.#offset];
    if (byte === undefined || !isDigit(byte)) return undefined;
    this.#countItem();
    return this.#latin1(this.#length("unexpected-byte"), this.#texts);
  }

  /** Passes over one value and builds nothing of it. */
  skip(): void {
    this.#skip(this.#depthMax - this.#depth);
  }

  /**
   * Goes on at an offset, for a caller that read the values in front of it itself.
   *
   * @param offset - Behind a whole value, in the container that the reader is in.
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
    // Collected on one stack and copied out: a list that grows by itself reserves room for 17 values.
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

  /** Passes over the value of a key that was there before, and notes whether it says the same. */
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

  /** The encoded bytes of the next value, of which only the lengths are looked at. */
  #rawBytes(depthLeft: number): Uint8Array {
    const start = this.#offset;
    const known = this.#known;
    const isKnown =
      known?.buffer === this.#input.buffer && known.byteOffset === this.#input.byteOffset + start;
    if (isKnown) this.jump(start + known.length);
    else this.#skip(depthLeft);
    return this.#view(start);
  }

  /** What was read since `start`. */
  #view(start: number): Uint8Array {
    return new Uint8Array(this.#input.buffer, this.#input.byteOffset + start, this.#offset - start);
  }

  /** Judges the grammar, but for the order and repetition of keys. */
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

  /** @param seen - Texts met before, one in each slot. */
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
    // Not `subarray`, which would make a Buffer of a Buffer and looks the species up each time.
    return new Uint8Array(this.#input.buffer, this.#input.byteOffset + start, length);
  }

  /** Reads `<digits>:`. The length is compared with what is left before anything adds to it (BEN-2). */
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

  /** A number with zeros that say nothing, which other programs write and read. */
  #padded(code: "bad-integer" | "bad-length", offset: number): void {
    if (!this.#oddities) throw new BencodeError(code, offset);
    this.#oddities.paddedNumbers += 1;
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}

/** Up to here adding characters one by one is faster than a call out of JavaScript. */
const SHORT_BYTES = 12;

/** One byte a character in memory too, which `String.fromCharCode` of many does not give. */
function latin1(input: Buffer, start: number, end: number): string {
  if (end - start > SHORT_BYTES) return input.toString("latin1", start, end);
  let text = "";
  for (let index = start; index < end; index += 1) text += String.fromCharCode(input[index]!);
  return text;
}
