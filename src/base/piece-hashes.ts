import { equalBytes } from "./bytes.ts";

const SHA1_BYTES = 20;
const NODE_BYTES = 32;

/** Both hashes of a piece; `undefined` where one is not known. */
export interface PieceHashPair {
  readonly v1?: Uint8Array | undefined;
  readonly v2?: Uint8Array | undefined;
}

/** The expected hashes that a piece does not match. */
export type HashFault = "v1" | "v2" | "both";

/**
 * @param tables - 20 and 32 bytes a piece.
 * @returns The known hashes of a piece; a v2 node of zeros is not known yet.
 */
export function expectedHashes({ v1, v2 }: PieceHashPair, piece: number): PieceHashPair {
  const node = v2?.subarray(piece * NODE_BYTES, (piece + 1) * NODE_BYTES);
  return {
    v1: v1?.subarray(piece * SHA1_BYTES, (piece + 1) * SHA1_BYTES),
    v2: node?.some((byte) => byte !== 0) ? node : undefined,
  };
}

/**
 * Compares the computed hashes with the expected ones, as far as those are known. A piece without any known hash is
 * never intact.
 *
 * @returns `undefined` when the piece is intact.
 */
export function hashFault(expected: PieceHashPair, found: PieceHashPair): HashFault | undefined {
  const wrongV1 = expected.v1 !== undefined && !(found.v1 && equalBytes(found.v1, expected.v1));
  const wrongV2 = expected.v2 !== undefined && !(found.v2 && equalBytes(found.v2, expected.v2));
  const isKnown = expected.v1 !== undefined || expected.v2 !== undefined;
  if (isKnown && !wrongV1 && !wrongV2) return undefined;
  if (wrongV1) return wrongV2 ? "both" : "v1";
  return "v2";
}

/** What the hashes of a piece cover. */
interface PieceShapes {
  pieceSize(piece: number): number;
  dataSize(piece: number): number;
  leafWidth(piece: number): number;
}

/** Lists what must be hashed to compute the wanted hashes of a piece. */
export function digestPlan(
  shapes: PieceShapes,
  piece: number,
  want: { readonly v1: boolean; readonly v2: boolean; readonly blocks: boolean },
): {
  readonly v1Bytes: number | undefined;
  readonly v2: { readonly bytes: number; readonly leafWidth: number } | undefined;
  readonly blocks: boolean;
} {
  return {
    v1Bytes: want.v1 ? shapes.pieceSize(piece) : undefined,
    v2: want.v2 ? { bytes: shapes.dataSize(piece), leafWidth: shapes.leafWidth(piece) } : undefined,
    blocks: want.blocks,
  };
}
