import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { FileStamp, FileWatch } from "../../ports/content.ts";
import type { OutputQueue } from "../sharing/output-queue.ts";
import { isSameStamp } from "./disk-recovery.ts";
import type { DownloadView } from "./download-view.ts";
import type { FilesOutput } from "./files-output.ts";

/** Interval between checks of files that are served, plus a millisecond per file: others may change them. */
const WATCH_MS = 10_000;

export interface ChangeWatchOptions {
  readonly info: TorrentInfo;
  readonly watch: FileWatch;
  readonly download: DownloadView;
  readonly outputs: OutputQueue<FilesOutput>;
}

/** Notices when others change files that are complete: their pieces are judged again before they are served (STO-6). */
export class ChangeWatch {
  readonly #options: ChangeWatchOptions;
  /** The stamps of the files while nothing was being written to them. */
  #stamps: readonly FileStamp[] | undefined;
  #lookAtMs = 0;
  #isServedSince = true;
  #isLookingForMissing = false;

  /** Starts before the first piece is judged: from then on every change is noticed. */
  constructor(options: ChangeWatchOptions, now: number) {
    this.#options = options;
    if (options.download.complete) this.#look(now);
  }

  /** Blocks were sent: files that no peer requests need no checks. */
  handleServed(): void {
    this.#isServedSince = true;
  }

  tick(now: number): void {
    if (!this.#options.download.complete) this.#stamps = undefined;
    else if (now >= this.#lookAtMs && this.#isServedSince) this.#look(now);
  }

  #look(now: number): void {
    const { watch, info, download, outputs } = this.#options;
    this.#lookAtMs = now + WATCH_MS + info.files.length;
    this.#isServedSince = false;
    watch.stamp((stamps) => {
      if (!download.complete) return;
      if ("kind" in stamps) outputs.push({ kind: "refused", failure: stamps });
      else this.#compare(stamps);
    });
  }

  #compare(stamps: readonly FileStamp[]): void {
    const { watch, info, outputs } = this.#options;
    const before = this.#stamps;
    this.#stamps = stamps;
    for (const [index, was] of before?.entries() ?? []) {
      if (isSameStamp(was, stamps[index]!)) continue;
      // Descriptors may still lead to the old files.
      if (stamps[index]!.size < 0) this.lookForMissing();
      else if (was.inode !== stamps[index]!.inode) watch.reopen([], () => undefined);
      outputs.push({ kind: "changed", ...info.geometry.filePieces(index) });
    }
  }

  /** Something is unreadable or wrong: whole files may be missing. */
  lookForMissing(): void {
    const { watch, info, download, outputs } = this.#options;
    if (this.#isLookingForMissing) return;
    this.#isLookingForMissing = true;
    watch.stamp((stamps) => {
      this.#isLookingForMissing = false;
      if ("kind" in stamps) {
        outputs.push({ kind: "refused", failure: stamps });
        return;
      }
      const files: number[] = [];
      for (const [index, file] of info.files.entries()) {
        if (file.pad || file.length === 0 || stamps[index]!.size >= 0) continue;
        // Blocks that we have of other files are in the part file.
        if (download.wantsFile(index)) files.push(index);
      }
      if (files.length > 0) outputs.push({ kind: "missing", files });
    });
  }
}
