import { toHex, toLatin1 } from "../base/bytes.ts";
import { Geometry } from "../base/geometry.ts";
import { sha1, sha256 } from "../base/hash.ts";
import { getBytes, isBytes, type BencodeDict } from "../bencode/bencode-value.ts";
import { readFileTree } from "./file-tree.ts";
import type { TorrentInfo, TorrentKind } from "./metainfo.ts";
import { MetainfoError } from "./metainfo-error.ts";
import {
  readableText,
  requireBytes,
  requireDict,
  requireInteger,
  type ListedFile,
} from "./read-info-fields.ts";
import { placeFiles } from "./place-files.ts";
import { readV1Files } from "./v1-files.ts";

/** Pieces of one torrent. Every table of the engine has so many entries. */
export const PIECES_MAX = 4 * 1024 * 1024;

/** Bytes (MET-7). */
export const PIECE_LENGTH_MAX = 256 * 1024 * 1024;

/** Bytes; the least that BEP 52 allows, and that a v1 torrent need not keep. */
export const PIECE_LENGTH_V2_MIN = 16 * 1024;

/** Of a v1 piece hash. */
export const SHA1_BYTES = 20;

/** Characters of `source`, a tag of a few letters. */
const SOURCE_CHARACTERS_MAX = 1000;

/**
 * Reads a decoded `info` dictionary.
 *
 * @param infoBytes - The bytes it was decoded from.
 * @returns The info, and what was odd in words for people.
 * @throws {MetainfoError}
 */
export function readInfo(
  dict: BencodeDict,
  infoBytes: Uint8Array,
): { info: TorrentInfo; warnings: string[] } {
  const kind = readKind(dict);
  const infohashes = {
    v1: kind === "v2" ? undefined : sha1(infoBytes),
    v2: kind === "v1" ? undefined : sha256(infoBytes),
  };
  const pieceLength = readPieceLength(dict, kind);
  const rawName = readName(dict, kind) || toHex((infohashes.v1 ?? infohashes.v2)!);
  const { folder, files: listed } = readFiles(dict, { kind, rawName, pieceLength });
  const { name, files, warnings } = placeFiles(listed, {
    rawName,
    folder,
    alignTo: kind === "v2" ? pieceLength : 1,
  });
  const geometry = new Geometry({ pieceLength, files, aligned: kind === "v2" });
  if (geometry.pieceCount > PIECES_MAX) {
    throw new MetainfoError("too-large", `${geometry.pieceCount} pieces, at most ${PIECES_MAX}`);
  }
  const info: TorrentInfo = {
    kind,
    infohashes,
    infoBytes,
    name,
    folder,
    geometry,
    files,
    pieceHashes: kind === "v2" ? undefined : readPieceHashes(dict, geometry.pieceCount),
    private: isPrivate(dict),
    source: readSource(dict),
  };
  return { info, warnings };
}

function readKind(dict: BencodeDict): TorrentKind {
  if (!dict.has("meta version")) return "v1";
  const version = requireInteger(dict.get("meta version"), "info.meta version");
  if (version > 2) {
    throw new MetainfoError("too-new", `meta version ${version}, this program knows 1 and 2`);
  }
  if (version < 1) throw new MetainfoError("bad-value", `"info.meta version" is ${version}`);
  if (version === 1) return "v1";
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
function readName(dict: BencodeDict, kind: TorrentKind): string {
  const key = kind === "v1" && dict.has("name.utf-8") ? "name.utf-8" : "name";
  return toLatin1(requireBytes(dict.get(key), `info.${key}`));
}

function readFiles(
  dict: BencodeDict,
  options: { readonly kind: TorrentKind; readonly rawName: string; readonly pieceLength: number },
): { folder: boolean; files: ListedFile[] } {
  const { kind, rawName, pieceLength } = options;
  if (kind === "v1") return readV1Files(dict, { name: rawName, utf8Keys: true });
  const tree = readFileTree(requireDict(dict.get("file tree"), "info.file tree"));
  if (kind === "hybrid") {
    const { folder, files } = readV1Files(dict, { name: rawName, utf8Keys: false });
    return { folder, files: joinHybrid(files, tree, pieceLength) };
  }
  // BEP 52: one file that is called like the torrent is the single-file form.
  const [first] = tree;
  const single = tree.length === 1 && first!.path.length === 1 && first!.path[0] === rawName;
  return { folder: !single, files: tree };
}

/**
 * Checks that the v1 list and the v2 tree of a hybrid describe the same files in the same order, and
 * that padding puts each file on a piece border (MET-15).
 *
 * @returns The v1 list with the roots of the tree.
 */
function joinHybrid(
  v1: readonly ListedFile[],
  v2: readonly ListedFile[],
  pieceLength: number,
): ListedFile[] {
  let next = 0;
  let offset = 0;
  // Where the tree alone would put the file.
  let aligned = 0;
  const joined = v1.map((file): ListedFile => {
    const start = offset;
    offset += file.length;
    if (file.pad) return file;
    const twin = v2[next];
    next += 1;
    const name = readableText(file.path.join("/"));
    if (!twin || twin.length !== file.length || !samePath(twin.path, file.path)) {
      throw differ(`file ${next} is "${name}" of ${file.length} bytes in v1 only`);
    }
    if (file.length === 0) return file;
    if (start !== aligned)
      throw differ(`"${name}" starts at byte ${start} in v1, ${aligned} in v2`);
    aligned += Math.ceil(file.length / pieceLength) * pieceLength;
    return { ...file, piecesRoot: twin.piecesRoot };
  });
  if (next !== v2.length) throw differ(`v1 lists ${next} files, v2 ${v2.length}`);
  if (Math.ceil(offset / pieceLength) !== aligned / pieceLength) {
    throw differ("v1 has more padding than its last piece holds");
  }
  return joined;
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

/** Whatever is not plainly "no" means private (MET-19). */
function isPrivate(dict: BencodeDict): boolean {
  const value = dict.get("private");
  if (value === undefined || value === 0) return false;
  return !(isBytes(value) && value.length === 0);
}

function readSource(dict: BencodeDict): string | undefined {
  const source = getBytes(dict, "source");
  if (source === undefined) return undefined;
  return readableText(toLatin1(source.subarray(0, SOURCE_CHARACTERS_MAX)), SOURCE_CHARACTERS_MAX);
}
