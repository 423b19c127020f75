import { equalBytes } from "../base/bytes.ts";
import { type BencodeDict, type BencodeValue, isBytes, isDict, isList } from "./bencode-value.ts";

/** Repeated keys that are kept for one document. */
export const REPEATS_MAX = 1000;

/** A key that stands in a dictionary more than once. The first value counts. */
export interface RepeatedKey {
  /** The dictionary that holds the key, to tell its place. */
  readonly dict: BencodeDict;
  readonly key: string;
  /** True when the values contradict each other: two readers may see different documents (BEN-7). */
  readonly differs: boolean;
}

/**
 * What was read from one document although BEP 3 forbids it, for documents written by other programs (house rule 13).
 * The grammar still holds, and the first reading counts. The reader of the fields decides what an oddity means.
 */
export class Oddities {
  /** In the order they were found, at most `REPEATS_MAX`. */
  readonly repeats: RepeatedKey[] = [];
  /** The number of all repeated keys. A reader must refuse a document with more of them than are kept. */
  repeatCount = 0;
  /** Numbers with needless leading zeros, including minus zero. */
  paddedNumbers = 0;
  /** Offset of the first byte after the value. */
  end = 0;
  /** Bytes after the value; 0 when they are white space and zeros, which end many files. */
  trailingBytes = 0;

  addRepeat(repeat: RepeatedKey): void {
    this.repeatCount += 1;
    if (this.repeats.length < REPEATS_MAX) this.repeats.push(repeat);
  }
}

/** Tells whether two values are the same to every reader; the order of keys does not matter. */
export function equalValues(a: BencodeValue, b: BencodeValue): boolean {
  if (isBytes(a)) return isBytes(b) && equalBytes(a, b);
  if (isList(a)) {
    if (!isList(b) || a.length !== b.length) return false;
    return a.every((item, index) => equalValues(item, b[index]!));
  }
  if (!isDict(a)) return a === b;
  if (!isDict(b) || a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !equalValues(value, other)) return false;
  }
  return true;
}

/** Computes `Oddities.trailingBytes` from the bytes after the value. */
export function countTrailing(rest: Uint8Array): number {
  for (const byte of rest) {
    const harmless = byte === 0x20 || byte === 0 || (byte >= 0x09 && byte <= 0x0d);
    if (!harmless) return rest.length;
  }
  return 0;
}
