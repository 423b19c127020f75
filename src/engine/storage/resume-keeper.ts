import type { Bitfield } from "../../base/bitfield.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ByteStore, DiskFailure, FileStamp, FileWatch } from "../../ports/content.ts";
import type { ResumeState } from "../session-contract.ts";
import type { OutputQueue } from "../sharing/output-queue.ts";
import type { FilesOutput } from "./files-output.ts";

export interface ResumeKeeperOptions {
  readonly bytes: Pick<ByteStore, "sync">;
  readonly watch: Pick<FileWatch, "stamp"> | undefined;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** What may be claimed, as copies. */
  readonly collect: () => {
    readonly have: Bitfield;
    readonly partial: ResumeState["partial"];
    readonly uploaded: number;
    readonly downloaded: number;
  };
  /** Whether the files that are claimed are the ones at their place. */
  readonly isAtPlace: (stamps: readonly FileStamp[]) => boolean;
  readonly save: (resume: ResumeState) => void;
  readonly outputs: OutputQueue<FilesOutput>;
}

/**
 * Saves resume states of one torrent: at intervals while something changes, and at an orderly stop. It collects the
 * claims of a state first and makes the data durable after that, so that a state never claims more than the disk keeps
 * (STO-2).
 */
export class ResumeKeeper {
  readonly #options: ResumeKeeperOptions;
  #changed = false;
  #savedAtMs: number;
  #saving = false;
  /** The last saved state does not say that the stop was orderly. */
  #unclean = false;

  constructor(options: ResumeKeeperOptions) {
    this.#options = options;
    this.#savedAtMs = options.clock.nowMs();
  }

  /** There is something to save. */
  touch(): void {
    this.#changed = true;
  }

  /** A state is saved at the next tick. */
  hurry(): void {
    this.#changed = true;
    this.#savedAtMs = Number.NEGATIVE_INFINITY;
  }

  tick(now: number): void {
    if (!this.#changed || this.#saving || now - this.#savedAtMs < this.#options.intervalMs) return;
    this.#savedAtMs = now;
    this.#save(false, () => undefined);
  }

  /** Saves a last time, just before the content is closed. */
  async finish(): Promise<void> {
    if (!this.#changed && !this.#saving && !this.#unclean) return;
    await new Promise<void>((done) => this.#save(true, done));
  }

  #save(clean: boolean, onDone: () => void): void {
    const { bytes, watch, clock, isAtPlace, save, outputs } = this.#options;
    const savedAtMs = clock.wallMs();
    const claims = this.#options.collect();
    this.#saving = true;
    this.#changed = false;
    const fail = (failure: DiskFailure): void => {
      this.#saving = false;
      this.#changed = true;
      outputs.push({ kind: "refused", failure });
      onDone();
    };
    const finish = (stamps: readonly FileStamp[]): void => {
      this.#saving = false;
      if (isAtPlace(stamps)) {
        this.#unclean = !clean;
        save({ ...claims, stamps, savedAtMs, clean });
      } else {
        this.#changed = true;
      }
      onDone();
    };
    bytes.sync((outcome) => {
      if (outcome.kind === "failure") fail(outcome);
      else if (!watch) finish([]);
      else watch.stamp((stamps) => ("kind" in stamps ? fail(stamps) : finish(stamps)));
    });
  }
}
