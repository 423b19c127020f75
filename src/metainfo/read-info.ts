import { readUint32, toHex, toLatin1 } from "../base/bytes.ts";
import { Geometry } from "../base/geometry.ts";
import { sha1, sha256 } from "../base/hash.ts";
import type { Work } from "../base/work.ts";
import { isBytes, type BencodeDict } from "../bencode/bencode-value.ts";
import { withoutEndZeros } from "./end-zeros.ts";
import { readFileTree } from "./file-tree.ts";
import type { TorrentInfo, TorrentKind } from "./metainfo.ts";
import { MetainfoError } from "./metainfo-error.ts";
import { readableText, requireBytes, requireInteger, type ListedFile } from "./read-info-fields.ts";
import { placeFiles } from "./place-files.ts";
import { ReadingNotes } from "./reading-notes.ts";
import { isV1Folder, readV1Files } from "./v1-files.ts";

/** Pieces of one torrent. Every table of the engine has at most this many entries. */
export const PIECES_MAX = 4 * 1024 * 1024;

/** Bytes (MET-7). */
export const PIECE_LENGTH_MAX = 256 * 1024 * 1024;

/** Bytes; the minimum of BEP 52. A v1 torrent may have less. */
export const PIECE_LENGTH_V2_MIN = 16 * 1024;

/** Bytes of a v1 piece hash. */
export const SHA1_BYTES = 20;

/** Characters of `source`, which is meant as a tag of a few letters. */
const SOURCE_CHARACTERS_MAX = 1000;

/**
 * Reads a decoded `info` dictionary.
 *
 * @param dict - Decoded with the values of `RAW_KEYS` left raw.
 * @param infoBytes - The bytes it was decoded from.
 * @param notes - Receives oddities. Repeated keys of `dict` itself were judged before.
 * @throws {MetainfoError} Also `BencodeError` for errors inside the raw values.
 */
export function* readInfo(
  dict: BencodeDict,
  infoBytes: Uint8Array,
  notes: ReadingNotes,
): Work<TorrentInfo> {
  const kind = readKind(dict, notes);
  const infohashes = {
    v1: kind === "v2" ? undefined : sha1(infoBytes),
    v2: kind === "v1" ? undefined : sha256(infoBytes),
  };
  const pieceLength = readPieceLength(dict, kind);
  const rawName =
    withoutEndZeros(readName(dict, kind, notes)) || toHex((infohashes.v1 ?? infohashes.v2)!);
  const { folder, files: listed } = readFiles(dict, { kind, rawName, pieceLength, notes });
  const { name, files: table } = yield* placeFiles(listed, {
    infoBytes,
    listBytes: listBytes(dict, kind),
    rawName,
    folder,
    alignTo: kind === "v2" ? pieceLength : 1,
    // Every name in the torrent changes it.
    seed: readUint32((infohashes.v1 ?? infohashes.v2)!, 0),
    notes,
  });
  yield;
  const files = table.files();
  const geometry = new Geometry({ pieceLength, files, aligned: kind === "v2" });
  if (geometry.pieceCount > PIECES_MAX) {
    throw new MetainfoError("too-large", `${geometry.pieceCount} pieces, at most ${PIECES_MAX}`);
  }
  return {
    kind,
    infohashes,
    infoBytes,
    name,
    folder,
    geometry,
    files,
    pieceHashes: kind === "v2" ? undefined : readPieceHashes(dict, geometry.pieceCount),
    private: isPrivate(dict),
    source: readSource(dict, notes),
  };
}

function readKind(dict: BencodeDict, notes: ReadingNotes): TorrentKind {
  const version = dict.get("meta version");
  if (version === undefined) return "v1";
  if (typeof version !== "number" && typeof version !== "bigint") {
    notes.warn(`"info.meta version" is no number and was left out`);
    return "v1";
  }
  if (version > 2) {
    throw new MetainfoError("too-new", `meta version ${version}, this program knows 1 and 2`);
  }
  if (version < 1) notes.warn(`"info.meta version" is ${version}, which was read as 1`);
  if (version < 2) return "v1";
  return dict.has("pieces") ? "hybrid" : "v2";
}

function readPieceLength(dict: BencodeDict, kind: TorrentKind): number {
  const length = requireInteger(dict.get("piece length"), "info.piece length");
  if (length < 1 || length > PIECE_LENGTH_MAX) {
    throw new MetainfoError(
      "bad-piece-length",
      `"info.piece length" is ${length}, not 1 to ${PIECE_LENGTH_MAX}`,
    );
  }
  const powerOfTwo = (length & (length - 1)) === 0;
  if (kind !== "v1" && (!powerOfTwo || length < PIECE_LENGTH_V2_MIN)) {
    throw new MetainfoError(
      "bad-piece-length",
      `"info.piece length" is ${length}, not a power of two of at least ${PIECE_LENGTH_V2_MIN}`,
    );
  }
  return length;
}

/** @returns The name in latin1, which may be empty. */
function readName(dict: BencodeDict, kind: TorrentKind, notes: ReadingNotes): string {
  const utf8 = kind === "v1" ? dict.get("name.utf-8") : undefined;
  if (isBytes(utf8)) return toLatin1(utf8);
  if (utf8 !== undefined) notes.warn(`"info.name.utf-8" is no text and was left out`);
  return toLatin1(requireBytes(dict.get("name"), "info.name"));
}

/** Decides whether there is a folder before the first file is placed, then lists the files. */
function readFiles(
  dict: BencodeDict,
  options: {
    readonly kind: TorrentKind;
    readonly rawName: string;
    readonly pieceLength: number;
    readonly notes: ReadingNotes;
  },
): { folder: boolean; files: Iterable<ListedFile> } {
  const { kind, rawName, pieceLength, notes } = options;
  if (kind === "v2") {
    return { folder: !isSingleV2(dict, rawName), files: readFileTree(dict, notes) };
  }
  const files = readV1Files(dict, { name: rawName, utf8Keys: kind === "v1", notes });
  return {
    folder: isV1Folder(dict),
    files: kind === "v1" ? files : joinHybrid(files, readFileTree(dict, notes), pieceLength),
  };
}

/** The value that lists the files; offsets of names count from its start. A single v1 file has none. */
function listBytes(dict: BencodeDict, kind: TorrentKind): Uint8Array {
  const list = dict.get(kind === "v2" ? "file tree" : "files");
  return isBytes(list) ? list : new Uint8Array(0);
}

/** BEP 52: one file with the torrent's name is the single-file form. */
function isSingleV2(dict: BencodeDict, rawName: string): boolean {
  // This reading only peeks, so its notes are thrown away.
  const tree = readFileTree(dict, new ReadingNotes());
  const first = tree.next();
  if (first.done || first.value.path.length !== 1 || first.value.path[0] !== rawName) return false;
  return tree.next().done === true;
}

/**
 * Checks that the v1 list and the v2 tree of a hybrid describe the same files in the same order, and
 * that padding puts each file on a piece border (MET-15).
 *
 * @returns The v1 list with the roots of the tree.
 */
function* joinHybrid(
  v1: Iterable<ListedFile>,
  v2: Iterator<ListedFile>,
  pieceLength: number,
): Generator<ListedFile> {
  let offset = 0;
  // The offset that the v2 tree gives the file.
  let aligned = 0;
  for (const file of v1) {
    const start = offset;
    offset += file.length;
    if (file.pad) {
      yield file;
      continue;
    }
    const next = v2.next();
    const twin = next.done ? undefined : next.value;
    const name = () => readableText(file.path.join("/"));
    if (!twin || twin.length !== file.length || !samePath(twin.path, file.path)) {
      throw differ(`"${name()}" of ${file.length} bytes is not the next file of v2`);
    }
    if (file.length > 0 && start !== aligned) {
      throw differ(`"${name()}" starts at byte ${start} in v1, ${aligned} in v2`);
    }
    aligned += Math.ceil(file.length / pieceLength) * pieceLength;
    yield { ...file, piecesRoot: twin.piecesRoot };
  }
  if (!v2.next().done) throw differ("v2 has more files than v1");
  if (Math.ceil(offset / pieceLength) !== aligned / pieceLength) {
    throw differ("v1 has more padding than its last piece holds");
  }
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}

function differ(what: string): MetainfoError {
  return new MetainfoError("versions-differ", `the v1 and v2 descriptions differ: ${what}`);
}

function readPieceHashes(dict: BencodeDict, pieceCount: number): Uint8Array {
  const pieces = requireBytes(dict.get("pieces"), "info.pieces");
  if (pieces.length !== pieceCount * SHA1_BYTES) {
    throw new MetainfoError(
      "bad-pieces",
      `"info.pieces" has ${pieces.length} bytes, the files need ${pieceCount} hashes of ` +
        `${SHA1_BYTES}, ${pieceCount * SHA1_BYTES} bytes`,
    );
  }
  return pieces;
}

/** Everything that is not plainly "no" means private (MET-19). */
function isPrivate(dict: BencodeDict): boolean {
  const value = dict.get("private");
  if (value === undefined || value === 0) return false;
  return !(isBytes(value) && value.length === 0);
}

function readSource(dict: BencodeDict, notes: ReadingNotes): string | undefined {
  const source = dict.get("source");
  if (source === undefined) return undefined;
  if (!isBytes(source)) {
    notes.warn(`"info.source" is no text and was left out`);
    return undefined;
  }
  const text = toLatin1(source.subarray(0, SOURCE_CHARACTERS_MAX));
  return withoutEndZeros(readableText(text, SOURCE_CHARACTERS_MAX));
}
