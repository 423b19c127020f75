import { Bitfield } from "../../base/bitfield.ts";
import type { Geometry } from "../../base/geometry.ts";
import { PRIORITY_NORMAL } from "../picker/piece-picker.ts";

/** Pieces from `first` up to, and without, `end`. */
export interface PieceRange {
  readonly first: number;
  readonly end: number;
}

export interface WantedPiecesOptions {
  readonly geometry: Geometry;
  /** Kept by its owner, who tells of changes. */
  readonly have: Bitfield;
  /** Whether a piece can be judged: for v2, whether its hash is here. */
  readonly hashes: { readonly complete: boolean; known(piece: number): boolean };
}

/** Which files and pieces a person wants of a torrent, and how many bytes of them are had and missing. */
export class WantedPieces {
  readonly #options: WantedPiecesOptions;
  /** All when it is not said. */
  #files: readonly boolean[] | undefined;
  #pieces: Bitfield;
  /** What readers need, by reader; of files that may not be wanted. */
  readonly #reads = new Map<number, PieceRange>();
  #wantedBytes = 0;
  #doneBytes = 0;
  #haveBytes = 0;
  /** Wanted pieces that cannot be judged yet. */
  #unknownCount = 0;

  constructor(options: WantedPiecesOptions) {
    this.#options = options;
    this.#pieces = new Bitfield(options.geometry.pieceCount);
    this.#pieces.fill();
    this.recount();
  }

  get wantedBytes(): number {
    return this.#wantedBytes;
  }

  get doneBytes(): number {
    return this.#doneBytes;
  }

  /** Bytes missing of everything, wanted or not. */
  get left(): number {
    return this.#options.geometry.dataLength - this.#haveBytes;
  }

  wantsFile(index: number): boolean {
    return this.#files?.[index] !== false;
  }

  setFiles(files: readonly boolean[]): void {
    const { geometry } = this.#options;
    this.#files = files;
    this.#pieces = new Bitfield(geometry.pieceCount);
    for (const [index, wanted] of files.entries()) {
      if (!wanted) continue;
      const { first, end } = geometry.filePieces(index);
      for (let piece = first; piece < end; piece += 1) this.#pieces.add(piece);
    }
    this.recount();
  }

  /** Somebody reads these pieces. @returns Those of them that nobody wanted before. */
  addRead(reader: number, range: PieceRange): number[] {
    const added = this.#unwantedOf(range);
    this.#reads.set(reader, range);
    for (const piece of added) if (!this.#options.hashes.known(piece)) this.#unknownCount += 1;
    return added;
  }

  /** Reads no more. @returns The pieces that nobody wants now. */
  removeRead(reader: number): number[] {
    const range = this.#reads.get(reader);
    if (!range) return [];
    this.#reads.delete(reader);
    const removed = this.#unwantedOf(range);
    for (const piece of removed) if (!this.#options.hashes.known(piece)) this.#unknownCount -= 1;
    return removed;
  }

  /** The piece is wanted and can be judged: peers may be asked for it. */
  isWanted(piece: number): boolean {
    return this.#wants(piece) && this.#options.hashes.known(piece);
  }

  /** For the picker. A piece nobody can judge yet is not asked for (v2 without its layer). */
  priorities(): Uint8Array {
    const priorities = new Uint8Array(this.#options.geometry.pieceCount);
    const { hashes } = this.#options;
    for (const piece of this.#pieces.indexes()) {
      if (hashes.known(piece)) priorities[piece] = PRIORITY_NORMAL;
    }
    for (const { first, end } of this.#reads.values()) {
      for (let piece = first; piece < end; piece += 1) {
        if (hashes.known(piece)) priorities[piece] = PRIORITY_NORMAL;
      }
    }
    return priorities;
  }

  /** Pieces are wanted that cannot be judged yet. */
  get lacksHashes(): boolean {
    return this.#unknownCount > 0;
  }

  /** The hash of a piece, which was not here before, is. @returns Whether the piece is wanted. */
  handleKnown(piece: number): boolean {
    const wanted = this.#wants(piece);
    if (wanted) this.#unknownCount -= 1;
    return wanted;
  }

  handleHad(piece: number): void {
    this.#count(piece, 1);
  }

  handleLost(piece: number): void {
    this.#count(piece, -1);
  }

  /** O(pieces). */
  recount(): void {
    const { geometry, have, hashes } = this.#options;
    this.#wantedBytes = 0;
    this.#doneBytes = 0;
    this.#haveBytes = 0;
    this.#unknownCount = 0;
    for (const piece of this.#pieces.indexes()) {
      this.#wantedBytes += geometry.requestSize(piece);
      if (!hashes.known(piece)) this.#unknownCount += 1;
    }
    const readAlone = new Set<number>();
    for (const { first, end } of this.#reads.values()) {
      for (let piece = first; piece < end; piece += 1) {
        if (!this.#pieces.has(piece) && !hashes.known(piece)) readAlone.add(piece);
      }
    }
    this.#unknownCount += readAlone.size;
    for (const piece of have.indexes()) this.#count(piece, 1);
  }

  #unwantedOf({ first, end }: PieceRange): number[] {
    const unwanted: number[] = [];
    if (this.#files === undefined) return unwanted;
    for (let piece = first; piece < end; piece += 1) if (!this.#wants(piece)) unwanted.push(piece);
    return unwanted;
  }

  #wants(piece: number): boolean {
    if (this.#pieces.has(piece)) return true;
    for (const { first, end } of this.#reads.values())
      if (piece >= first && piece < end) return true;
    return false;
  }

  #count(piece: number, sign: 1 | -1): void {
    const bytes = sign * this.#options.geometry.requestSize(piece);
    this.#haveBytes += bytes;
    if (this.#pieces.has(piece)) this.#doneBytes += bytes;
  }
}
