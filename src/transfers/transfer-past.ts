import type { Clock } from "../ports/clock.ts";
import type { AwakeTransfer } from "./awake-transfer.ts";
import { SpeedHistory } from "./speed-history.ts";
import type { TransferEngine } from "./transfer-engine.ts";
import { TransferJournal } from "./transfer-journal.ts";
import type { SettingsStore } from "./transfer-settings.ts";

/** How often the trackers of those that run are looked at for the journal. */
const TRACKERS_MS = 15_000;

export interface TransferPastParts {
  readonly settings: SettingsStore;
  readonly engine: Pick<TransferEngine, "trackers">;
  readonly clock: Clock;
}

/** What was before: how fast transfers were, and what happened to them. */
export class TransferPast {
  readonly speeds: SpeedHistory;
  readonly journal: TransferJournal;
  readonly #parts: TransferPastParts;
  #trackersMs = 0;

  constructor(parts: TransferPastParts) {
    this.#parts = parts;
    this.speeds = new SpeedHistory(parts.settings);
    this.journal = new TransferJournal(() => parts.clock.wallMs());
  }

  async load(): Promise<void> {
    await this.speeds.load(this.#parts.clock.wallMs());
  }

  /** @param always - At the end; otherwise it writes when there is something new. */
  async save(always = false): Promise<void> {
    await this.speeds.save(this.#parts.clock.wallMs(), always);
  }

  /** Call it once a second with those that run, after their figures were brought up to date. */
  count(all: Iterable<AwakeTransfer>): void {
    const { engine, clock } = this.#parts;
    const [now, wallMs] = [clock.nowMs(), clock.wallMs()];
    const looks = now - this.#trackersMs >= TRACKERS_MS;
    if (looks) this.#trackersMs = now;
    for (const { id, row, torrent } of all) {
      this.speeds.count(id, row, wallMs);
      if (looks) this.journal.handleTrackers(id, engine.trackers(torrent));
    }
  }

  forget(id: string): void {
    this.speeds.forget(id);
    this.journal.forget(id);
  }
}
