import { fromLatin1, toLatin1 } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";

const INTEGER = 0x69; // i
const LIST = 0x6c; // l
const DICT = 0x64; // d
const END = 0x65; // e
const COLON = 0x3a;
const ZERO = 0x30;

/**
 * Finds the bytes of one value of a dictionary as they stand in the input, which is what an infohash
 * or a signature covers: never re-encode what somebody else encoded (BEP 3). Builds nothing.
 *
 * @param input - A dictionary that `decode` accepted; the grammar is not judged again.
 * @param key - Spelled in latin1.
 * @returns A view of the input, or `undefined` when the dictionary lacks the key.
 */
export function rawValue(input: Uint8Array, key: string): Uint8Array | undefined {
  const wanted = fromLatin1(key);
  if (input[0] !== DICT) return undefined;
  let offset = 1;
  while (input[offset] !== END) {
    invariant(offset < input.length, "the caller decoded this input");
    const start = offset;
    offset = skipValue(input, offset);
    const value = offset;
    offset = skipValue(input, offset);
    if (endsWith(input, start, value, wanted)) return input.subarray(value, offset);
  }
  return undefined;
}

/**
 * Finds the bytes of every value of a dictionary as they stand in the input, for writing some of them anew
 * and the others as they are.
 *
 * @param input - A dictionary that `decode` accepted. What stands behind its end is not looked at.
 * @param known - One of the values, a view of the input: it is passed over without a look.
 * @returns Views of the input by key, spelled in latin1; of a key that is there twice the first.
 */
export function rawEntries(input: Uint8Array, known?: Uint8Array): Map<string, Uint8Array> {
  const knownAt = known?.buffer === input.buffer ? known.byteOffset - input.byteOffset : undefined;
  invariant(input[0] === DICT, "the caller found a dictionary");
  const entries = new Map<string, Uint8Array>();
  let offset = 1;
  while (input[offset] !== END) {
    const start = offset;
    offset = skipValue(input, offset);
    const value = offset;
    offset = offset === knownAt ? offset + known!.length : skipValue(input, offset);
    const key = toLatin1(input.subarray(input.indexOf(COLON, start) + 1, value));
    if (!entries.has(key)) entries.set(key, input.subarray(value, offset));
  }
  return entries;
}

/** @returns The offset after the value at `offset`. Keeps no stack, so depth costs nothing. */
function skipValue(input: Uint8Array, offset: number): number {
  let depth = 0;
  let cursor = offset;
  do {
    const byte = input[cursor];
    invariant(byte !== undefined, "the caller decoded this input");
    if (byte === LIST || byte === DICT) {
      depth += 1;
      cursor += 1;
    } else if (byte === END) {
      depth -= 1;
      cursor += 1;
    } else if (byte === INTEGER) {
      cursor = input.indexOf(END, cursor) + 1;
    } else {
      const colon = input.indexOf(COLON, cursor);
      let length = 0;
      for (; cursor < colon; cursor += 1) length = length * 10 + (input[cursor]! - ZERO);
      cursor = colon + 1 + length;
    }
  } while (depth > 0);
  return cursor;
}

/** @returns True when the encoded key between `start` and `end` is `<length>:` and `wanted`. */
function endsWith(input: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  const colon = input.indexOf(COLON, start);
  if (end - colon - 1 !== wanted.length) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    if (input[colon + 1 + index] !== wanted[index]) return false;
  }
  return true;
}
