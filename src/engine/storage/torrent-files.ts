import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DiskFailure, OpenContent } from "../../ports/content.ts";
import type { OpenedContent } from "./opening.ts";
import { DiskRecovery } from "./disk-recovery.ts";
import { StoreRecovery } from "./store-recovery.ts";
import { FinishedFiles } from "./finished-files.ts";
import type { ExistingFiles } from "../existing-files.ts";
import { ResumeKeeper } from "./resume-keeper.ts";
import type { AddTorrent, TorrentState } from "../session-contract.ts";
import type { Transfer } from "../torrent/transfer.ts";

export interface TorrentFilesOptions {
  readonly info: TorrentInfo;
  readonly content: OpenContent;
  readonly opened: OpenedContent;
  /** What unfinished files end in; `undefined` when they have their names from the start. */
  readonly unfinishedSuffix: string | undefined;
  readonly transfer: Transfer;
  readonly add: AddTorrent;
  readonly existing: ExistingFiles;
  readonly clock: Clock;
  readonly resumeIntervalMs: number;
  /** Bytes of blocks since the torrent was first added. */
  readonly transferred: () => { readonly uploaded: number; readonly downloaded: number };
  /** The disk refuses; to be handed to `handleFailure`, as those that others meet. */
  readonly onFailure: (failure: DiskFailure) => void;
  /** It refuses still, perhaps for another reason. */
  readonly onStill: (failure: DiskFailure) => void;
  /** The disk takes bytes again, and what can be relied on is known. */
  readonly onBack: () => void;
}

/** The files of an open torrent: what of them is saved as a resume, and what happens when the disk refuses. */
export class TorrentFiles {
  readonly #options: TorrentFilesOptions;
  /** `undefined` when nobody but us can change what is stored. */
  readonly #watched: DiskRecovery | undefined;
  readonly #recovery: DiskRecovery | StoreRecovery;
  /** `undefined` when nobody wants resumes. */
  readonly #resume: ResumeKeeper | undefined;
  /** `undefined` when files have their names from the start. */
  readonly #finished: FinishedFiles | undefined;
  #lacksEmptyFiles: boolean;

  constructor(options: TorrentFilesOptions) {
    this.#options = options;
    this.#watched = this.#makeWatched();
    this.#recovery = this.#watched ?? this.#makeRecovery();
    this.#resume = this.#makeResume();
    this.#finished = this.#makeFinished();
    if (options.opened.checked) this.#resume?.touch();
    // A download that is killed soon knows its files again, which tells them from those of others.
    if (options.add.mode === "download") this.#resume?.hurry();
    this.#lacksEmptyFiles = options.add.mode === "download";
    this.#createEmpty();
  }

  handleFailure(failure: DiskFailure): void {
    this.#recovery.handleFailure(failure);
  }

  /** These files, of which pieces were had, are not there. */
  handleGone(files: readonly number[]): void {
    this.#watched?.handleGone(files);
  }

  /** There is something to save. */
  touch(): void {
    this.#resume?.touch();
  }

  handlePiece(piece: number): void {
    this.touch();
    this.#finished?.handlePiece(piece);
  }

  /** Others are wanted. */
  handleWanted(): void {
    this.touch();
    this.#finished?.handleChange();
  }

  /** True when whole files may not have their names yet. */
  get mayBeUnnamed(): boolean {
    return this.#finished !== undefined;
  }

  /** Everything is judged: tells when all of it is seen to be at its place, which may be after a recovery. */
  confirm(onThere: () => void): void {
    this.#recovery.confirm(() => this.name(onThere));
  }

  /** Gives whole files their names. Tells nothing when the disk refuses; then a recovery follows. */
  name(onNamed: () => void): void {
    if (!this.#finished) onNamed();
    else this.#finished.finish((done) => done && onNamed());
  }

  tick(now: number): void {
    this.#recovery.tick(now);
    this.#finished?.tick(now);
    this.#resume?.tick(now);
  }

  /** A refusal is not waited off any more. */
  cancel(): void {
    this.#recovery.cancel();
  }

  /** Saves the last resume. */
  async finish(): Promise<void> {
    const finished = this.#finished;
    if (finished) await new Promise((done) => finished.finish(done));
    finished?.cancel();
    await this.#resume?.finish();
  }

  #createEmpty(): void {
    if (!this.#lacksEmptyFiles) return;
    this.#options.content.places?.createEmpty((outcome) => {
      if (outcome.kind === "done") this.#lacksEmptyFiles = false;
      else this.#options.onFailure(outcome);
    });
  }

  #makeRecovery(): StoreRecovery {
    const { content, clock, onStill } = this.#options;
    return new StoreRecovery({
      bytes: content.bytes,
      nowMs: () => clock.nowMs(),
      onStill,
      onBack: () => this.#handleBack(),
    });
  }

  #makeWatched(): DiskRecovery | undefined {
    const { info, content, opened, transfer, add, clock, onFailure, onStill } = this.#options;
    const { bytes, judge, watch, places } = content;
    const { existing } = this.#options;
    if (!watch) return undefined;
    return new DiskRecovery({
      info,
      root: add.root,
      unfinishedSuffix: this.#options.unfinishedSuffix,
      bytes,
      judge,
      watch,
      claims: existing === "own" || existing === "untouched" ? undefined : places,
      have: opened.have,
      found: opened.stamps,
      known: add.resume?.stamps,
      wantsFile: (index) => transfer.download.wantsFile(index),
      isComplete: () => transfer.download.complete,
      nowMs: () => clock.nowMs(),
      onFailure,
      onStill,
      onReturned: (pieces) => transfer.handleReturned(pieces),
      onJudged: (intact, corrupt) => transfer.handleJudged(intact, corrupt),
      onBack: () => this.#handleBack(),
    });
  }

  #handleBack(): void {
    this.#createEmpty();
    this.#finished?.handleChange();
    this.#options.onBack();
  }

  #makeFinished(): FinishedFiles | undefined {
    const { info, content, opened, transfer, unfinishedSuffix, onFailure } = this.#options;
    const { bytes, places } = content;
    if (unfinishedSuffix === undefined || !places) return undefined;
    return new FinishedFiles({
      info,
      bytes,
      places,
      have: opened.have,
      wantsFile: (index) => transfer.download.wantsFile(index),
      intervalMs: this.#options.resumeIntervalMs,
      onNamed: () => this.touch(),
      onFailure,
    });
  }

  #makeResume(): ResumeKeeper | undefined {
    const { content, opened, transfer, add, clock, transferred, onFailure } = this.#options;
    const { saveResume } = add;
    return (
      saveResume &&
      new ResumeKeeper({
        bytes: content.bytes,
        watch: content.watch,
        clock,
        intervalMs: this.#options.resumeIntervalMs,
        collect: () => ({
          have: opened.have.clone(),
          partial: transfer.download.partial(),
          ...transferred(),
        }),
        isAtPlace: (stamps) => this.#recovery.remember(stamps),
        save: (resume) => void saveResume(resume),
        onFailure,
      })
    );
  }
}

/** What the torrent is doing while the disk refuses. */
export function waitingFor(failure: DiskFailure): Extract<TorrentState, { kind: "waiting" }> {
  const { code, message } = failure;
  const full = code === "ENOSPC" || code === "EDQUOT";
  const cause = full ? "disk-full" : code === "EEXIST" ? "foreign-files" : "disk-error";
  return { kind: "waiting", cause, message };
}
