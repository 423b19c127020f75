import { invariant } from "../base/errors.ts";

/** What can be encoded: everything `decode` returns, and text, which is written as UTF-8. */
export type Encodable =
  | Uint8Array
  | string
  | number
  | bigint
  | readonly Encodable[]
  | ReadonlyMap<string, Encodable>;

const INTEGER = 0x69; // i
export const LIST = 0x6c; // l
export const DICT = 0x64; // d
export const END = 0x65; // e
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;

const UTF8 = new TextEncoder();

/**
 * Encodes a value in its one canonical form (BEP 3): keys are sorted by their bytes, whatever the
 * order in the map. Keys are spelled in latin1, one character per byte; numbers are safe integers.
 *
 * @returns A new array that shares nothing with `value`.
 */
export function encode(value: Encodable): Uint8Array {
  const output = new Uint8Array(sizeOf(value));
  const end = write(output, 0, value);
  invariant(end === output.length, "the size was computed from the same value");
  return output;
}

/**
 * Makes a dictionary from an object literal; entries that are `undefined` are left out.
 *
 * @param entries - Keys in latin1. Keys from outside do not belong here but into a `Map`.
 */
export function dictOf(
  entries: Readonly<Record<string, Encodable | undefined>>,
): Map<string, Encodable> {
  const dict = new Map<string, Encodable>();
  for (const [key, value] of Object.entries(entries)) if (value !== undefined) dict.set(key, value);
  return dict;
}

/** Bytes of the encoded value. */
export function sizeOf(value: Encodable): number {
  if (typeof value === "string") return stringSize(Buffer.byteLength(value));
  if (typeof value === "number") {
    invariant(Number.isSafeInteger(value), "our own integers are safe, larger ones are bigint");
    return 2 + digitCount(value < 0 ? -value : value) + (value < 0 ? 1 : 0);
  }
  if (typeof value === "bigint") return 2 + String(value).length;
  if (value instanceof Uint8Array) return stringSize(value.length);
  let size = 2;
  if (value instanceof Map) {
    for (const [key, item] of value as ReadonlyMap<string, Encodable>) {
      size += stringSize(key.length) + sizeOf(item);
    }
    return size;
  }
  for (const item of value as readonly Encodable[]) size += sizeOf(item);
  return size;
}

/** Bytes of an encoded string of this length. */
export function stringSize(length: number): number {
  return digitCount(length) + 1 + length;
}

/** @param value - A safe integer, not negative. */
function digitCount(value: number): number {
  let count = 1;
  for (let bound = 10; value >= bound; bound *= 10) count += 1;
  return count;
}

/** @returns Where the value ends. */
export function write(output: Uint8Array, offset: number, value: Encodable): number {
  if (typeof value === "string") {
    const start = writeDigits(output, offset, Buffer.byteLength(value));
    output[start] = COLON;
    return start + 1 + UTF8.encodeInto(value, output.subarray(start + 1)).written;
  }
  if (value instanceof Uint8Array) {
    const start = writeDigits(output, offset, value.length);
    output[start] = COLON;
    output.set(value, start + 1);
    return start + 1 + value.length;
  }
  if (typeof value === "number") return writeInteger(output, offset, value);
  if (typeof value === "bigint") return writeAscii(output, offset, `i${value}e`);
  return value instanceof Map
    ? writeDict(output, offset, value as ReadonlyMap<string, Encodable>)
    : writeList(output, offset, value as readonly Encodable[]);
}

function writeInteger(output: Uint8Array, offset: number, value: number): number {
  let cursor = offset;
  output[cursor++] = INTEGER;
  if (value < 0) output[cursor++] = MINUS;
  cursor = writeDigits(output, cursor, Math.abs(value));
  output[cursor] = END;
  return cursor + 1;
}

function writeList(output: Uint8Array, offset: number, list: readonly Encodable[]): number {
  let cursor = offset;
  output[cursor++] = LIST;
  for (const item of list) cursor = write(output, cursor, item);
  output[cursor] = END;
  return cursor + 1;
}

function writeDict(
  output: Uint8Array,
  offset: number,
  dict: ReadonlyMap<string, Encodable>,
): number {
  let cursor = offset;
  output[cursor++] = DICT;
  for (const key of sortedKeys(dict)) {
    cursor = writeKey(output, cursor, key);
    cursor = write(output, cursor, dict.get(key)!);
  }
  output[cursor] = END;
  return cursor + 1;
}

/** Keys in the order of their bytes: the default order compares UTF-16 units, which in latin1 are the bytes. */
export function sortedKeys(dict: ReadonlyMap<string, Encodable>): string[] {
  return [...dict.keys()].sort();
}

/** @returns Where the key ends. */
export function writeKey(output: Uint8Array, offset: number, key: string): number {
  const start = writeDigits(output, offset, key.length);
  output[start] = COLON;
  return writeAscii(output, start + 1, key);
}

function writeDigits(output: Uint8Array, offset: number, value: number): number {
  const end = offset + digitCount(value);
  let rest = value;
  for (let cursor = end - 1; cursor >= offset; cursor -= 1) {
    const tens = Math.floor(rest / 10);
    output[cursor] = ZERO + (rest - tens * 10);
    rest = tens;
  }
  return end;
}

function writeAscii(output: Uint8Array, offset: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    invariant(code < 256, "dictionary keys are spelled in latin1");
    output[offset + index] = code;
  }
  return offset + text.length;
}
