import { BencodeReader } from "../bencode/bencode-reader.ts";
import type { BencodeDict } from "../bencode/bencode-value.ts";
import { NODE_BYTES } from "./merkle.ts";
import { MetainfoError } from "./metainfo-error.ts";
import {
  readableText,
  readAttributes,
  requireBytes,
  requireDict,
  requireLength,
  requirePath,
  typeError,
  type ListedFile,
} from "./read-info-fields.ts";

/** The key under which a node of the tree holds a file (BEP 52). */
const FILE = "";

/**
 * Reads the files of a v2 `file tree` (BEP 52) one at a time, in the order of its keys, which is the order
 * of the bytes.
 *
 * @param info - Its `file tree` is raw bytes, see `RAW_KEYS`.
 * @throws {MetainfoError} While it is read; `BencodeError` too.
 */
export function* readFileTree(info: BencodeDict): Generator<ListedFile> {
  const raw = requireBytes(info.get("file tree"), "info.file tree");
  const reader = new BencodeReader(raw, { lax: true, bytesMax: raw.length });
  if (!reader.enterDict()) throw typeError("info.file tree", "a dictionary");
  // The folders stepped into, and the key before the next one.
  const path: string[] = [];
  let previous = "";
  let isEmpty = true;
  for (;;) {
    const key = reader.nextKey();
    if (key === undefined) {
      if (path.length === 0) break;
      previous = path.pop()!;
      continue;
    }
    if (key === FILE) {
      if (path.length === 0) throw treeError(path, "is itself a file");
      const here = [...path];
      if (previous !== "") throw treeError(here, "comes in the wrong order");
      yield readFile(
        requireDict(reader.value(), () => where(here)),
        here,
      );
      if (reader.nextKey() !== undefined) throw treeError(here, "is a file and a folder");
      isEmpty = false;
      previous = path.pop()!;
      continue;
    }
    path.push(key);
    // Readers that sort and readers that do not would number the pieces differently.
    if (key <= previous) throw treeError(path, "comes in the wrong order, or twice");
    if (!reader.enterDict()) throw treeError(path, "is neither a file nor a folder");
    previous = "";
  }
  if (isEmpty) throw new MetainfoError("bad-file-tree", "there is no file in the tree");
}

function readFile(entry: BencodeDict, path: readonly string[]): ListedFile {
  const { executable, hidden, link } = readAttributes(entry, () => where(path));
  const length =
    link && !entry.has("length")
      ? 0
      : requireLength(entry.get("length"), () => where(path, "length"));
  if (link && length > 0) throw treeError(path, `is a link of ${length} bytes, not 0`);
  return {
    path,
    length,
    pad: false,
    executable,
    hidden,
    link: link
      ? requirePath(entry.get("symlink path"), () => where(path, "symlink path"))
      : undefined,
    piecesRoot: length > 0 ? readRoot(entry, path) : undefined,
  };
}

function readRoot(entry: BencodeDict, path: readonly string[]): Uint8Array {
  const root = requireBytes(entry.get("pieces root"), () => where(path, "pieces root"));
  if (root.length !== NODE_BYTES) {
    throw treeError(path, `has a pieces root of ${root.length} bytes, not ${NODE_BYTES}`);
  }
  if (root.every((byte) => byte === 0)) throw treeError(path, "has a pieces root of zeros");
  return root;
}

function treeError(path: readonly string[], what: string): MetainfoError {
  return new MetainfoError("bad-file-tree", `"${where(path)}" ${what}`);
}

function where(path: readonly string[], key?: string): string {
  const place = readableText(`info.file tree/${path.join("/")}`);
  return key === undefined ? place : `${place}.${key}`;
}
