import { BencodeReader } from "../bencode/bencode-reader.ts";
import { isBytes, type BencodeDict } from "../bencode/bencode-value.ts";
import { NODE_BYTES } from "./merkle.ts";
import { MetainfoError } from "./metainfo-error.ts";
import {
  ORDINARY,
  readableText,
  readAttributes,
  readLinkPath,
  requireBytes,
  requireDict,
  requireLength,
  typeError,
  type ListedFile,
} from "./read-info-fields.ts";
import type { ReadingNotes } from "./reading-notes.ts";

/** The key under which a node of the tree holds a file (BEP 52). */
const FILE = "";

/** Keys of a file that decide which bytes it has. */
const DECISIVE: ReadonlySet<string> = new Set(["attr", "length", "pieces root", "symlink path"]);

/**
 * Reads the files of a v2 `file tree` (BEP 52) one at a time, in the order of its keys, which is the order
 * of the bytes.
 *
 * @param info - Its `file tree` holds raw bytes, see `RAW_KEYS`.
 * @throws {MetainfoError} During the reading; also `BencodeError`.
 */
export function* readFileTree(info: BencodeDict, notes: ReadingNotes): Generator<ListedFile> {
  const raw = requireBytes(info.get("file tree"), "info.file tree");
  const { oddities } = notes;
  const reader = new BencodeReader(raw, { bytesMax: raw.length, oddities });
  if (!reader.enterDict()) throw typeError("info.file tree", "a dictionary");
  // The folders entered, and the key read last.
  const path: string[] = [];
  let previous = "";
  // Offset after the name that was read last, which is the file's name when a file follows.
  let nameEnd = 0;
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
      const entry = requireDict(reader.value(), () => where(here));
      notes.judgeRepeats({ dict: entry, where: () => `${where(here)}.`, decisive: DECISIVE });
      const nameLength = here[here.length - 1]!.length;
      yield { ...readFile(entry, here, notes), nameAt: nameEnd - nameLength, nameLength };
      if (reader.nextKey() !== undefined) throw treeError(here, "is a file and a folder");
      isEmpty = false;
      previous = path.pop()!;
      continue;
    }
    path.push(key);
    nameEnd = reader.offset;
    // Readers that sort and readers that do not would number the pieces differently.
    if (key <= previous) throw treeError(path, "comes in the wrong order, or twice");
    if (!reader.enterDict()) throw treeError(path, "is neither a file nor a folder");
    previous = "";
  }
  if (isEmpty) throw new MetainfoError("bad-file-tree", "there is no file in the tree");
}

function readFile(entry: BencodeDict, path: readonly string[], notes: ReadingNotes): ListedFile {
  const attr = entry.get("attr");
  if (attr !== undefined && !isBytes(attr)) {
    notes.warn(`"${where(path, "attr")}" is no text and was left out`);
  }
  const { executable, hidden, link } = readAttributes(attr);
  const written =
    link && !entry.has("length")
      ? 0
      : requireLength(entry.get("length"), () => where(path, "length"));
  const target = link ? readLinkPath(entry.get("symlink path")) : undefined;
  if (link && !target) {
    // Readers could disagree on whether its bytes count.
    if (written > 0) throw treeError(path, `is a link of ${written} bytes that leads nowhere`);
    notes.warn(`"${where(path, "symlink path")}" leads nowhere and was left out`);
  }
  const length = target ? 0 : written;
  if (written > length)
    notes.warn(`"${where(path, "length")}" of a link is not 0; it was left out`);
  return {
    ...ORDINARY,
    path,
    length,
    executable,
    hidden,
    link: target,
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
