import { equalBytes } from "../base/bytes.ts";
import { type BencodeDict, type BencodeValue, isBytes, isDict, isList } from "./bencode-value.ts";

/** Repeated keys of one document that are kept. */
export const REPEATS_MAX = 1000;

/** A key that stands in a dictionary more than once. The first value counts. */
export interface RepeatedKey {
  /** The dictionary, to tell its place by. */
  readonly dict: BencodeDict;
  readonly key: string;
  /** True when the values contradict each other: two readers may see different documents (BEN-7). */
  readonly differs: boolean;
}

/**
 * What was read of one document although BEP 3 does not allow it, for documents that strangers' programs
 * wrote (house rule 13). The grammar still holds, and the first reading counts; whoever reads the fields
 * judges what it means.
 */
export class Oddities {
  /** In the order they were met, `REPEATS_MAX` at most. */
  readonly repeats: RepeatedKey[] = [];
  /** How many there were in all. Whoever judges them refuses a document with more than are kept. */
  repeatCount = 0;
  /** Numbers with needless zeros in front, minus zero among them. */
  paddedNumbers = 0;
  /** Offset of the first byte behind the value. */
  end = 0;
  /** Bytes behind the value; 0 when they are white space and zeros, which end many files. */
  trailingBytes = 0;

  addRepeat(repeat: RepeatedKey): void {
    this.repeatCount += 1;
    if (this.repeats.length < REPEATS_MAX) this.repeats.push(repeat);
  }
}

/** Whether two values are the same to every reader; the order of keys does not count. */
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

/** What `Oddities.trailingBytes` says of the bytes behind the value. */
export function countTrailing(rest: Uint8Array): number {
  for (const byte of rest) {
    const harmless = byte === 0x20 || byte === 0 || (byte >= 0x09 && byte <= 0x0d);
    if (!harmless) return rest.length;
  }
  return 0;
}
