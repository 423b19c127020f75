import { encodeUtf8, toHex } from "../base/bytes.ts";
import { sha256 } from "../base/hash.ts";
import type { Work } from "../base/work.ts";
import type { TorrentFile, TorrentInfo } from "../metainfo/metainfo.ts";

/** Enough to tell files apart; whoever forges a key only wins a comparison that fails. */
const KEY_BYTES = 16;
const SHA1_BYTES = 20;
const FILES_PER_STEP = 256;

/** What the hashes of a torrent say of one of its files. */
export interface FileKeys {
  /** Index in the torrent. */
  readonly file: number;
  /** Equal keys of two files promise equal bytes. */
  readonly keys: readonly Uint8Array[];
}

/**
 * The keys by which a file is found again in another torrent. v2: its root and length. v1: the hashes of the pieces that
 * lie in it whole, where they lie in it and how long it is; so the first and last bytes of a file that shares its outer
 * pieces are not covered, and the copy is compared with its hashes all the same. A file without a piece of its own
 * counts as the same when its whole v1 torrent is the same. A hybrid has both, and is found by either.
 */
export function* contentKeys(
  info: TorrentInfo,
  isWanted: (file: number) => boolean,
): Work<FileKeys[]> {
  const found: FileKeys[] = [];
  let ofTorrent: Uint8Array | undefined;
  for (const [index, file] of info.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    if (file.pad || file.linkTarget || file.length === 0 || !isWanted(index)) continue;
    const keys: Uint8Array[] = [];
    if (file.piecesRoot) keys.push(keyOf("v2", [file.length], file.piecesRoot));
    const inner = innerKey(info, file);
    if (inner) keys.push(inner);
    else if (info.kind === "v1") {
      ofTorrent ??= yield* torrentKey(info);
      keys.push(keyOf("part", [index, file.length], ofTorrent));
    }
    found.push({ file: index, keys });
  }
  return found;
}

/** The pieces that lie whole in the file; `undefined` when there are none. */
function innerKey({ pieceHashes, geometry }: TorrentInfo, file: TorrentFile) {
  if (!pieceHashes) return undefined;
  const { pieceLength } = geometry;
  const first = Math.ceil(file.offset / pieceLength);
  const end = Math.floor((file.offset + file.length) / pieceLength);
  if (end <= first) return undefined;
  const hashes = pieceHashes.subarray(first * SHA1_BYTES, end * SHA1_BYTES);
  return keyOf("v1", [pieceLength, file.offset % pieceLength, file.length], hashes);
}

/** The content of a whole v1 torrent, whatever it is called. */
function* torrentKey({ files, geometry, pieceHashes }: TorrentInfo): Work<Uint8Array> {
  let lengths = "";
  for (const [index, { length, pad }] of files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    lengths += `${length}${pad ? "p" : ""} `;
  }
  return keyOf(lengths, [geometry.pieceLength], pieceHashes!);
}

function keyOf(kind: string, numbers: readonly number[], hashes: Uint8Array): Uint8Array {
  const head = encodeUtf8(`${kind} ${numbers.join(" ")} ${toHex(sha256(hashes))}`);
  return sha256(head).slice(0, KEY_BYTES);
}
