import { isDict, type BencodeDict } from "../bencode/bencode-value.ts";
import { NODE_BYTES } from "./merkle.ts";
import { MetainfoError } from "./metainfo-error.ts";
import {
  readableText,
  readAttributes,
  requireBytes,
  requireDict,
  requireLength,
  requirePath,
  type ListedFile,
} from "./read-info-fields.ts";

/** The key under which a node of the tree holds a file (BEP 52). */
const FILE = "";

/**
 * Reads the files of a v2 `file tree` (BEP 52) in the order of its keys, which is the order of the bytes.
 * The depth is that of the decoded dictionary, which the decoder limited.
 *
 * @throws {MetainfoError}
 */
export function readFileTree(tree: BencodeDict): ListedFile[] {
  const files: ListedFile[] = [];
  if (tree.has(FILE)) throw new MetainfoError("bad-file-tree", "the tree itself is a file");
  readFolder(tree, [], files);
  if (files.length === 0) throw new MetainfoError("bad-file-tree", "there is no file in the tree");
  return files;
}

function readFolder(folder: BencodeDict, path: readonly string[], files: ListedFile[]): void {
  let previous = "";
  for (const [key, value] of folder) {
    const childPath = [...path, key];
    // Readers that sort and readers that do not would number the pieces differently.
    if (key < previous) throw treeError(childPath, "comes in the wrong order");
    previous = key;
    if (!isDict(value)) throw treeError(childPath, "is neither a file nor a folder");
    const entry = value.get(FILE);
    if (entry === undefined) readFolder(value, childPath, files);
    else if (value.size > 1) throw treeError(childPath, "is a file and a folder");
    else
      files.push(
        readFile(
          requireDict(entry, () => where(childPath)),
          childPath,
        ),
      );
  }
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
