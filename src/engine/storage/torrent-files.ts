import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DiskFailure, OpenContent } from "../../ports/content.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import { ChangeWatch } from "./change-watch.ts";
import type { OpenedContent } from "./opening.ts";
import { DiskRecovery } from "./disk-recovery.ts";
import type { DownloadView } from "./download-view.ts";
import type { FilesOutput } from "./files-output.ts";
import { Placing } from "./placing.ts";
import { StoreRecovery } from "./store-recovery.ts";
import { FinishedFiles } from "./finished-files.ts";
import type { ExistingFiles } from "../existing-files.ts";
import { ResumeKeeper } from "./resume-keeper.ts";
import type { AddTorrent } from "../session-contract.ts";

export interface TorrentFilesOptions {
  readonly info: TorrentInfo;
  readonly content: OpenContent;
  readonly opened: OpenedContent;
  /** What unfinished files end in; `undefined` when they have their names from the start. */
  readonly unfinishedSuffix: string | undefined;
  readonly download: DownloadView;
  readonly add: AddTorrent;
  readonly existing: ExistingFiles;
  readonly clock: Clock;
  readonly resumeIntervalMs: number;
  /** Bytes of blocks since the torrent was first added. */
  readonly transferred: () => { readonly uploaded: number; readonly downloaded: number };
}

/**
 * The files of an open torrent: whether they are at their places, what of them is saved as a resume, and what happens
 * when the disk refuses. Its parts say what they have to say in one queue.
 */
export class TorrentFiles {
  readonly #options: TorrentFilesOptions;
  readonly #outputs = new OutputQueue<FilesOutput>();
  /** `undefined`, as the next one, when nobody but us can change what is stored. */
  readonly #changes: ChangeWatch | undefined;
  readonly #watched: DiskRecovery | undefined;
  readonly #recovery: DiskRecovery | StoreRecovery;
  /** `undefined` when files have no places. */
  readonly #placing: Placing | undefined;
  /** `undefined` when nobody wants resumes. */
  readonly #resume: ResumeKeeper | undefined;
  /** `undefined` when files have their names from the start. */
  readonly #finished: FinishedFiles | undefined;
  #lacksEmptyFiles: boolean;

  constructor(options: TorrentFilesOptions) {
    this.#options = options;
    this.#changes = this.#makeChanges();
    this.#watched = this.#makeWatched();
    this.#recovery = this.#watched ?? this.#makeRecovery();
    this.#placing = this.#makePlacing();
    this.#resume = this.#makeResume();
    this.#finished = this.#makeFinished();
    if (options.opened.checked) this.#resume?.touch();
    // A download that is killed soon knows its files again, which tells them from those of others.
    if (options.add.mode === "download") this.#resume?.hurry();
    this.#lacksEmptyFiles = options.add.mode === "download";
    this.#createEmpty();
  }

  /** Taken when a burst is over, until there is none. */
  nextOutput(): FilesOutput | undefined {
    const output = this.#outputs.next();
    if (output?.kind === "refused") this.#recovery.handleFailure(output.failure);
    if (output?.kind === "there") this.name();
    if (output?.kind === "back") {
      this.#createEmpty();
      this.#finished?.handleChange();
    }
    return output;
  }

  /** Somebody met a refusal of the disk: it is said on, and a recovery begins. */
  handleFailure(failure: DiskFailure): void {
    this.#outputs.push({ kind: "refused", failure });
  }

  /** Something cannot be read, or is not right. */
  lookForMissing(): void {
    this.#changes?.lookForMissing();
  }

  /** These files, of which pieces were had, are not there. */
  handleGone(files: readonly number[]): void {
    this.#watched?.handleGone(files);
  }

  /** A piece that was had is not any more. */
  handleLost(): void {
    this.#resume?.touch();
  }

  /** Blocks were sent. */
  handleServed(): void {
    this.#resume?.touch();
    this.#changes?.handleServed();
  }

  handlePiece(piece: number): void {
    this.#resume?.touch();
    this.#finished?.handlePiece(piece);
  }

  /**
   * Others are wanted. Where files have places it ends in `placed`, or in a failure of the disk; then `placeAgain` is to
   * follow.
   *
   * @param added - Files that were not wanted before.
   */
  handleWanted(wanted: readonly boolean[], added: readonly number[]): void {
    this.#placing?.begin(wanted, added);
    this.#resume?.touch();
    this.#finished?.handleChange();
  }

  /** Files are on their way to their places. */
  get isPlacing(): boolean {
    return this.#placing?.isUnderWay === true;
  }

  /** The disk takes bytes again. */
  placeAgain(): void {
    this.#placing?.again();
  }

  /** True when whole files may not have their names yet. */
  get mayBeUnnamed(): boolean {
    return this.#finished !== undefined;
  }

  /** Everything is judged: says `confirmed` when all of it is seen to be at its place, perhaps after a recovery. */
  confirm(): void {
    this.#recovery.confirm();
  }

  /** Gives whole files their names: says `confirmed`, or that the disk refused; then a recovery follows. */
  name(): void {
    if (this.#finished) this.#finished.name();
    else this.#outputs.push({ kind: "confirmed" });
  }

  tick(now: number): void {
    this.#changes?.tick(now);
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
    if (this.#finished) await this.#finished.finish();
    this.#finished?.cancel();
    await this.#resume?.finish();
  }

  #createEmpty(): void {
    if (!this.#lacksEmptyFiles) return;
    this.#options.content.places?.createEmpty((outcome) => {
      if (outcome.kind === "done") this.#lacksEmptyFiles = false;
      else this.handleFailure(outcome);
    });
  }

  #makeChanges(): ChangeWatch | undefined {
    const { info, content, download, clock } = this.#options;
    const { watch } = content;
    const options = { info, download, outputs: this.#outputs };
    return watch && new ChangeWatch({ ...options, watch }, clock.nowMs());
  }

  #makePlacing(): Placing | undefined {
    const { info, content, opened } = this.#options;
    const { places, judge } = content;
    const options = { info, judge, have: opened.have, outputs: this.#outputs };
    return places && new Placing({ ...options, places });
  }

  #makeRecovery(): StoreRecovery {
    const { content, clock } = this.#options;
    return new StoreRecovery({ bytes: content.bytes, clock, outputs: this.#outputs });
  }

  #makeWatched(): DiskRecovery | undefined {
    const { info, content, opened, download, add, clock, existing } = this.#options;
    const { bytes, judge, watch, places } = content;
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
      download,
      clock,
      outputs: this.#outputs,
    });
  }

  #makeFinished(): FinishedFiles | undefined {
    const { info, content, opened, download, unfinishedSuffix } = this.#options;
    const { bytes, places } = content;
    if (unfinishedSuffix === undefined || !places) return undefined;
    return new FinishedFiles({
      info,
      bytes,
      places,
      have: opened.have,
      download,
      intervalMs: this.#options.resumeIntervalMs,
      resume: this.#resume,
      outputs: this.#outputs,
    });
  }

  #makeResume(): ResumeKeeper | undefined {
    const { content, opened, download, add, clock, transferred } = this.#options;
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
          partial: download.partial(),
          ...transferred(),
        }),
        isAtPlace: (stamps) => this.#recovery.remember(stamps),
        save: (resume) => void saveResume(resume),
        outputs: this.#outputs,
      })
    );
  }
}
