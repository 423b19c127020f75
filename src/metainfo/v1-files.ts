import { BencodeReader } from "../bencode/bencode-reader.ts";
import { isDict, type BencodeDict } from "../bencode/bencode-value.ts";
import { MetainfoError } from "./metainfo-error.ts";
import {
  missing,
  readAttributes,
  requireBytes,
  requireLength,
  requirePath,
  typeError,
  type ListedFile,
} from "./read-info-fields.ts";

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

/**
 * Reads the files of a v1 info dictionary (BEP 3, BEP 47), one at a time: a list may have 200,000.
 *
 * @param info - Its `files` are raw bytes, see `RAW_KEYS`.
 * @param options.name - What a single file is called, in latin1.
 * @param options.utf8Keys - Prefers `path.utf-8`, which old creators wrote next to a `path` in the
 *   character set of their system. Not in hybrids, whose two halves must name the same bytes.
 * @throws {MetainfoError} While it is read; `BencodeError` too.
 */
export function* readV1Files(
  info: BencodeDict,
  options: { readonly name: string; readonly utf8Keys: boolean },
): Generator<ListedFile> {
  if (!isV1Folder(info)) {
    yield readSingle(info, options.name);
    return;
  }
  const raw = requireBytes(info.get("files"), "info.files");
  const reader = new BencodeReader(raw, { lax: true, bytesMax: raw.length });
  if (!reader.enterList()) throw typeError("info.files", "a list");
  let index = 0;
  for (; reader.hasItem(); index += 1) {
    const file = reader.value();
    if (!isDict(file)) throw typeError(`info.files[${index}]`, "a dictionary");
    yield readEntry(file, index, options.utf8Keys);
  }
  if (index === 0) throw new MetainfoError("bad-value", `"info.files" is empty`);
}

function readSingle(info: BencodeDict, name: string): ListedFile {
  const attributes = readAttributes(info, "info");
  return {
    path: [name],
    length: requireLength(info.get("length"), "info.length"),
    pad: false,
    executable: attributes.executable,
    hidden: attributes.hidden,
    link: undefined,
    piecesRoot: undefined,
  };
}

function readEntry(entry: BencodeDict, index: number, utf8Keys: boolean): ListedFile {
  const where = (key: string) => () => `info.files[${index}]${key}`;
  const { pad, executable, hidden, link } = readAttributes(entry, where(""));
  // BEP 47: a link has no length, and padding needs no path.
  const length =
    link && !entry.has("length") ? 0 : requireLength(entry.get("length"), where(".length"));
  if (link && length > 0) {
    throw new MetainfoError(
      "bad-file-length",
      `"${where("")()}" is a link of ${length} bytes, not 0`,
    );
  }
  if (pad) {
    return { ...PAD, length };
  }
  const key = utf8Keys && entry.has("path.utf-8") ? "path.utf-8" : "path";
  return {
    path: requirePath(entry.get(key), where(`.${key}`)),
    length,
    pad: false,
    executable,
    hidden,
    link: link ? requirePath(entry.get("symlink path"), where(".symlink path")) : undefined,
    piecesRoot: undefined,
  };
}

/** The path of padding is never looked at, so that it may be hostile (MET-13). */
const PAD: ListedFile = {
  path: [],
  length: 0,
  pad: true,
  executable: false,
  hidden: false,
  link: undefined,
  piecesRoot: undefined,
};
