import type { Clock } from "../../ports/clock.ts";
import type { ByteStore } from "../../ports/content.ts";
import type { OutputQueue } from "../sharing/output-queue.ts";
import type { FilesOutput } from "./files-output.ts";

/** A store that refused is tried again after this time. */
const RETRY_MS = 5_000;

export interface StoreRecoveryOptions {
  readonly bytes: Pick<ByteStore, "sync">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly outputs: OutputQueue<FilesOutput>;
}

/**
 * Decides when to try a store again that refused, where only we write: nothing in it can be missing or changed. The
 * store is back when everything that was written is durable. `DiskRecovery` handles files that others can touch.
 *
 * well -> waiting -> proving -> well; proving -> waiting.
 */
export class StoreRecovery {
  readonly #options: StoreRecoveryOptions;
  #stage: "well" | "waiting" | "proving" = "well";
  #retryAtMs = 0;
  #failures = 0;
  #cancelled = false;

  constructor(options: StoreRecoveryOptions) {
    this.#options = options;
  }

  /** Everything that is claimed is always at its place. */
  remember(): boolean {
    return true;
  }

  /** Reports `there` at once, but never while the store refuses. */
  confirm(): void {
    if (this.#stage === "well") this.#options.outputs.push({ kind: "there" });
  }

  handleFailure(): void {
    this.#failures += 1;
    if (this.#stage === "well") this.#wait();
  }

  tick(now: number): void {
    if (this.#stage === "waiting" && now >= this.#retryAtMs) this.#prove();
  }

  /** The store is not tried again. */
  cancel(): void {
    this.#cancelled = true;
  }

  #wait(): void {
    this.#stage = "waiting";
    this.#retryAtMs = this.#options.clock.nowMs() + RETRY_MS;
  }

  #prove(): void {
    const failures = this.#failures;
    this.#stage = "proving";
    this.#options.bytes.sync((outcome) => {
      if (this.#cancelled) return;
      if (outcome.kind === "failure") {
        this.#wait();
        this.#options.outputs.push({ kind: "still", failure: outcome });
      } else if (this.#failures !== failures) {
        this.#wait();
      } else {
        this.#stage = "well";
        this.#options.outputs.push({ kind: "back" });
      }
    });
  }
}
