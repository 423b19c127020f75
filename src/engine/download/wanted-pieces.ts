import { Bitfield } from "../../base/bitfield.ts";
import type { Geometry } from "../../base/geometry.ts";
import type { FetchOrder } from "../fetch-order.ts";
import { PRIORITY_NORMAL } from "../picker/piece-picker.ts";
import { pieceLevels } from "./piece-levels.ts";

/** Pieces from `first` to before `end`. */
export interface PieceRange {
  readonly first: number;
  readonly end: number;
}

export interface WantedPiecesOptions {
  readonly geometry: Geometry;
  /** Owned by the caller, who reports changes. */
  readonly have: Bitfield;
  /** Whether a piece can be judged: for v2, whether its hash is known. */
  readonly hashes: { readonly complete: boolean; known(piece: number): boolean };
}

/** The files and pieces of a torrent that are wanted, and how many bytes of them we have and lack. */
export class WantedPieces {
  readonly #options: WantedPiecesOptions;
  /** All files when not given. */
  #files: readonly boolean[] | undefined;
  #order: FetchOrder = {};
  #pieces: Bitfield;
  /** The priority of each piece of a wanted file; `undefined` when all are normal. */
  #levels: Uint8Array | undefined;
  /** The pieces that readers need, by reader; their files may not be wanted. */
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
      // Padding follows the file before it: it makes no piece of an unwanted one wanted.
      if (!wanted || geometry.files[index]!.pad) continue;
      const { first, end } = geometry.filePieces(index);
      for (let piece = first; piece < end; piece += 1) this.#pieces.add(piece);
    }
    this.setOrder(this.#order);
    this.recount();
  }

  /** What comes first of the wanted files. O(pieces). */
  setOrder(order: FetchOrder): void {
    this.#order = order;
    this.#levels = pieceLevels(this.#options.geometry, order, (index) => this.wantsFile(index));
  }

  /** A reader reads these pieces. @returns Those that were not wanted before. */
  addRead(reader: number, range: PieceRange): number[] {
    const added = this.#unwantedOf(range);
    this.#reads.set(reader, range);
    for (const piece of added) if (!this.#options.hashes.known(piece)) this.#unknownCount += 1;
    return added;
  }

  /** The reader stops. @returns The pieces that are no longer wanted. */
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

  /** For the picker. A piece that cannot be judged yet is not requested (v2 without its layer). */
  priorities(): Uint8Array {
    const priorities = new Uint8Array(this.#options.geometry.pieceCount);
    const { hashes } = this.#options;
    for (const piece of this.#pieces.indexes()) {
      if (hashes.known(piece)) priorities[piece] = this.#levelOf(piece);
    }
    for (const { first, end } of this.#reads.values()) {
      for (let piece = first; piece < end; piece += 1) {
        if (priorities[piece] === 0 && hashes.known(piece)) priorities[piece] = PRIORITY_NORMAL;
      }
    }
    return priorities;
  }

  /** The same for one piece. */
  priority(piece: number): number {
    if (!this.isWanted(piece)) return 0;
    return this.#pieces.has(piece) ? this.#levelOf(piece) : PRIORITY_NORMAL;
  }

  #levelOf(piece: number): number {
    return this.#levels?.[piece] ?? PRIORITY_NORMAL;
  }

  /** True when some wanted pieces cannot be judged yet. */
  get lacksHashes(): boolean {
    return this.#unknownCount > 0;
  }

  /** The hash of a piece became known. @returns Whether the piece is wanted. */
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
