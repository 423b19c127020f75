import type { TorrentSummary } from "../../src/api/torrents.ts";

const blockBytes = 16 * 1024;
const nodeBytes = 32;

export interface PlannedPiece {
  /** Bytes of the files. */
  readonly length: number;
  /** Zeros after the file bytes, in the hashes of v1. */
  readonly padding: number;
  /** Blocks that the piece's merkle node covers, a power of two. */
  readonly leaves: number;
}

/**
 * The pieces of files in the order of the torrent: in v1 through all files, otherwise for each file by itself (BEP
 * 52). The hub's layout is in `src/metainfo/create.ts`; a test compares the two.
 */
export function* piecesOf(
  sizes: readonly number[],
  pieceSize: number,
  kind: TorrentSummary["kind"],
): Generator<PlannedPiece> {
  if (kind === "v1") {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    for (let at = 0; at < total; at += pieceSize) {
      yield { length: Math.min(pieceSize, total - at), padding: 0, leaves: 0 };
    }
    return;
  }
  const isPadded = kind === "hybrid" && sizes.length > 1;
  for (const size of sizes) {
    const leaves = size > pieceSize ? pieceSize / blockBytes : leavesOf(size);
    for (let at = 0; at < size; at += pieceSize) {
      const length = Math.min(pieceSize, size - at);
      yield { length, padding: isPadded ? pieceSize - length : 0, leaves };
    }
  }
}

export function pieceCountOf(
  sizes: readonly number[],
  pieceSize: number,
  kind: TorrentSummary["kind"],
): number {
  if (kind !== "v1") return sizes.reduce((sum, size) => sum + Math.ceil(size / pieceSize), 0);
  return Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / pieceSize);
}

/** The blocks of 16 KiB that a merkle tree is made of. */
export function blocksOf(piece: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < piece.length; at += blockBytes) {
    blocks.push(piece.subarray(at, at + blockBytes));
  }
  return blocks;
}

/**
 * The root above hashes of blocks (BEP 52).
 *
 * @param leaves - A power of two; leaves after the last hash are zeros.
 */
export function merkleRoot(
  hashes: readonly Uint8Array[],
  leaves: number,
  hash: (pair: Uint8Array) => Uint8Array,
): Uint8Array {
  let row = hashes;
  let absent: Uint8Array = new Uint8Array(nodeBytes);
  for (let width = leaves; width > 1; width /= 2) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < row.length; at += 2)
      above.push(hash(pair(row[at]!, row[at + 1] ?? absent)));
    absent = hash(pair(absent, absent));
    row = above;
  }
  return row[0] ?? absent;
}

function pair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * nodeBytes);
  both.set(left);
  both.set(right, nodeBytes);
  return both;
}

function leavesOf(size: number): number {
  let leaves = 1;
  while (leaves * blockBytes < size) leaves *= 2;
  return leaves;
}
