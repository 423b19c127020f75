import { invariant } from "../../base/errors.ts";
import { StartedPiece } from "./started-piece.ts";

/** Finished `StartedPiece` objects kept for the next pieces. */
const SPARE_MAX = 64;

/** All pieces between opening and verdict, and the list of those with free blocks. */
export class StartedPieces {
  readonly #blocksMax: number;
  readonly #byPiece = new Map<number, StartedPiece>();
  readonly #open: StartedPiece[] = [];
  readonly #spare: StartedPiece[] = [];
  #uses = 0;

  /** @param blocksMax - Blocks of the longest piece. */
  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax;
  }

  /** Pieces with free blocks, in no order. */
  get open(): readonly StartedPiece[] {
    return this.#open;
  }

  /** In the order they were opened. */
  all(): MapIterator<StartedPiece> {
    return this.#byPiece.values();
  }

  get(piece: number): StartedPiece | undefined {
    return this.#byPiece.get(piece);
  }

  start(piece: number, blockCount: number): StartedPiece {
    invariant(!this.#byPiece.has(piece), "a piece is opened once");
    const started = this.#spare.pop() ?? new StartedPiece(this.#blocksMax);
    started.open(piece, blockCount);
    this.#byPiece.set(piece, started);
    this.touch(started);
    this.update(started);
    return started;
  }

  end(started: StartedPiece): void {
    this.#byPiece.delete(started.piece);
    started.free = 0;
    this.update(started);
    if (this.#spare.length < SPARE_MAX) this.#spare.push(started);
  }

  touch(started: StartedPiece): void {
    this.#uses += 1;
    started.touched = this.#uses;
  }

  /** Call this after every change of a piece's free blocks. */
  update(started: StartedPiece): void {
    const isOpen = started.openIndex >= 0;
    if (started.free > 0 === isOpen) return;
    if (!isOpen) {
      started.openIndex = this.#open.length;
      this.#open.push(started);
      return;
    }
    const last = this.#open.pop()!;
    if (last !== started) {
      this.#open[started.openIndex] = last;
      last.openIndex = started.openIndex;
    }
    started.openIndex = -1;
  }
}
