import { sha1 } from "@noble/hashes/legacy.js";

/** What to hash: the bytes of all files, one after the other, in pieces. */
export interface HashJob {
  readonly files: readonly File[];
  /** Bytes. */
  readonly pieceSize: number;
}

export type HashNews =
  | { readonly kind: "progress"; readonly bytes: number }
  /** SHA-1 of each piece, 20 bytes, in order. */
  | { readonly kind: "done"; readonly pieces: Uint8Array<ArrayBuffer> }
  /** A file changed or vanished; whoever sends it finds that out too. */
  | { readonly kind: "failed"; readonly why: string };

const sha1Bytes = 20;
/** Read at once; small pieces share a read. */
const runBytesMin = 8 * 1024 * 1024;

addEventListener("message", (event: MessageEvent<HashJob>) => {
  hashPieces(event.data).then(
    (pieces) => tell({ kind: "done", pieces }),
    (error: unknown) => tell({ kind: "failed", why: String(error) }),
  );
});

async function hashPieces({ files, pieceSize }: HashJob): Promise<Uint8Array<ArrayBuffer>> {
  // References to the files: nothing is read yet.
  const all = new Blob([...files]);
  const runBytes = Math.max(pieceSize, Math.floor(runBytesMin / pieceSize) * pieceSize);
  const pieces = new Uint8Array(Math.ceil(all.size / pieceSize) * sha1Bytes);
  const read = (from: number): Promise<ArrayBuffer> =>
    all.slice(from, from + runBytes).arrayBuffer();
  let next = read(0);
  for (let from = 0; from < all.size; from += runBytes) {
    const run = await next;
    // The disk works on the next run while the processor works on this one.
    if (from + runBytes < all.size) next = read(from + runBytes);
    for (let at = 0; at < run.byteLength; at += pieceSize) {
      const piece = new Uint8Array(run, at, Math.min(pieceSize, run.byteLength - at));
      pieces.set(await digest(piece), ((from + at) / pieceSize) * sha1Bytes);
    }
    tell({ kind: "progress", bytes: from + run.byteLength });
  }
  return pieces;
}

/** The browser's own SHA-1 is several times as fast, but only there is where the page came by https or loopback. */
async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  if (!isSecureContext) return sha1(bytes);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
}

function tell(news: HashNews): void {
  postMessage(news);
}
