import { Bitfield } from "../base/bitfield.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Content, DiskFailure, FileStamp } from "../ports/content.ts";

/** A disk that refused is tried again after this. */
const RETRY_MS = 5_000;

export interface DiskRecoveryOptions {
  readonly info: TorrentInfo;
  /** Absolute folder of the torrent's files. */
  readonly root: string;
  readonly content: Content;
  readonly have: Bitfield;
  /** How the files looked when all of them was durable, if that is known. */
  readonly known: readonly FileStamp[] | undefined;
  readonly wantsFile: (index: number) => boolean;
  readonly nowMs: () => number;
  /** It refuses still, perhaps for another reason. */
  readonly onStill: (failure: DiskFailure) => void;
  /** Files are back that were gone: what lay in memory or on disk of their unfinished pieces is void. */
  readonly onReturned: (pieces: Bitfield) => void;
  /** Pieces of files that are back have been judged. */
  readonly onJudged: (intact: Bitfield, corrupt: Bitfield) => void;
  readonly onBack: () => void;
}

/**
 * What happens to a torrent whose disk refused: when to try again, and what of its files is to be believed
 * then. A file that vanished is waited for, as a new one in its place would pass for it; when it is back, its
 * pieces are judged anew, unless it is the very same file (STO-5).
 *
 * well -> waiting -> looking -> (judging ->) well; looking -> waiting.
 */
export class DiskRecovery {
  readonly #options: DiskRecoveryOptions;
  /** Files that have to be back before anything goes on; those not `sure` may never have been there. */
  readonly #gone = new Map<number, { readonly sure: boolean }>();
  #known: readonly FileStamp[] | undefined;
  #stage: "well" | "waiting" | "looking" = "well";
  #retryAtMs = 0;
  #failures = 0;
  #cancelled = false;

  constructor(options: DiskRecoveryOptions) {
    this.#options = options;
    this.#known = options.known;
  }

  /** This is how the files look now that all of them is durable. */
  remember(stamps: readonly FileStamp[]): void {
    if (this.#stage === "well") this.#known = stamps;
  }

  handleFailure(failure: DiskFailure): void {
    this.#failures += 1;
    if (isMissing(failure)) this.#findGone(failure);
    if (this.#stage === "well") this.#wait();
  }

  /** These files are not there; their pieces are not claimed any more. */
  handleGone(files: readonly number[]): void {
    for (const index of files) this.#gone.set(index, { sure: true });
    this.handleFailure(missing(this.#pathOf(files[0]!)));
    this.#options.onStill(missing(this.#pathOf(files[0]!)));
  }

  tick(now: number): void {
    if (this.#stage === "waiting" && now >= this.#retryAtMs) this.#look();
  }

  /** Nothing is called back afterwards. */
  cancel(): void {
    this.#cancelled = true;
  }

  #wait(): void {
    this.#stage = "waiting";
    this.#retryAtMs = this.#options.nowMs() + RETRY_MS;
  }

  #still(failure: DiskFailure): void {
    this.#wait();
    this.#options.onStill(failure);
  }

  /** Who else is gone with the file, or the folder, that was missed. */
  #findGone({ path }: DiskFailure): void {
    const { content, info, have } = this.#options;
    content.stamp((stamps) => {
      if (this.#cancelled) return;
      for (const [index, file] of info.files.entries()) {
        // What we have of unwanted files is in the part file.
        if (file.pad || file.length === 0 || !this.#options.wantsFile(index)) continue;
        // Without a root nothing is there.
        const rootless = "kind" in stamps;
        if (!rootless && stamps[index]!.size >= 0) continue;
        const sure = path === this.#pathOf(index) || (this.#known?.[index]?.size ?? -1) >= 0;
        const { first, end } = info.geometry.filePieces(index);
        // A piece that it shares with another file does not make a file either.
        if (sure || (rootless && hasAny(have, first, end))) this.#gone.set(index, { sure });
      }
    });
  }

  #look(): void {
    const { content } = this.#options;
    const failures = this.#failures;
    this.#stage = "looking";
    content.stamp((stamps) => {
      if (this.#cancelled) return;
      if ("kind" in stamps) {
        this.#still(stamps);
        return;
      }
      for (const [index, { sure }] of this.#gone) {
        if (stamps[index]!.size >= 0) continue;
        if (sure) {
          this.#still(missing(this.#pathOf(index)));
          return;
        }
        this.#gone.delete(index);
      }
      this.#judgeReturned(stamps, () => this.#prove(failures));
    });
  }

  #judgeReturned(stamps: readonly FileStamp[], onDone: () => void): void {
    const { content, info, have } = this.#options;
    if (this.#gone.size === 0) {
      onDone();
      return;
    }
    const returned = new Bitfield(info.geometry.pieceCount);
    const doubtful = new Bitfield(info.geometry.pieceCount);
    for (const index of this.#gone.keys()) {
      const same = this.#known?.[index]?.inode === stamps[index]!.inode;
      const { first, end } = info.geometry.filePieces(index);
      for (let piece = first; piece < end; piece += 1) {
        returned.add(piece);
        if (!same || !have.has(piece)) doubtful.add(piece);
      }
    }
    this.#options.onReturned(returned);
    const intact = new Bitfield(info.geometry.pieceCount);
    content.check({
      pieces: doubtful,
      onPiece: (piece, isIntact) => {
        if (!isIntact) return;
        intact.add(piece);
        doubtful.delete(piece);
      },
      onDone: () => {
        if (this.#cancelled) return;
        this.#gone.clear();
        this.#options.onJudged(intact, doubtful);
        onDone();
      },
    });
  }

  /** What could not be made durable before must be now, or it would be claimed all the same. */
  #prove(failures: number): void {
    this.#options.content.sync((outcome) => {
      if (this.#cancelled) return;
      if (outcome.kind === "failure") {
        this.handleFailure(outcome);
        this.#still(outcome);
      } else if (this.#failures !== failures) {
        this.#wait();
      } else {
        this.#stage = "well";
        this.#options.onBack();
      }
    });
  }

  #pathOf(file: number): string {
    return `${this.#options.root}/${this.#options.info.files[file]!.path.join("/")}`;
  }
}

function isMissing({ code }: DiskFailure): boolean {
  return code === "ENOENT" || code === "ENOTDIR";
}

function missing(path: string): DiskFailure {
  return { kind: "failure", code: "ENOENT", message: `${path} is not there`, path };
}

function hasAny(have: Bitfield, first: number, end: number): boolean {
  for (let piece = first; piece < end; piece += 1) if (have.has(piece)) return true;
  return false;
}
