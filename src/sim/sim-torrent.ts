import { BLOCK_BYTES } from "../base/geometry.ts";
import { sha1, sha256 } from "../base/hash.ts";
import { buildMetainfo, planTorrent } from "../metainfo/create.ts";
import { NODE_BYTES, pieceNode } from "../metainfo/merkle.ts";
import type { Metainfo, TorrentKind } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Random } from "../ports/random.ts";

const SHA1_BYTES = 20;

/** A torrent of one file, and the file's bytes. */
export interface SimTorrent {
  readonly metainfo: Metainfo;
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface SimTorrentOptions {
  readonly random: Random;
  readonly name: string;
  /** Of the file. */
  readonly size: number;
  readonly pieceLength: number;
  readonly kind: TorrentKind;
  readonly private?: boolean | undefined;
}

/** Makes a torrent of random bytes. */
export function makeSimTorrent(options: SimTorrentOptions): SimTorrent {
  const { name, kind, pieceLength, size } = options;
  const words = Uint32Array.from({ length: Math.ceil(size / 4) }, () =>
    options.random.below(2 ** 32),
  );
  const bytes = new Uint8Array(words.buffer, 0, size);
  const plan = planTorrent({ name, kind, pieceLength, files: [{ path: [], length: size }] });
  const { pieceCount } = plan.geometry;
  const v1 = new Uint8Array(pieceCount * SHA1_BYTES);
  const v2 = new Uint8Array(pieceCount * NODE_BYTES);
  for (let piece = 0; piece < pieceCount; piece += 1) {
    const part = bytes.subarray(piece * pieceLength, (piece + 1) * pieceLength);
    v1.set(sha1(part), piece * SHA1_BYTES);
    v2.set(nodeOf(part, { pieceLength, alone: pieceCount === 1 }), piece * NODE_BYTES);
  }
  const built = buildMetainfo(plan, { v1, v2 }, { private: options.private });
  return { metainfo: parseMetainfo(built.torrent), name, bytes };
}

/** The node of the merkle tree that covers a piece (BEP 52). */
export function nodeOf(
  piece: Uint8Array,
  shape: { readonly pieceLength: number; readonly alone: boolean },
): Uint8Array {
  const blocks = Math.ceil(piece.length / BLOCK_BYTES);
  const leaves = new Uint8Array(blocks * NODE_BYTES);
  for (let block = 0; block < blocks; block += 1) {
    const bytes = piece.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    leaves.set(sha256(bytes), block * NODE_BYTES);
  }
  return pieceNode(leaves, shape);
}
