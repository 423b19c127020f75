import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Content, DiskFailure } from "../../ports/content.ts";
import type { OpenedContent } from "./opening.ts";
import { DiskRecovery } from "./disk-recovery.ts";
import { FinishedFiles } from "./finished-files.ts";
import type { ExistingFiles } from "../existing-files.ts";
import { ResumeKeeper } from "./resume-keeper.ts";
import type { AddTorrent, TorrentState } from "../session-contract.ts";
import type { Transfer } from "../torrent/transfer.ts";

export interface TorrentFilesOptions {
  readonly info: TorrentInfo;
  readonly content: Content;
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
  readonly #recovery: DiskRecovery;
  /** `undefined` when nobody wants resumes. */
  readonly #resume: ResumeKeeper | undefined;
  /** `undefined` when files have their names from the start. */
  readonly #finished: FinishedFiles | undefined;
  #lacksEmptyFiles: boolean;

  constructor(options: TorrentFilesOptions) {
    this.#options = options;
    this.#recovery = this.#makeRecovery();
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
    this.#recovery.handleGone(files);
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
    this.#options.content.createEmpty((outcome) => {
      if (outcome.kind === "done") this.#lacksEmptyFiles = false;
      else this.#options.onFailure(outcome);
    });
  }

  #makeRecovery(): DiskRecovery {
    const options = this.#options;
    const { info, content, opened, transfer, add, clock, onFailure, onStill, onBack } = options;
    return new DiskRecovery({
      info,
      root: add.root,
      unfinishedSuffix: this.#options.unfinishedSuffix,
      content,
      claims: options.existing !== "own" && options.existing !== "untouched",
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
      onBack: () => {
        this.#createEmpty();
        this.#finished?.handleChange();
        onBack();
      },
    });
  }

  #makeFinished(): FinishedFiles | undefined {
    const { info, content, opened, transfer, unfinishedSuffix, onFailure } = this.#options;
    if (unfinishedSuffix === undefined) return undefined;
    return new FinishedFiles({
      info,
      content,
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
        content,
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
