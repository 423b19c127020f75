import { Bitfield } from "../base/bitfield.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Content, DiskFailure, FileStamp } from "../ports/content.ts";
import { judgeDisk } from "./content-layout.ts";
import type { ResumeState } from "./session-contract.ts";

/** A folder that cannot even be looked at is looked at again after this. */
const RETRY_MS = 5_000;

/** What was found on disk. */
export interface OpenedContent {
  readonly have: Bitfield;
  /** Pieces that need no judging before they are served. */
  readonly judged: Bitfield;
  readonly partial: ResumeState["partial"];
  /** How the files looked. */
  readonly stamps: readonly FileStamp[];
  /** True when pieces were read and judged: what the last resume says is not all. */
  readonly checked: boolean;
}

export interface ContentOpeningOptions {
  readonly info: TorrentInfo;
  readonly content: Content;
  readonly clock: Clock;
  readonly resume: ResumeState | undefined;
  readonly mode: "download" | "seed";
  readonly resumeIntervalMs: number;
  readonly onProgress: (piecesChecked: number, piecesTotal: number) => void;
  /** It is tried again by itself. */
  readonly onFailure: (failure: DiskFailure) => void;
  readonly onOpened: (opened: OpenedContent) => void;
}

/** Finds out what of a torrent is on disk: by its resume where that is to be believed, else by hashing. */
export class ContentOpening {
  readonly #options: ContentOpeningOptions;
  #cancelCheck: (() => void) | undefined;
  #retry: Timer | undefined;
  #cancelled = false;

  constructor(options: ContentOpeningOptions) {
    this.#options = options;
    this.#look();
  }

  /** Nothing is called back afterwards. */
  cancel(): void {
    this.#cancelled = true;
    this.#retry?.cancel();
    this.#cancelCheck?.();
  }

  #look(): void {
    const { content, clock, onFailure } = this.#options;
    content.stamp((stamps) => {
      if (this.#cancelled) return;
      if (!("kind" in stamps)) {
        this.#judge(stamps);
        return;
      }
      onFailure(stamps);
      this.#retry = clock.startTimer(RETRY_MS, () => this.#look());
    });
  }

  #judge(stamps: readonly FileStamp[]): void {
    const { info, content, mode, resumeIntervalMs } = this.#options;
    const { pieceCount } = info.geometry;
    const { have, judged, doubtful, partial } = judgeDisk({
      info,
      stamps,
      resume: fittingResume(this.#options.resume, info),
      mode,
      resumeIntervalMs,
      empty: () => new Bitfield(pieceCount),
    });
    const total = doubtful.count;
    const finish = (): void =>
      this.#options.onOpened({ have, judged, partial, stamps, checked: total > 0 });
    if (total === 0) {
      finish();
      return;
    }
    let checked = 0;
    this.#cancelCheck = content.check({
      pieces: doubtful,
      onPiece: (piece, intact) => {
        checked += 1;
        if (intact) {
          have.add(piece);
          judged.add(piece);
        }
        if (!this.#cancelled) this.#options.onProgress(checked, total);
      },
      // What could not be read is simply not there; the download will meet the same disk.
      onDone: () => {
        if (!this.#cancelled) finish();
      },
    });
  }
}

function fittingResume(
  resume: ResumeState | undefined,
  info: TorrentInfo,
): ResumeState | undefined {
  if (!resume || resume.have.length !== info.geometry.pieceCount) return undefined;
  return resume.stamps.length === info.files.length ? resume : undefined;
}
