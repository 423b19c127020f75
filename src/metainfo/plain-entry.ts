import { BencodeReader } from "../bencode/bencode-reader.ts";
import { Oddities } from "../bencode/oddities.ts";
import { isPlainName } from "./plain-names.ts";
import type { ListedFile } from "./read-info-fields.ts";

const INTEGER = 0x69; // i
const LIST = 0x6c; // l
const DICT = 0x64; // d
const END = 0x65; // e
const COLON = 0x3a;
const ZERO = 0x30;

const LENGTH_KEY = letters("6:length");
const PATH_KEY = letters("4:path");
/** Keys that change what a file is. */
const DECISIVE_KEYS = ["4:attr", "10:path.utf-8", "12:symlink path"].map(letters);

/** A length of this many digits always fits a `number` exactly. */
const LENGTH_DIGITS_MAX = 15;
/** Digits of the length of a name, key or value that this reader accepts. */
const SIZE_DIGITS_MAX = 5;

/**
 * Reads an entry of `files` that has only a length and a path with a plain name in the same folder as the file
 * before, like most entries of most torrents. It builds nothing, not even the texts. Every other entry is left to the
 * reader that judges field by field.
 */
export class PlainEntry implements ListedFile {
  length = 0;
  nameAt = 0;
  nameLength = 0;
  readonly beside = true;
  readonly pad = false;
  readonly executable = false;
  readonly hidden = false;
  readonly link = undefined;
  readonly piecesRoot = undefined;
  readonly #bytes: Uint8Array;
  /** Offset of the first element of the path. */
  #pathAt = 0;
  /** Offset of the folder in the path of the file before. Empty when the next file cannot be beside it. */
  #folderAt = 0;
  #folderLength = -1;

  /** @param bytes - Bencode that was checked. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The path, built on demand. */
  get path(): readonly string[] {
    const path: string[] = [];
    const elements = this.#bytes.subarray(this.#pathAt, this.nameAt + this.nameLength);
    const reader = new BencodeReader(elements, { oddities: new Oddities() });
    while (reader.offset < elements.length) path.push(reader.text()!);
    return path;
  }

  /**
   * Tells where the folder of the file that was read last begins, as the elements before its name.
   *
   * @param length - Bytes; -1 when no file may be read as being beside it.
   */
  setFolder(at: number, length: number): void {
    this.#folderAt = at;
    this.#folderLength = length;
  }

  /**
   * Reads the entry at an offset.
   *
   * @returns The offset after it, or 0 when the entry is not of the plain kind.
   */
  read(at: number): number {
    const bytes = this.#bytes;
    if (this.#folderLength < 0 || bytes[at] !== DICT) return 0;
    let cursor = at + 1;
    let hasLength = false;
    let hasPath = false;
    let previousKey = -1;
    while (bytes[cursor] !== END) {
      if (startsWith(bytes, cursor, LENGTH_KEY)) {
        cursor = hasLength ? 0 : this.#readLength(cursor + LENGTH_KEY.length);
        hasLength = true;
      } else if (startsWith(bytes, cursor, PATH_KEY)) {
        cursor = hasPath ? 0 : this.#readPath(cursor + PATH_KEY.length);
        hasPath = true;
      } else {
        // Repeated keys must be reported, and the other reader reports them.
        const isRepeated = previousKey >= 0 && bytes[previousKey] === bytes[cursor];
        if (isRepeated || DECISIVE_KEYS.some((key) => startsWith(bytes, cursor, key))) return 0;
        previousKey = cursor;
        cursor = this.#skipText(cursor);
        if (cursor !== 0) cursor = this.#skipValue(cursor);
      }
      if (cursor === 0) return 0;
    }
    return hasLength && hasPath ? cursor + 1 : 0;
  }

  #readLength(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== INTEGER) return 0;
    let cursor = at + 1;
    let length = 0;
    for (; isDigit(bytes[cursor]); cursor += 1) length = length * 10 + (bytes[cursor]! - ZERO);
    const digits = cursor - at - 1;
    const isPadded = bytes[at + 1] === ZERO && digits > 1;
    if (bytes[cursor] !== END || digits === 0 || digits > LENGTH_DIGITS_MAX || isPadded) return 0;
    this.length = length;
    return cursor + 1;
  }

  /** @returns 0 also when the name is not plain, or is in another folder than the name before. */
  #readPath(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== LIST) return 0;
    const folderEnd = at + 1 + this.#folderLength;
    if (!this.#isFolderBefore(at + 1)) return 0;
    const end = this.#skipText(folderEnd);
    if (end === 0 || bytes[end] !== END) return 0;
    const nameAt = bytes.indexOf(COLON, folderEnd) + 1;
    if (!isPlainName(bytes, nameAt, end - nameAt)) return 0;
    this.#pathAt = at + 1;
    this.nameAt = nameAt;
    this.nameLength = end - nameAt;
    return end + 1;
  }

  #isFolderBefore(at: number): boolean {
    const bytes = this.#bytes;
    const before = this.#folderAt;
    for (let index = this.#folderLength - 1; index >= 0; index -= 1) {
      if (bytes[at + index] !== bytes[before + index]) return false;
    }
    return true;
  }

  /** @returns The offset after a byte string; 0 when there is none, or its length is written oddly. */
  #skipText(at: number): number {
    const bytes = this.#bytes;
    let cursor = at;
    let size = 0;
    for (; isDigit(bytes[cursor]); cursor += 1) size = size * 10 + (bytes[cursor]! - ZERO);
    const digits = cursor - at;
    const isPadded = bytes[at] === ZERO && digits > 1;
    if (bytes[cursor] !== COLON || digits === 0 || digits > SIZE_DIGITS_MAX || isPadded) return 0;
    return cursor + 1 + size;
  }

  /** @returns Like `#skipText`, for a byte string or a plain number; 0 for everything else. */
  #skipValue(at: number): number {
    const bytes = this.#bytes;
    if (bytes[at] !== INTEGER) return this.#skipText(at);
    let cursor = at + 1;
    while (isDigit(bytes[cursor])) cursor += 1;
    const isPadded = bytes[at + 1] === ZERO && cursor > at + 2;
    return bytes[cursor] !== END || cursor === at + 1 || isPadded ? 0 : cursor + 1;
  }
}

function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let index = 0; index < start.length; index += 1) {
    if (bytes[at + index] !== start[index]) return false;
  }
  return true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39;
}

function letters(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
