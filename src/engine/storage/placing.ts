import { Bitfield } from "../../base/bitfield.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { FilePlaces, PieceJudge } from "../../ports/content.ts";
import type { OutputQueue } from "../sharing/output-queue.ts";
import type { FilesOutput } from "./files-output.ts";

export interface PlacingOptions {
  readonly info: TorrentInfo;
  readonly places: Pick<FilePlaces, "setWanted">;
  readonly judge: Pick<PieceJudge, "check">;
  readonly have: Bitfield;
  readonly outputs: OutputQueue<FilesOutput>;
}

/** The wanted files, and which of them were not wanted before. */
interface Goal {
  readonly wanted: readonly boolean[];
  readonly added: ReadonlySet<number>;
}

/**
 * Moves newly wanted files to their places. They take their ends out of the part file, which cannot tell zeros from
 * missing data, nor whether it is still the file that we wrote: ends that are not in it are downloaded again.
 */
export class Placing {
  readonly #options: PlacingOptions;
  /** The move in progress, or the one that waits for `again` after a failure. */
  #goal: Goal | undefined;

  constructor(options: PlacingOptions) {
    this.#options = options;
  }

  get isUnderWay(): boolean {
    return this.#goal !== undefined;
  }

  /** Ends with `placed`, or with a failure of the disk; call `again` after that. */
  begin(wanted: readonly boolean[], added: Iterable<number>): void {
    this.#goal = { wanted, added: new Set([...(this.#goal?.added ?? []), ...added]) };
    this.#place(this.#goal);
  }

  /** The disk accepts bytes again. */
  again(): void {
    if (this.#goal) this.#place(this.#goal);
  }

  #place(goal: Goal): void {
    const { places, outputs } = this.#options;
    places.setWanted(goal.wanted, (moved) => {
      if (this.#goal !== goal) return;
      if (moved.kind === "failure") outputs.push({ kind: "refused", failure: moved });
      else this.#judgeEnds(goal);
    });
  }

  #judgeEnds(goal: Goal): void {
    const { info, judge, have, outputs } = this.#options;
    const ends = new Bitfield(info.geometry.pieceCount);
    for (const index of goal.added) {
      const { first, end } = info.geometry.filePieces(index);
      if (have.has(first)) ends.add(first);
      if (have.has(end - 1)) ends.add(end - 1);
    }
    judge.check({
      pieces: ends,
      onPiece: (piece, isIntact) => {
        if (!isIntact) outputs.push({ kind: "damaged", piece });
      },
      onDone: (outcome) => {
        if (this.#goal !== goal) return;
        if (outcome.kind === "failure") {
          outputs.push({ kind: "refused", failure: outcome });
          return;
        }
        this.#goal = undefined;
        outputs.push({ kind: "placed" });
      },
    });
  }
}
