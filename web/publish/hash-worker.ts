import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { blocksOf, merkleRoot, piecesOf } from "./piece-plan.ts";
import { RunReader } from "./run-reader.ts";

/** The files to hash, in the order of the torrent and cut into the pieces of its kind. */
export interface HashJob {
  readonly files: readonly File[];
  /** Bytes. */
  readonly pieceSize: number;
  readonly kind: "v1" | "v2" | "hybrid";
}

export type HashNews =
  | { readonly kind: "progress"; readonly bytes: number }
  | { readonly kind: "done"; readonly hashes: PieceHashes }
  /** A file changed or vanished; the upload will find that out too. */
  | { readonly kind: "failed"; readonly why: string };

/** The hashes for the torrent's kind, piece by piece. */
export interface PieceHashes {
  /** SHA-1, 20 bytes each. */
  readonly v1: Uint8Array<ArrayBuffer> | undefined;
  /** Merkle nodes of SHA-256, 32 bytes each. */
  readonly v2: Uint8Array<ArrayBuffer> | undefined;
}

const sha1Bytes = 20;
const sha256Bytes = 32;
/** Bytes between two progress messages. */
const progressBytes = 8 * 1024 * 1024;

addEventListener("message", (event: MessageEvent<HashJob>) => {
  hashPieces(event.data).then(
    (hashes) => tell({ kind: "done", hashes }),
    (error: unknown) => tell({ kind: "failed", why: String(error) }),
  );
});

async function hashPieces({ files, pieceSize, kind }: HashJob): Promise<PieceHashes> {
  const sizes = files.map((file) => file.size);
  const pieces = [...piecesOf(sizes, pieceSize, kind)];
  const v1 = kind === "v2" ? undefined : new Uint8Array(pieces.length * sha1Bytes);
  const v2 = kind === "v1" ? undefined : new Uint8Array(pieces.length * sha256Bytes);
  // References to the files: nothing is read yet.
  const reader = new RunReader(new Blob([...files]));
  let bytes = 0;
  let toldBytes = 0;
  for (const [index, { length, padding, leaves }] of pieces.entries()) {
    const piece = await reader.take(length);
    v1?.set(await digest("SHA-1", padded(piece, padding)), index * sha1Bytes);
    v2?.set(await nodeOf(piece, leaves), index * sha256Bytes);
    bytes += length;
    if (bytes - toldBytes < progressBytes) continue;
    toldBytes = bytes;
    tell({ kind: "progress", bytes });
  }
  return { v1, v2 };
}

/** @param leaves - Blocks that the node covers; those after the end count as zeros. */
async function nodeOf(piece: Uint8Array<ArrayBuffer>, leaves: number): Promise<Uint8Array> {
  const blocks = await Promise.all(blocksOf(piece).map((block) => digest("SHA-256", block)));
  return merkleRoot(blocks, leaves, (pair) => sha256(pair));
}

/** In a hybrid torrent, zeros follow a file that does not end on a piece border. */
function padded(piece: Uint8Array<ArrayBuffer>, padding: number): Uint8Array<ArrayBuffer> {
  if (padding === 0) return piece;
  const whole = new Uint8Array(piece.length + padding);
  whole.set(piece);
  return whole;
}

/** The browser's own hashes are several times as fast, but exist only on pages from https or loopback. */
async function digest(
  name: "SHA-1" | "SHA-256",
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  if (!isSecureContext) return name === "SHA-1" ? sha1(bytes) : sha256(bytes);
  return new Uint8Array(await crypto.subtle.digest(name, bytes));
}

function tell(news: HashNews): void {
  postMessage(news);
}
