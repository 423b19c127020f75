import { BencodeReader } from "../bencode/bencode-reader.ts";
import { isBytes, type BencodeDict, type BencodeValue } from "../bencode/bencode-value.ts";
import { equalValues } from "../bencode/oddities.ts";
import { MetainfoError } from "./metainfo-error.ts";
import {
  missing,
  PATH_ELEMENTS_MAX,
  readAttributes,
  readLinkPath,
  requireBytes,
  requireLength,
  typeError,
  type ListedFile,
} from "./read-info-fields.ts";
import type { ReadingNotes } from "./reading-notes.ts";

/** Whether a v1 info dictionary describes a folder of files (BEP 3). @throws {MetainfoError} */
export function isV1Folder(info: BencodeDict): boolean {
  const hasLength = info.has("length");
  if (hasLength && info.has("files")) {
    // Two readers would see different torrents (MET-10).
    throw new MetainfoError("bad-value", `"info" has both "length" and "files"`);
  }
  if (!hasLength && !info.has("files")) throw missing("info.length");
  return !hasLength;
}

export interface V1FilesOptions {
  /** What a single file is called, in latin1. */
  readonly name: string;
  /**
   * Prefers `path.utf-8`, which old creators wrote next to a `path` in the character set of their system.
   * Not in hybrids, whose two halves must name the same bytes.
   */
  readonly utf8Keys: boolean;
  readonly notes: ReadingNotes;
}

/**
 * Reads the files of a v1 info dictionary (BEP 3, BEP 47), one at a time: a list may have 200,000.
 *
 * @param info - Its `files` are raw bytes, see `RAW_KEYS`.
 * @throws {MetainfoError} While it is read; `BencodeError` too.
 */
export function* readV1Files(info: BencodeDict, options: V1FilesOptions): Generator<ListedFile> {
  if (!isV1Folder(info)) {
    yield readSingle(info, options);
    return;
  }
  const raw = requireBytes(info.get("files"), "info.files");
  const { oddities } = options.notes;
  const reader = new BencodeReader(raw, { bytesMax: raw.length, oddities });
  if (!reader.enterList()) throw typeError("info.files", "a list");
  const entries = new EntryReader(reader, options);
  while (reader.hasItem()) yield entries.next();
  if (entries.count === 0) throw new MetainfoError("bad-value", `"info.files" is empty`);
}

function readSingle(info: BencodeDict, { name, notes }: V1FilesOptions): ListedFile {
  const attr = info.get("attr");
  if (attr !== undefined && !isBytes(attr)) notes.warn(`"info.attr" is no text and was left out`);
  const { executable, hidden } = readAttributes(attr);
  return {
    path: [name],
    length: requireLength(info.get("length"), "info.length"),
    pad: false,
    executable,
    hidden,
    link: undefined,
    piecesRoot: undefined,
  };
}

/** A path that was read, or `null` for something else that stands in its place. */
type Field = BencodeValue | readonly string[] | null;

/** Keys of a file's entry that decide which bytes it has and where. */
const DECISIVE: ReadonlySet<string> = new Set([
  "attr",
  "length",
  "path",
  "path.utf-8",
  "symlink path",
]);

/** BitComet pads with files of this name, and without `attr`. */
const PAD_NAME_OF_BITCOMET = "_____padding_file_";

/** Reads the entries of `files` one after the other, without building what nobody asks for. */
class EntryReader {
  /** Entries begun. */
  count = 0;
  readonly #reader: BencodeReader;
  readonly #utf8Keys: boolean;
  readonly #notes: ReadingNotes;
  /** Of the entry under way. */
  readonly #fields = new Map<string, Field>();

  constructor(reader: BencodeReader, options: V1FilesOptions) {
    this.#reader = reader;
    this.#utf8Keys = options.utf8Keys;
    this.#notes = options.notes;
  }

  next(): ListedFile {
    this.count += 1;
    this.#readFields();
    const fields = this.#fields;
    const attr = fields.get("attr") as BencodeValue | undefined;
    if (attr !== undefined && !isBytes(attr)) this.#leftOut(".attr", "is no text");
    const { pad, executable, hidden, link } = readAttributes(attr);
    const path = this.#path(pad);
    // BEP 47: a link has no length, and padding needs no path.
    const written =
      link && !fields.has("length") ? 0 : requireLength(this.#value("length"), this.#at(".length"));
    if (pad || path.at(-1)!.startsWith(PAD_NAME_OF_BITCOMET)) return { ...PAD, length: written };
    const target = link ? this.#linkTarget(written) : undefined;
    return {
      path,
      length: target ? 0 : written,
      pad: false,
      executable,
      hidden,
      link: target,
      piecesRoot: undefined,
    };
  }

  /** Names a value of the entry under way in an error. */
  #at(key: string): () => string {
    const index = this.count - 1;
    return () => `info.files[${index}]${key}`;
  }

  #value(key: string): BencodeValue | undefined {
    return this.#fields.get(key) as BencodeValue | undefined;
  }

  #leftOut(key: string, why: string): void {
    this.#notes.warn(`"${this.#at(key)()}" ${why} and was left out`);
  }

  #readFields(): void {
    const reader = this.#reader;
    this.#fields.clear();
    if (!reader.enterDict()) throw typeError(this.#at(""), "a dictionary");
    let previous: string | undefined;
    for (;;) {
      const key = reader.nextKey();
      if (key === undefined) break;
      if (DECISIVE.has(key)) this.#keep(key);
      else {
        reader.skip();
        if (key === previous) this.#notes.judgeRepeat(undefined, key, false);
      }
      previous = key;
    }
    this.#notes.judgeRepeats();
  }

  #keep(key: string): void {
    const isPath = key === "path" || key === "path.utf-8";
    const value = isPath ? readPath(this.#reader) : this.#reader.value();
    const first = this.#fields.get(key);
    if (first === undefined) this.#fields.set(key, value);
    else {
      const place = { where: this.#at("."), decisive: DECISIVE };
      this.#notes.judgeRepeat(place, key, !equalFields(first, value));
    }
  }

  /** @returns Empty for padding, whose path is never looked at, so that it may be hostile (MET-13). */
  #path(pad: boolean): readonly string[] {
    if (pad) return [];
    let key = "path";
    if (this.#utf8Keys && this.#fields.has("path.utf-8")) {
      if (this.#fields.get("path.utf-8") !== null) key = "path.utf-8";
      else this.#leftOut(".path.utf-8", "is no list of texts");
    }
    const path = this.#fields.get(key) as readonly string[] | null | undefined;
    const where = this.#at(`.${key}`);
    if (path === undefined) throw missing(where);
    if (path === null) throw typeError(where, "a list of byte strings");
    if (path.length === 0) throw new MetainfoError("bad-value", `"${where()}" is empty`);
    if (path.length > PATH_ELEMENTS_MAX) {
      throw new MetainfoError(
        "too-large",
        `"${where()}" has more than ${PATH_ELEMENTS_MAX} elements`,
      );
    }
    return path;
  }

  /** @param length - Bytes that the entry of the link claims; they are not in the torrent. */
  #linkTarget(length: number): readonly string[] | undefined {
    const target = readLinkPath(this.#value("symlink path"));
    if (target !== undefined) {
      if (length > 0) this.#leftOut(".length", `of a link is ${length}, not 0,`);
      return target;
    }
    if (length > 0) {
      // Nobody could tell whether its bytes count.
      const where = this.#at("")();
      throw new MetainfoError(
        "bad-file-length",
        `"${where}" is a link of ${length} bytes that leads nowhere`,
      );
    }
    this.#leftOut(".symlink path", "leads nowhere");
    return undefined;
  }
}

function readPath(reader: BencodeReader): readonly string[] | null {
  if (!reader.enterList()) {
    reader.skip();
    return null;
  }
  const path: string[] = [];
  let isWhole = true;
  while (reader.hasItem()) {
    const element = reader.text();
    if (element === undefined) {
      reader.skip();
      isWhole = false;
    } else if (path.length <= PATH_ELEMENTS_MAX) path.push(element);
  }
  return isWhole ? path : null;
}

function equalFields(a: Field, b: Field): boolean {
  if (Array.isArray(a) && Array.isArray(b) && typeof a[0] === "string") return samePath(a, b);
  if (a === null || b === null) return a === b;
  return equalValues(a as BencodeValue, b as BencodeValue);
}

function samePath(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

const PAD: ListedFile = {
  path: [],
  length: 0,
  pad: true,
  executable: false,
  hidden: false,
  link: undefined,
  piecesRoot: undefined,
};
