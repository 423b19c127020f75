import { AnnounceError } from "./announce-error.ts";

/** Bytes of a query string, and of path and query together. Longer ones are refused without being read (TRK-12). */
export const QUERY_BYTES_MAX = 8192;

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const MINUS = 0x2d;
const ZERO = 0x30;
const EQUALS = 0x3d;

const HEX_VALUES = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 10; digit += 1) HEX_VALUES[ZERO + digit] = digit;
for (let digit = 10; digit < 16; digit += 1) {
  HEX_VALUES[0x41 + digit - 10] = digit;
  HEX_VALUES[0x61 + digit - 10] = digit;
}

const ESCAPES = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  if (/[A-Za-z0-9\-._~]/.test(character)) return character;
  return `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
});

/** Percent-encodes raw bytes; only unreserved characters (RFC 3986) stay as they are. */
export function percentEncode(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += ESCAPES[byte]!;
  return text;
}

/**
 * Decodes `input[start, end)` into `target`. It works on bytes, not text: an infohash is not UTF-8, and `+` is a plus
 * sign.
 *
 * @returns The number of decoded bytes. Bytes that do not fit into `target` are counted but not written.
 * @throws {AnnounceError} `bad-escape` when `%` is not followed by two hexadecimal digits.
 */
export function percentDecodeInto(
  input: Uint8Array,
  range: { readonly start: number; readonly end: number },
  target: Uint8Array,
): number {
  let count = 0;
  let at = range.start;
  while (at < range.end) {
    let byte = input[at]!;
    at += 1;
    if (byte === PERCENT) {
      const high = at + 1 < range.end ? HEX_VALUES[input[at]!]! : -1;
      const low = high < 0 ? -1 : HEX_VALUES[input[at + 1]!]!;
      if (low < 0) {
        throw new AnnounceError("bad-escape", "a % is not followed by two hexadecimal digits");
      }
      byte = (high << 4) | low;
      at += 2;
    }
    if (count < target.length) target[count] = byte;
    count += 1;
  }
  return count;
}

/**
 * Reads a decimal integer strictly by its digits: only a minus sign, no leading zeros, exponent or spaces.
 *
 * @returns NaN when the text is not an integer; +-Infinity for an integer beyond 2^53-1 of up to 20 digits.
 */
export function parseDecimal(input: Uint8Array, start: number, end: number): number {
  let at = start;
  const negative = input[at] === MINUS && at < end;
  if (negative) at += 1;
  const digits = end - at;
  if (digits < 1 || digits > 20) return Number.NaN;
  if (input[at] === ZERO && (digits > 1 || negative)) return Number.NaN;
  let value = 0;
  for (; at < end; at += 1) {
    const digit = input[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  if (value > Number.MAX_SAFE_INTEGER) value = Number.POSITIVE_INFINITY;
  return negative ? -value : value;
}

/** Walks the parameters of a query string in place. One cursor is kept and opened for each request. */
export class QueryCursor {
  input: Uint8Array = new Uint8Array(0);
  nameStart = 0;
  nameEnd = 0;
  start = 0;
  end = 0;
  #next = 0;
  #inputEnd = 0;
  #parametersLeft = 0;

  /** @param range - The place of the query in `input`, without the `?`. */
  open(
    input: Uint8Array,
    range: { readonly start: number; readonly end: number },
    parametersMax: number,
  ): void {
    if (range.end - range.start > QUERY_BYTES_MAX) {
      throw new AnnounceError("too-long", `the query is longer than ${QUERY_BYTES_MAX} bytes`);
    }
    this.input = input;
    this.#next = range.start;
    this.#inputEnd = range.end;
    this.#parametersLeft = parametersMax;
  }

  /**
   * Moves to the next parameter: its name is `input[nameStart, nameEnd)`, its value `input[start, end)`.
   *
   * @returns False at the end.
   * @throws {AnnounceError} `too-many-parameters`.
   */
  next(): boolean {
    const { input } = this;
    const inputEnd = this.#inputEnd;
    let at = this.#next;
    while (at < inputEnd && input[at] === AMPERSAND) at += 1;
    if (at >= inputEnd) return false;
    if (this.#parametersLeft === 0) {
      throw new AnnounceError("too-many-parameters", "too many parameters");
    }
    this.#parametersLeft -= 1;
    this.nameStart = at;
    while (at < inputEnd && input[at] !== EQUALS && input[at] !== AMPERSAND) at += 1;
    this.nameEnd = at;
    if (at < inputEnd && input[at] === EQUALS) at += 1;
    this.start = at;
    while (at < inputEnd && input[at] !== AMPERSAND) at += 1;
    this.end = at;
    this.#next = at;
    return true;
  }

  /** True when the name equals `name`, byte for byte. */
  named(name: Uint8Array): boolean {
    if (this.nameEnd - this.nameStart !== name.length) return false;
    for (let i = 0; i < name.length; i += 1) {
      if (this.input[this.nameStart + i] !== name[i]) return false;
    }
    return true;
  }

  /** True when the value equals `value`, byte for byte. */
  valued(value: Uint8Array): boolean {
    if (this.end - this.start !== value.length) return false;
    for (let i = 0; i < value.length; i += 1) {
      if (this.input[this.start + i] !== value[i]) return false;
    }
    return true;
  }
}
