import { BencodeReader } from "../bencode/bencode-reader.ts";
import { isBytes, type BencodeDict, type BencodeValue } from "../bencode/bencode-value.ts";
import { equalValues } from "../bencode/oddities.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { isPaddingName, PADDING_FOLDER } from "./padding-names.ts";
import { PlainEntry } from "./plain-entry.ts";
import {
  missing,
  ORDINARY,
  PATH_ELEMENTS_MAX,
  readAttributes,
  readLinkPath,
  requireBytes,
  requireLength,
  typeError,
  type ListedFile,
} from "./read-info-fields.ts";
import type { ReadingNotes } from "./reading-notes.ts";

/** Tells whether a v1 info dictionary describes a folder of files (BEP 3). @throws {MetainfoError} */
export function isV1Folder(info: BencodeDict): boolean {
  const hasLength = info.has("length");
  if (hasLength && info.has("files")) {
    // Two readers could see different torrents (MET-10).
    throw new MetainfoError("bad-value", `"info" has both "length" and "files"`);
  }
  if (!hasLength && !info.has("files")) throw missing("info.length");
  return !hasLength;
}

export interface V1FilesOptions {
  /** The name of a single file, in latin1. */
  readonly name: string;
  /**
   * Prefers `path.utf-8`, which old creators wrote beside a `path` in their system's character set. Not for hybrids,
   * whose two halves must name the same bytes.
   */
  readonly utf8Keys: boolean;
  readonly notes: ReadingNotes;
}

/**
 * Reads the files of a v1 info dictionary (BEP 3, BEP 47) one at a time: a list may have 200,000.
 *
 * @param info - Its `files` holds raw bytes, see `RAW_KEYS`.
 * @throws {MetainfoError} During the reading; also `BencodeError`.
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
  const entries = new EntryReader(raw, reader, options);
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
    ...ORDINARY,
    executable,
    hidden,
  };
}

/** Keys of a file's entry that decide its bytes and its place. */
const DECISIVE: ReadonlySet<string> = new Set([
  "attr",
  "length",
  "path",
  "path.utf-8",
  "symlink path",
]);

/** A path, or `null` for a value of another type. */
type Path = readonly string[] | null;

/** The fields of an entry before they are judged. One object is reused for all entries. */
class Fields {
  attr: BencodeValue | undefined;
  length: BencodeValue | undefined;
  path: Path | undefined;
  utf8Path: Path | undefined;
  symlinkPath: BencodeValue | undefined;
  /** Offsets of the first element of `path` and of its end. */
  pathAt = 0;
  pathEnd = 0;

  reset(): void {
    this.attr = undefined;
    this.length = undefined;
    this.path = undefined;
    this.utf8Path = undefined;
    this.symlinkPath = undefined;
  }
}

/** Reads the entries of `files` one after the other, and builds nothing that is not needed. */
class EntryReader {
  /** Entries started so far. */
  count = 0;
  readonly #reader: BencodeReader;
  readonly #utf8Keys: boolean;
  readonly #notes: ReadingNotes;
  /** Fields of the current entry. */
  readonly #fields = new Fields();
  readonly #plain: PlainEntry;

  constructor(raw: Uint8Array, reader: BencodeReader, options: V1FilesOptions) {
    this.#reader = reader;
    this.#plain = new PlainEntry(raw);
    this.#utf8Keys = options.utf8Keys;
    this.#notes = options.notes;
  }

  /** @returns The file of the next entry. It is valid until the next call. */
  next(): ListedFile {
    this.count += 1;
    const end = this.#utf8Keys ? this.#plain.read(this.#reader.offset) : 0;
    if (end > 0) {
      this.#reader.jump(end);
      return this.#plain;
    }
    this.#fields.reset();
    this.#readFields();
    const { attr, length: given } = this.#fields;
    if (attr !== undefined && !isBytes(attr)) this.#leftOut(".attr", "is no text");
    const { pad, executable, hidden, link } = readAttributes(attr);
    // The path of padding is ignored, so it may even be hostile (MET-13).
    const path = pad ? [] : this.#path();
    // BEP 47: a link has no length, and padding needs no path.
    const written = link && given === undefined ? 0 : requireLength(given, this.#at(".length"));
    if (pad || isPaddingName(path, written)) {
      return { ...PAD, length: written };
    }
    const target = link ? this.#linkTarget(written) : undefined;
    const { nameAt, nameLength } = this.#noteFolder(path);
    return {
      path,
      length: target ? 0 : written,
      pad: false,
      executable,
      hidden,
      link: target,
      piecesRoot: undefined,
      nameAt,
      nameLength,
      beside: false,
    };
  }

  /** Remembers the folder of this entry for files beside it. @returns The place of its name. */
  #noteFolder(path: readonly string[]): { nameAt: number; nameLength: number } {
    const { path: written, pathAt, pathEnd } = this.#fields;
    const nameLength = path[path.length - 1]!.length;
    if (path !== written) {
      this.#plain.setFolder(0, -1);
      return { nameAt: -1, nameLength };
    }
    const nameAt = pathEnd - nameLength;
    const folderLength = nameAt - 1 - String(nameLength).length - pathAt;
    // Files inside the padding folder are each judged by the full reader.
    this.#plain.setFolder(pathAt, path[0] === PADDING_FOLDER ? -1 : folderLength);
    return { nameAt, nameLength };
  }

  /** Names a value of the current entry in an error. */
  #at(key: string): () => string {
    const index = this.count - 1;
    return () => `info.files[${index}]${key}`;
  }

  #leftOut(key: string, why: string): void {
    this.#notes.warn(`"${this.#at(key)()}" ${why} and was left out`);
  }

  #readFields(): void {
    const reader = this.#reader;
    if (!reader.enterDict()) throw typeError(this.#at(""), "a dictionary");
    let previous: string | undefined;
    for (;;) {
      const key = reader.nextKey();
      if (key === undefined) break;
      if (!this.#keep(key)) {
        reader.skip();
        if (key === previous) this.#notes.judgeRepeat(undefined, key, false);
      }
      previous = key;
    }
    this.#notes.judgeRepeats();
  }

  /** @returns False when the key is not needed; the caller must then read its value. */
  #keep(key: string): boolean {
    const fields = this.#fields;
    const reader = this.#reader;
    switch (key) {
      case "length":
        fields.length = this.#first(key, fields.length, reader.value());
        return true;
      case "path":
        fields.path = this.#firstPath(key, fields.path, this.#readPath());
        return true;
      case "path.utf-8":
        fields.utf8Path = this.#firstPath(key, fields.utf8Path, readPath(reader));
        return true;
      case "attr":
        fields.attr = this.#first(key, fields.attr, reader.value());
        return true;
      case "symlink path":
        fields.symlinkPath = this.#first(key, fields.symlinkPath, reader.value());
        return true;
      default:
        return false;
    }
  }

  #readPath(): Path {
    const fields = this.#fields;
    const at = this.#reader.offset;
    const path = readPath(this.#reader);
    if (fields.path === undefined) {
      fields.pathAt = at + 1;
      fields.pathEnd = this.#reader.offset - 1;
    }
    return path;
  }

  #first(key: string, first: BencodeValue | undefined, value: BencodeValue): BencodeValue {
    if (first === undefined) return value;
    this.#repeated(key, !equalValues(first, value));
    return first;
  }

  #firstPath(key: string, first: Path | undefined, path: Path): Path {
    if (first === undefined) return path;
    this.#repeated(key, !equalPaths(first, path));
    return first;
  }

  #repeated(key: string, differs: boolean): void {
    this.#notes.judgeRepeat({ where: this.#at("."), decisive: DECISIVE }, key, differs);
  }

  #path(): readonly string[] {
    const { utf8Path } = this.#fields;
    if (this.#utf8Keys && utf8Path) return this.#usable(utf8Path, ".path.utf-8");
    if (this.#utf8Keys && utf8Path === null) this.#leftOut(".path.utf-8", "is no list of texts");
    return this.#usable(this.#fields.path, ".path");
  }

  #usable(path: Path | undefined, key: string): readonly string[] {
    if (path && path.length > 0 && path.length <= PATH_ELEMENTS_MAX) return path;
    const where = this.#at(key);
    if (path === undefined) throw missing(where);
    if (path === null) throw typeError(where, "a list of byte strings");
    if (path.length === 0) throw new MetainfoError("bad-value", `"${where()}" is empty`);
    throw new MetainfoError(
      "too-large",
      `"${where()}" has more than ${PATH_ELEMENTS_MAX} elements`,
    );
  }

  /** @param length - Bytes that the link's entry claims; they are not in the torrent. */
  #linkTarget(length: number): readonly string[] | undefined {
    const target = readLinkPath(this.#fields.symlinkPath);
    if (target !== undefined) {
      if (length > 0) this.#leftOut(".length", `of a link is ${length}, not 0,`);
      return target;
    }
    if (length > 0) {
      // Readers could disagree on whether its bytes count.
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

function readPath(reader: BencodeReader): Path {
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

function equalPaths(a: Path, b: Path): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

const PAD: ListedFile = { ...ORDINARY, path: [], length: 0, pad: true };
