import { invariant } from "./errors.ts";

/** Bytes requested from a peer at once, 16 KiB (BEP 3); the last block of a piece may be shorter. */
export const BLOCK_BYTES = 16_384;

/** Where one file lies in the torrent's space of bytes. */
export interface FileExtent {
  /** Bytes from the start of the torrent's space. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
  /** A padding file (BEP 47): zeros that are never on disk and never requested. */
  readonly pad: boolean;
}

/** A run of bytes inside one file. */
export interface FileSpan {
  /** Index into `Geometry.files`. */
  readonly file: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly length: number;
}

/**
 * The arithmetic of one torrent: pieces, blocks and files in one space of bytes. v1 and hybrid
 * torrents fill that space with files and padding files; in a v2-only torrent every file starts on
 * a piece border and the space between is a gap that belongs to no file (`aligned`).
 */
export class Geometry {
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** End of the space in bytes, padding and gaps included. */
  readonly spaceLength: number;
  /** Bytes of all real files. */
  readonly dataLength: number;
  readonly files: readonly FileExtent[];
  readonly aligned: boolean;

  /** @param files - Ordered by offset, without overlap. */
  constructor(options: { pieceLength: number; files: readonly FileExtent[]; aligned: boolean }) {
    this.pieceLength = options.pieceLength;
    this.files = options.files;
    this.aligned = options.aligned;
    const last = options.files.findLast((file) => file.length > 0);
    this.spaceLength = last ? last.offset + last.length : 0;
    this.pieceCount = Math.ceil(this.spaceLength / this.pieceLength);
    let dataLength = 0;
    for (const file of options.files) if (!file.pad) dataLength += file.length;
    this.dataLength = dataLength;
  }

  /** Bytes the piece's v1 hash covers, padding included; in a v2-only torrent, the bytes of its file. */
  pieceSize(piece: number): number {
    const start = piece * this.pieceLength;
    return this.aligned
      ? this.dataSize(piece)
      : Math.min(this.pieceLength, this.spaceLength - start);
  }

  /** Bytes that are requested from peers: up to the last byte that is not padding. */
  requestSize(piece: number): number {
    const start = piece * this.pieceLength;
    let end = start + this.pieceSize(piece);
    for (let index = this.fileAt(end - 1); end > start; index -= 1) {
      const file = this.files[index]!;
      if (file.length === 0) continue;
      if (!file.pad) break;
      end = file.offset;
    }
    return Math.max(0, end - start);
  }

  /** Bytes of the file in a piece of a v2 or hybrid torrent. Such a piece holds one file only. */
  dataSize(piece: number): number {
    const start = piece * this.pieceLength;
    const file = this.files[this.fileAt(start)]!;
    return Math.min(this.pieceLength, file.offset + file.length - start);
  }

  /** Leaves of the subtree whose node covers this piece (BEP 52): the whole tree for a small file. */
  leafWidth(piece: number): number {
    const file = this.files[this.fileAt(piece * this.pieceLength)]!;
    const covered = Math.min(file.length, this.pieceLength);
    let width = 1;
    while (width * BLOCK_BYTES < covered) width *= 2;
    return width;
  }

  /** Blocks that are requested for this piece. */
  blockCount(piece: number): number {
    return Math.ceil(this.requestSize(piece) / BLOCK_BYTES);
  }

  /** Bytes of one block of a piece. */
  blockSize(piece: number, block: number): number {
    return Math.min(BLOCK_BYTES, this.requestSize(piece) - block * BLOCK_BYTES);
  }

  /** Index of the last file that starts at or before `offset` and is not empty; 0 when none. */
  fileAt(offset: number): number {
    let low = 0;
    let high = this.files.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.files[middle]!.offset <= offset) low = middle;
      else high = middle - 1;
    }
    // An empty file shares its offset with the file after it; the bytes belong to the latter.
    while (low > 0 && this.files[low]!.length === 0) low -= 1;
    return low;
  }

  /** The runs of file bytes (padding included) covered by `length` bytes at `offset` of the space, in order. */
  spans(offset: number, length: number): FileSpan[] {
    const spans: FileSpan[] = [];
    const end = offset + length;
    for (let index = this.fileAt(offset); index < this.files.length; index += 1) {
      const file = this.files[index]!;
      if (file.offset >= end) break;
      const from = Math.max(offset, file.offset);
      const to = Math.min(end, file.offset + file.length);
      if (to > from) spans.push({ file: index, offset: from - file.offset, length: to - from });
    }
    return spans;
  }

  /** First and one-past-last piece that hold bytes of a file; equal for an empty file. */
  filePieces(file: number): { first: number; end: number } {
    const extent = this.files[file];
    invariant(extent, "file indexes come from this geometry");
    const first = Math.floor(extent.offset / this.pieceLength);
    if (extent.length === 0) return { first, end: first };
    return { first, end: Math.ceil((extent.offset + extent.length) / this.pieceLength) };
  }
}
