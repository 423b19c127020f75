import { equalBytes, toHex } from "../base/bytes.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";
import { SHA1_BYTES } from "../metainfo/read-info.ts";

/** A file that is here and may serve for a file of another torrent. */
export interface ReusableFile {
  readonly to: TorrentFile;
  /** Where it is, and how long it is when nobody has changed it. */
  readonly from: Pick<TorrentFile, "path" | "length">;
  /** The hashes of both torrents say that the bytes are the same. */
  readonly isSame: boolean;
}

/**
 * The files of a version that may be here already: those with the same hash under any name (BEP 52), and those with the
 * same path, of which some pieces may be right.
 *
 * @param before - The version that is here; without one, files of the same path and length may be it.
 */
export function* reusable(
  next: TorrentInfo,
  before: TorrentInfo | undefined,
): Generator<ReusableFile> {
  const byPath = new Map<string, TorrentFile>();
  const byRoot = new Map<string, TorrentFile>();
  for (const file of before?.files ?? []) {
    if (!isContent(file)) continue;
    byPath.set(file.path.join("/"), file);
    if (file.piecesRoot) byRoot.set(toHex(file.piecesRoot), file);
  }
  for (const to of next.files) {
    if (!isContent(to)) continue;
    const twin = to.piecesRoot && byRoot.get(toHex(to.piecesRoot));
    const known = byPath.get(to.path.join("/"));
    if (twin) yield { to, from: twin, isSame: true };
    else if (known) yield { to, from: known, isSame: hasSamePieces(next, to, before!, known) };
    else if (!before) yield { to, from: to, isSame: false };
  }
}

function isContent({ pad, linkTarget, length }: TorrentFile): boolean {
  return !pad && !linkTarget && length > 0;
}

/** In v1: the files lie in the same way in pieces with the same hashes. */
function hasSamePieces(
  next: TorrentInfo,
  to: TorrentFile,
  before: TorrentInfo,
  from: TorrentFile,
): boolean {
  const { pieceLength } = next.geometry;
  if (to.length !== from.length || pieceLength !== before.geometry.pieceLength) return false;
  if (!next.pieceHashes || !before.pieceHashes) return false;
  if (to.offset % pieceLength !== from.offset % pieceLength) return false;
  return equalBytes(hashesOf(next, to), hashesOf(before, from));
}

/** The hashes of all pieces that cover the file. */
function hashesOf({ pieceHashes, geometry }: TorrentInfo, file: TorrentFile): Uint8Array {
  const first = Math.floor(file.offset / geometry.pieceLength);
  const end = Math.ceil((file.offset + file.length) / geometry.pieceLength);
  return pieceHashes!.subarray(first * SHA1_BYTES, end * SHA1_BYTES);
}
