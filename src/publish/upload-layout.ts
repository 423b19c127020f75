import { invariant } from "../base/errors.ts";
import type { Geometry } from "../base/geometry.ts";

/**
 * Maps the bytes of an upload. The upload contains all real files one after the other, without the padding and gaps
 * of the torrent's space. Padding only ever ends a piece, so each piece is one run of the upload.
 */
export class UploadLayout {
  readonly geometry: Geometry;
  /** Offset in the upload of each piece; one more entry for the end. */
  readonly #starts: Float64Array;

  constructor(geometry: Geometry) {
    this.geometry = geometry;
    this.#starts = new Float64Array(geometry.pieceCount + 1);
    let offset = 0;
    for (let piece = 0; piece < geometry.pieceCount; piece += 1) {
      this.#starts[piece] = offset;
      offset += geometry.requestSize(piece);
    }
    this.#starts[geometry.pieceCount] = offset;
    invariant(offset === geometry.dataLength, "every real byte belongs to one piece");
  }

  /** Bytes of the upload. */
  get size(): number {
    return this.geometry.dataLength;
  }

  /** Offset in the upload of the first byte of `piece`; the end for one past the last. */
  start(piece: number): number {
    const start = this.#starts[piece];
    invariant(start !== undefined, "pieces are counted by the geometry");
    return start;
  }

  /** The piece that the byte at `offset` belongs to; the number of pieces at the end. */
  pieceAt(offset: number): number {
    let low = 0;
    let high = this.geometry.pieceCount;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.start(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
