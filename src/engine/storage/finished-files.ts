import type { Bitfield } from "../../base/bitfield.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { ByteStore, DiskOutcome, FilePlaces } from "../../ports/content.ts";
import type { OutputQueue } from "../sharing/output-queue.ts";
import type { DownloadView } from "./download-view.ts";
import type { FilesOutput } from "./files-output.ts";
import type { ResumeKeeper } from "./resume-keeper.ts";

/** Files renamed at once: nothing is read or written meanwhile. */
const FILES_AT_ONCE_MAX = 500;

export interface FinishedFilesOptions {
  readonly info: TorrentInfo;
  readonly bytes: Pick<ByteStore, "sync">;
  readonly places: Pick<FilePlaces, "finish">;
  readonly have: Bitfield;
  readonly download: DownloadView;
  readonly intervalMs: number;
  /** Notified when files got their own names: there is something to save. */
  readonly resume: Pick<ResumeKeeper, "touch"> | undefined;
  readonly outputs: OutputQueue<FilesOutput>;
}

/**
 * Gives files their own names when we have all their pieces. Their data is made durable first: even after a power
 * failure, a name without a suffix means a whole file.
 */
export class FinishedFiles {
  readonly #options: FinishedFilesOptions;
  /** Files that may have become whole since the last check. */
  readonly #maybe = new Set<number>();
  /** Called when the current work ends. */
  #waiting: ((done: boolean) => void)[] = [];
  #running = false;
  #cancelled = false;
  #nextAtMs = 0;

  constructor(options: FinishedFilesOptions) {
    this.#options = options;
    this.handleChange();
  }

  handlePiece(piece: number): void {
    const { geometry } = this.#options.info;
    const start = piece * geometry.pieceLength;
    for (const { file } of geometry.spans(start, geometry.pieceSize(piece))) this.#maybe.add(file);
  }

  /** Other files are wanted now, or the files were replaced. */
  handleChange(): void {
    for (const [index, { pad, length }] of this.#options.info.files.entries()) {
      if (!pad && length > 0) this.#maybe.add(index);
    }
  }

  tick(now: number): void {
    if (this.#running || this.#maybe.size === 0 || now < this.#nextAtMs) return;
    this.#nextAtMs = now + this.#options.intervalMs;
    this.#run();
  }

  /** Reports `confirmed` when every whole file has its name, or `refused`. */
  name(): void {
    this.#afterwards((done) => {
      if (done) this.#options.outputs.push({ kind: "confirmed" });
    });
  }

  /** Resolves when every whole file has its name, or when the disk refused. */
  finish(): Promise<void> {
    return new Promise((done) => this.#afterwards(() => done()));
  }

  #afterwards(next: (done: boolean) => void): void {
    this.#waiting.push(next);
    if (!this.#running) this.#run();
  }

  /** Nothing is reported afterwards. */
  cancel(): void {
    this.#cancelled = true;
  }

  #run(): void {
    const whole = this.#takeWhole();
    this.#running = whole.length > 0;
    if (!this.#running) {
      this.#tell(true);
      return;
    }
    this.#options.bytes.sync((outcome) => {
      if (this.#succeeded(outcome, whole)) this.#name(whole);
    });
  }

  #name(files: readonly number[]): void {
    const [now, later] = [files.slice(0, FILES_AT_ONCE_MAX), files.slice(FILES_AT_ONCE_MAX)];
    this.#options.places.finish(now, (outcome) => {
      if (!this.#succeeded(outcome, files)) return;
      this.#options.resume?.touch();
      // Pieces may have arrived meanwhile.
      if (later.length > 0) this.#name(later);
      else this.#run();
    });
  }

  #succeeded(outcome: DiskOutcome, files: readonly number[]): boolean {
    if (this.#cancelled) return false;
    if (outcome.kind === "done") return true;
    for (const file of files) this.#maybe.add(file);
    this.#running = false;
    this.#options.outputs.push({ kind: "refused", failure: outcome });
    this.#tell(false);
    return false;
  }

  #takeWhole(): number[] {
    const { info, have, download } = this.#options;
    const whole: number[] = [];
    for (const file of this.#maybe) {
      const { pad } = info.files[file]!;
      const { first, end } = info.geometry.filePieces(file);
      if (!pad && download.wantsFile(file) && hasAll(have, first, end)) whole.push(file);
    }
    // A file that lacks a piece is checked again when that piece arrives.
    this.#maybe.clear();
    return whole;
  }

  #tell(done: boolean): void {
    for (const onDone of this.#waiting.splice(0)) onDone(done);
  }
}

function hasAll(have: Bitfield, first: number, end: number): boolean {
  for (let piece = first; piece < end; piece += 1) if (!have.has(piece)) return false;
  return true;
}
