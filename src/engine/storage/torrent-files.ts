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
  /** The suffix of unfinished files; `undefined` when they have their final names from the start. */
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
 * The files of an open torrent: checks that they are at their places, saves the resume, and recovers when the disk
 * refuses. All its parts report to one queue.
 */
export class TorrentFiles {
  readonly #options: TorrentFilesOptions;
  readonly #outputs = new OutputQueue<FilesOutput>();
  /** `undefined`, like the next one, when only we can change what is stored. */
  readonly #changes: ChangeWatch | undefined;
  readonly #watched: DiskRecovery | undefined;
  readonly #recovery: DiskRecovery | StoreRecovery;
  /** `undefined` when files have no places. */
  readonly #placing: Placing | undefined;
  /** `undefined` when the owner wants no resumes. */
  readonly #resume: ResumeKeeper | undefined;
  /** `undefined` when files have their final names from the start. */
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
    // A download that is killed soon then recognises its own files, and tells them from those of others.
    if (options.add.mode === "download") this.#resume?.hurry();
    this.#lacksEmptyFiles = options.add.mode === "download";
    this.#createEmpty();
  }

  /** Call this when a burst is over, until it returns `undefined`. */
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

  /** The disk refused something: it is reported, and a recovery begins. */
  handleFailure(failure: DiskFailure): void {
    this.#outputs.push({ kind: "refused", failure });
  }

  /** Something is unreadable or wrong. */
  lookForMissing(): void {
    this.#changes?.lookForMissing();
  }

  /** These files, of which we had pieces, are missing. */
  handleGone(files: readonly number[]): void {
    this.#watched?.handleGone(files);
  }

  /** We lost a piece that we had. */
  handleLost(): void {
    this.#resume?.touch();
  }

  /** Blocks were sent. */
  handleServed(): void {
    this.#resume?.touch();
    this.#changes?.handleServed();
  }

  /** Blocks of unfinished pieces were written, or are no longer reliable. */
  handlePartial(): void {
    this.#resume?.touch();
  }

  handlePiece(piece: number): void {
    this.#resume?.touch();
    this.#finished?.handlePiece(piece);
  }

  /**
   * Other files are wanted now. Where files have places this ends with `placed`, or with a failure of the disk; call
   * `placeAgain` after that.
   *
   * @param added - Files that were not wanted before.
   */
  handleWanted(wanted: readonly boolean[], added: readonly number[]): void {
    this.#placing?.begin(wanted, added);
    this.#resume?.touch();
    this.#finished?.handleChange();
  }

  /** Files are being moved to their places. */
  get isPlacing(): boolean {
    return this.#placing?.isUnderWay === true;
  }

  /** The disk accepts bytes again. */
  placeAgain(): void {
    this.#placing?.again();
  }

  /** True when some whole files may not have their names yet. */
  get mayBeUnnamed(): boolean {
    return this.#finished !== undefined;
  }

  /** Everything is judged: reports `confirmed` when all of it is seen at its place, perhaps after a recovery. */
  confirm(): void {
    this.#recovery.confirm();
  }

  /** Gives whole files their names: reports `confirmed`, or that the disk refused and a recovery follows. */
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

  /** Does not wait for a refusing disk any more. */
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
