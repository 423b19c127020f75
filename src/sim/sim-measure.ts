import { sha1 } from "../base/hash.ts";
import { NODE_BYTES } from "../metainfo/merkle.ts";
import type { MeasuredPieces, PieceHasher } from "../ports/content.ts";
import type { SimDisk } from "./sim-disk.ts";
import { nodeOf } from "./sim-torrent.ts";

const SHA1_BYTES = 20;

/**
 * Reads files of a simulated disk once and hashes their pieces, one after the other in simulated
 * time.
 */
export class SimMeasure implements PieceHasher {
  readonly #disk: SimDisk;

  constructor(disk: SimDisk) {
    this.#disk = disk;
  }

  measure(options: Parameters<PieceHasher["measure"]>[0]): Promise<MeasuredPieces> {
    const { layout, signal } = options;
    const { geometry } = layout;
    const v1 = options.v1 ? new Uint8Array(geometry.pieceCount * SHA1_BYTES) : undefined;
    const v2 = options.v2 ? new Uint8Array(geometry.pieceCount * NODE_BYTES) : undefined;
    const { promise, resolve, reject } = Promise.withResolvers<MeasuredPieces>();
    let bytesDone = 0;
    const next = (piece: number): void => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      if (piece === geometry.pieceCount) return resolve({ v1, v2 });
      const size = geometry.requestSize(piece);
      this.#disk.work(size, () => {
        const bytes = this.#read(options, piece);
        if (!(bytes instanceof Uint8Array)) return reject(bytes);
        v1?.set(sha1(bytes), piece * SHA1_BYTES);
        v2?.set(this.#node(options, piece, bytes.subarray(0, size)), piece * NODE_BYTES);
        bytesDone += size;
        options.onProgress?.(bytesDone);
        next(piece + 1);
      });
    };
    next(0);
    return promise;
  }

  #read({ layout }: Parameters<PieceHasher["measure"]>[0], piece: number): Uint8Array | Error {
    const { geometry, files, root } = layout;
    const bytes = new Uint8Array(geometry.pieceSize(piece));
    let at = 0;
    for (const span of geometry.spans(piece * geometry.pieceLength, bytes.length)) {
      const extent = geometry.files[span.file]!;
      if (!extent.pad) {
        const path = `${root}/${files[span.file]!.path}`;
        if (this.#disk.broken) return refusal("EIO", path);
        const file = this.#disk.find(path);
        if (file?.size !== extent.length) return refusal("changed", path);
        bytes.set(file.bytes.subarray(span.offset, span.offset + span.length), at);
      }
      at += span.length;
    }
    return bytes;
  }

  #node(
    { layout: { geometry } }: Parameters<PieceHasher["measure"]>[0],
    piece: number,
    bytes: Uint8Array,
  ): Uint8Array {
    const { pieceLength } = geometry;
    const file = geometry.files[geometry.fileAt(piece * pieceLength)]!;
    return nodeOf(bytes, { pieceLength, alone: file.length <= pieceLength });
  }
}

function refusal(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}
