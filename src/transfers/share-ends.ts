import type { Log } from "../ports/log.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import { endOfSeeding, shareLimitsFor } from "./share-limits.ts";
import { parseChoices } from "./transfer-choices.ts";
import type { TransferLines } from "./transfer-lines.ts";
import { isWanted, seededMs } from "./transfer-row.ts";
import type { TransferSettings } from "./transfer-settings.ts";
import type { UpTime } from "./up-time.ts";

export interface ShareEndsParts {
  readonly transfers: Pick<TransferTable, "find">;
  readonly running: RunningTransfers;
  readonly lines: TransferLines;
  readonly settings: () => TransferSettings;
  readonly upTime: UpTime;
  readonly log: Log;
}

/** Stops seeds that have given enough. */
export class ShareEnds {
  readonly #parts: ShareEndsParts;

  constructor(parts: ShareEndsParts) {
    this.#parts = parts;
  }

  /** @param row - With figures of now. */
  judge(row: TransferRow): void {
    const { transfers, running, lines, settings, upTime, log } = this.#parts;
    const { shareLimits, labels } = settings();
    const ofLabel = row.label === null ? undefined : labels[row.label]?.shareLimits;
    // Asked each second for each seed that is awake, and hardly any has limits of its own.
    const own = row.choices.includes("shareLimits") ? parseChoices(row.choices) : undefined;
    const limits = shareLimitsFor(own?.shareLimits, ofLabel, shareLimits);
    const now = { ...row, seeded_ms: seededMs(row, upTime.nowMs()) };
    const cause = endOfSeeding(now, limits);
    if (!cause || !isWanted(row)) return;
    const { id } = row;
    const end = async (): Promise<void> => {
      const later = running.get(id)?.row ?? (await transfers.find(id));
      if (!later || !isWanted(later)) return;
      await running.update(id, { stopped: 1, pause: cause });
      await running.close(id);
    };
    lines.run(id, end).catch((error: unknown) => {
      log.error("a seed that has given enough was not stopped", { id, error: String(error) });
    });
  }
}
