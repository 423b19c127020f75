import type { Clock } from "../ports/clock.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import type { SettingsStore } from "./transfer-settings.ts";
import type { UpTime } from "./up-time.ts";

/** What all transfers together did, those that are gone included. */
export interface Totals {
  /** Bytes. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Transfers that were added. */
  readonly added: number;
  /** Starts of the node. */
  readonly runs: number;
  readonly seconds: number;
}

const NOTHING = { uploaded: 0, downloaded: 0, added: 0, runs: 0 };
const KEY = "transfer-totals";

export interface TransferTotalsParts {
  readonly settings: SettingsStore;
  readonly running: RunningTransfers;
  readonly clock: Clock;
  readonly upTime: UpTime;
}

/** Counts what all transfers did since the start of the node, and since the first start. A kill loses a minute of it. */
export class TransferTotals {
  readonly #parts: TransferTotalsParts;
  readonly #beganMs: number;
  #before = NOTHING;
  #added = 0;

  constructor(parts: TransferTotalsParts) {
    this.#parts = parts;
    this.#beganMs = parts.clock.nowMs();
  }

  async load(): Promise<void> {
    this.#before = { ...NOTHING, ...(await this.#parts.settings.get(KEY)) };
  }

  async save(): Promise<void> {
    const { seconds: _, ...counts } = this.ever;
    await this.#parts.settings.set(KEY, counts);
  }

  handleAdded(): void {
    this.#added += 1;
  }

  /** Since the node started. */
  get now(): Totals {
    const { uploaded, downloaded } = this.#parts.running.moved;
    const seconds = Math.floor((this.#parts.clock.nowMs() - this.#beganMs) / 1_000);
    return { uploaded, downloaded, added: this.#added, runs: 1, seconds };
  }

  /** Since the first start. */
  get ever(): Totals {
    const { now } = this;
    const before = this.#before;
    return {
      uploaded: before.uploaded + now.uploaded,
      downloaded: before.downloaded + now.downloaded,
      added: before.added + now.added,
      runs: before.runs + now.runs,
      seconds: Math.floor(this.#parts.upTime.nowMs() / 1_000),
    };
  }

  /** Bytes a second, of all that run. */
  get rates(): { readonly down: number; readonly up: number } {
    let [down, up] = [0, 0];
    for (const { torrent } of this.#parts.running.all()) {
      const { downloadBytesPerSecond, uploadBytesPerSecond } = torrent.stats();
      down += downloadBytesPerSecond;
      up += uploadBytesPerSecond;
    }
    return { down, up };
  }
}
