import { Bitfield } from "../../base/bitfield.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { DiskFailure, FileStamp, FileWatch, OpenContent } from "../../ports/content.ts";
import { type DiskJudgement, judgeDiskInSteps, judgeUnwatched } from "../content-layout.ts";
import {
  claimFiles,
  type ExistingFiles,
  type FoundFiles,
  judgeExisting,
} from "../existing-files.ts";
import type { OutputQueue } from "../sharing/output-queue.ts";
import type { AddTorrent, ResumeState } from "../session-contract.ts";
import { isSameStamp } from "./disk-recovery.ts";
import { inSlices } from "./in-slices.ts";

/** A folder that cannot even be examined is tried again after this time. */
const RETRY_MS = 5_000;

/** What was found on disk. */
export interface OpenedContent {
  readonly have: Bitfield;
  /** Pieces that may be served without judging them first. */
  readonly judged: Bitfield;
  readonly partial: ResumeState["partial"];
  /** The stamps of the files; empty when the content has no watch. */
  readonly stamps: readonly FileStamp[];
  /** True when pieces were read and judged: then the last resume does not have all of it. */
  readonly checked: boolean;
}

/** Pieces that were judged from disk while the files had these stamps. */
interface FoundPieces {
  readonly stamps: readonly FileStamp[];
  readonly intact: Bitfield;
  readonly corrupt: Bitfield;
}

export interface OpeningOptions {
  readonly info: TorrentInfo;
  readonly content: Pick<OpenContent, "judge" | "watch" | "places">;
  readonly clock: Clock;
  readonly resume: ResumeState | undefined;
  readonly mode: "download" | "seed";
  readonly brought: ReadonlySet<number> | undefined;
  readonly root: string;
  readonly existing: ExistingFiles;
  readonly unfinishedSuffix: string | undefined;
  readonly wantedFiles: readonly boolean[] | undefined;
  readonly saveResume: AddTorrent["saveResume"];
  readonly resumeIntervalMs: number;
  /** Runs the callback as a burst of the torrent. */
  readonly burst: (run: () => void) => void;
  readonly outputs: OutputQueue<OpeningOutput>;
}

export type OpeningOutput =
  | { readonly kind: "checked"; readonly piecesChecked: number; readonly piecesTotal: number }
  /** The disk refuses. It is tried again automatically. */
  | { readonly kind: "refused"; readonly failure: DiskFailure }
  | { readonly kind: "opened"; readonly found: OpenedContent };

/** Finds out what is on disk of a torrent: from its resume where we can believe it, otherwise by hashing. */
export class Opening {
  readonly #options: OpeningOptions;
  #cancelJudging: (() => void) | undefined;
  #cancelCheck: (() => void) | undefined;
  #retry: Timer | undefined;
  #cancelled = false;
  /** The pieces that a check found before the disk refused. */
  #found: FoundPieces | undefined;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#look();
  }

  /** Nothing is reported afterwards. */
  cancel(): void {
    this.#cancelled = true;
    this.#retry?.cancel();
    this.#cancelJudging?.();
    this.#cancelCheck?.();
  }

  #look(): void {
    const { clock, content } = this.#options;
    const { watch } = content;
    if (!watch) {
      this.#retry = clock.startTimer(0, () => this.#judge([]));
      return;
    }
    watch.stamp((stamps) => {
      if (this.#cancelled) return;
      if ("kind" in stamps) this.#handleFailure(stamps);
      else this.#judge(stamps);
    });
  }

  #judge(stamps: readonly FileStamp[]): void {
    const { info, content, clock, mode, resumeIntervalMs } = this.#options;
    const { pieceCount } = info.geometry;
    const resume = fittingResume(this.#options.resume, info, stamps.length);
    const empty = (): Bitfield => new Bitfield(pieceCount);
    if (!content.watch) {
      this.#check(stamps, judgeUnwatched({ resume, mode, empty }), resume);
      return;
    }
    const judging = judgeDiskInSteps({
      info,
      stamps,
      resume,
      mode,
      brought: this.#options.brought,
      resumeIntervalMs,
      empty,
    });
    const check = (judgement: DiskJudgement): void => this.#check(stamps, judgement, resume);
    const judged = inSlices(clock, judging, check);
    if (judged.kind === "done") check(judged.result);
    else this.#cancelJudging = judged.cancel;
  }

  /** Reads pieces that we cannot believe by their files' stamps. */
  #check(
    stamps: readonly FileStamp[],
    { have, judged, doubtful, partial, ours }: DiskJudgement,
    resume: ResumeState | undefined,
  ): void {
    const { info, content } = this.#options;
    const { pieceCount } = info.geometry;
    const total = doubtful.count;
    const found = this.#foundAt(stamps, pieceCount);
    for (const piece of found.intact.indexes()) {
      if (!doubtful.delete(piece)) continue;
      have.add(piece);
      judged.add(piece);
    }
    for (const piece of found.corrupt.indexes()) doubtful.delete(piece);
    const opened = { have, judged, partial, stamps, checked: total > 0 };
    const finish = (): void => this.#claim(opened, ours, resume);
    if (doubtful.count === 0) {
      finish();
      return;
    }
    let checked = total - doubtful.count;
    this.#cancelCheck = content.judge.check({
      pieces: doubtful,
      onPiece: (piece, intact) => {
        checked += 1;
        (intact ? found.intact : found.corrupt).add(piece);
        if (intact) {
          have.add(piece);
          judged.add(piece);
        }
        this.#say({ kind: "checked", piecesChecked: checked, piecesTotal: total });
      },
      // A piece that could not be read may still be right.
      onDone: (outcome) => {
        if (this.#cancelled) return;
        if (outcome.kind === "failure") this.#handleFailure(outcome);
        else finish();
      },
    });
  }

  /** The judged pieces of files whose stamps have not changed since; nothing of other files. */
  #foundAt(stamps: readonly FileStamp[], pieceCount: number): FoundPieces {
    const known = this.#found;
    if (known?.stamps.every((stamp, index) => isSameStamp(stamp, stamps[index]!))) return known;
    const empty = (): Bitfield => new Bitfield(pieceCount);
    this.#found = { stamps, intact: empty(), corrupt: empty() };
    return this.#found;
  }

  /** Finds out which existing files we may write to, before we write to any. */
  #claim(opened: OpenedContent, ours: readonly boolean[], resume: ResumeState | undefined): void {
    const { info, content, root, existing, wantedFiles, mode } = this.#options;
    const { unfinishedSuffix } = this.#options;
    const { watch, places } = content;
    const nothingToClaim = existing === "own" || existing === "untouched" || !watch || !places;
    if (mode === "seed" || nothingToClaim) {
      this.#say({ kind: "opened", found: opened });
      return;
    }
    const { have, judged, stamps } = opened;
    const found: FoundFiles = {
      info,
      root,
      unfinishedSuffix,
      stamps,
      have,
      isOurs: (index) =>
        ours[index] === true || isChangedByOthers(info, index, { have, stamps, resume }),
      isWanted: (index) => wantedFiles?.[index] !== false,
    };
    const claims = judgeExisting(found);
    claimFiles(places, existing, { ...found, ...claims }, (outcome) => {
      if (this.#cancelled) return;
      if (outcome.kind === "failure") {
        this.#handleFailure(outcome);
        return;
      }
      if (existing === "set-aside") forget(info, claims.inTheWay, [have, judged]);
      if (claims.ours.length + claims.inTheWay.length > 0) this.#lookAgain(watch, opened);
      else this.#begin(opened);
    });
  }

  /** Files were copied, truncated or renamed. */
  #lookAgain(watch: FileWatch, opened: OpenedContent): void {
    watch.stamp((stamps) => {
      if (this.#cancelled) return;
      if ("kind" in stamps) this.#handleFailure(stamps);
      else this.#begin({ ...opened, stamps, checked: true });
    });
  }

  /** A resume of the existing data is saved before we write anything: whatever comes later is ours. */
  #begin(opened: OpenedContent): void {
    const { clock, resume, saveResume, burst } = this.#options;
    const { have, partial, stamps } = opened;
    const saved = saveResume?.({
      have: opened.judged.clone(),
      partial: partial.filter(({ piece }) => !have.has(piece)),
      stamps,
      savedAtMs: clock.wallMs(),
      clean: false,
      uploaded: resume?.uploaded ?? 0,
      downloaded: resume?.downloaded ?? 0,
    });
    const begin = (): void => this.#say({ kind: "opened", found: opened });
    if (saved) void saved.then(() => burst(begin));
    else begin();
  }

  #say(output: OpeningOutput): void {
    if (!this.#cancelled) this.#options.outputs.push(output);
  }

  #handleFailure(failure: DiskFailure): void {
    this.#say({ kind: "refused", failure });
    this.#retry = this.#options.clock.startTimer(RETRY_MS, () => this.#look());
  }
}

/** These files do not exist any more. */
function forget(info: TorrentInfo, files: readonly number[], sets: readonly Bitfield[]): void {
  for (const index of files) {
    if (info.files[index]!.length === 0) continue;
    const { first, end } = info.geometry.filePieces(index);
    for (let piece = first; piece < end; piece += 1) for (const set of sets) set.delete(piece);
  }
}

/** A file that somebody changed is still ours when a piece that the resume claimed in it is right. */
function isChangedByOthers(
  info: TorrentInfo,
  index: number,
  {
    have,
    stamps,
    resume,
  }: {
    readonly have: Bitfield;
    readonly stamps: readonly FileStamp[];
    readonly resume: ResumeState | undefined;
  },
): boolean {
  const then = resume?.stamps[index];
  if (!then || then.size <= 0 || then.inode !== stamps[index]!.inode) return false;
  const { first, end } = info.geometry.filePieces(index);
  for (let piece = first; piece < end; piece += 1) {
    if (resume.have.has(piece) && have.has(piece)) return true;
  }
  return false;
}

function fittingResume(
  resume: ResumeState | undefined,
  info: TorrentInfo,
  stampCount: number,
): ResumeState | undefined {
  if (!resume || resume.have.length !== info.geometry.pieceCount) return undefined;
  return resume.stamps.length === stampCount ? resume : undefined;
}
