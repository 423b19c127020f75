import type { Log } from "../ports/log.ts";
import type { TransferRow } from "../store/transfers.ts";
import type { AwakeTransfer } from "./awake-transfer.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import type { ShareEnds } from "./share-ends.ts";
import { parseChoices } from "./transfer-choices.ts";
import type { TransferEngine } from "./transfer-engine.ts";
import { infohashesOf, trackersOf } from "./transfer-row.ts";

export interface SleepingSeedsParts {
  readonly running: RunningTransfers;
  readonly shares: ShareEnds;
  readonly engine: Pick<TransferEngine, "announceAsleep">;
  readonly log: Log;
}

/** Seeds that are rows: in its turn each is judged by its share limits, and announced. Nothing is written. */
export class SleepingSeeds {
  readonly #parts: SleepingSeedsParts;
  /** Bytes that seeds have sent to peers who woke them, since their trackers heard of a start; those with any. */
  readonly #sent = new Map<string, number>();

  constructor(parts: SleepingSeedsParts) {
    this.#parts = parts;
  }

  /** The turn of a seed has come. Never rejects. @param isFirst - It had none since this node started. */
  async takeTurn(row: TransferRow, isFirst: boolean): Promise<void> {
    const { running, shares, log } = this.#parts;
    const awake = running.get(row.id);
    // Its trackers are asked by the engine.
    if (awake && !awake.quiet) return;
    try {
      if (!awake) shares.judge(row);
      const sent = (this.#sent.get(row.id) ?? 0) + (awake?.moved.uploaded ?? 0);
      // Trackers count from the start that they are told of (BEP 3): earlier bytes are told in the next turn.
      await this.#announce(row, { isListed: !isFirst, uploaded: isFirst ? 0 : sent });
    } catch (error) {
      log.warn("the turn of a sleeping seed failed", { id: row.id, error: String(error) });
    }
  }

  /** A seed has left the engine. */
  async handleAsleep(awake: AwakeTransfer): Promise<void> {
    const { id, row, quiet, moved } = awake;
    const sentBytes = moved.uploaded;
    if (quiet) {
      if (sentBytes > 0) this.#sent.set(id, (this.#sent.get(id) ?? 0) + sentBytes);
      return;
    }
    // The goodbye took it off its trackers' lists, and it is still here.
    this.#sent.delete(id);
    await this.#announce(row, { isListed: false, uploaded: 0 });
  }

  /** It is no seed any more. */
  forget(id: string): void {
    this.#sent.delete(id);
  }

  async #announce(
    row: TransferRow,
    told: { readonly isListed: boolean; readonly uploaded: number },
  ): Promise<void> {
    await this.#parts.engine.announceAsleep({
      infohashes: infohashesOf(row),
      private: row.private === 1,
      trackers: trackersOf(row),
      ownTrackers: parseChoices(row.choices).ownTrackers ?? [],
      ...told,
    });
  }
}
