import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { TransferTable } from "../store/transfers.ts";
import type { ContentTaking } from "./content-taking.ts";
import { movedPlaces, type QueueMove } from "./queue-moves.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import { chooseDownloads } from "./transfer-queue.ts";
import type { TransferLines } from "./transfer-lines.ts";
import type { TransferSettings } from "./transfer-settings.ts";

/** Downloads that are looked at; later ones get their turn when earlier ones have ended. */
const CANDIDATES_MAX = 2_000;
/** A download that gave up its place is tried again after this time. */
const REST_MS = 10 * 60_000;
/** Changes within this time lead to one decision. */
const SOON_MS = 100;

export interface DownloadQueueParts {
  readonly transfers: Pick<TransferTable, "toFetch" | "queue">;
  readonly running: RunningTransfers;
  readonly taking: Pick<ContentTaking, "has">;
  readonly lines: TransferLines;
  readonly settings: () => TransferSettings;
  readonly clock: Clock;
  readonly log: Log;
}

/** Starts and stops downloads in the order of the queue. */
export class DownloadQueue {
  readonly #parts: DownloadQueueParts;
  /** When a resting download may run again. */
  readonly #restUntilMs = new Map<string, number>();
  /** Ids that wait, with the number of those before them. */
  #waiting: ReadonlyMap<string, number> = new Map();
  #timer: Timer | undefined;
  #isDeciding = false;
  #again = false;
  #isStopped = false;

  constructor(parts: DownloadQueueParts) {
    this.#parts = parts;
  }

  /** How many transfers wait before this one. */
  before(id: string): number {
    return this.#waiting.get(id) ?? 0;
  }

  /** Changes the order. Transfers that are not in the queue are left out. */
  async move(ids: readonly string[], to: QueueMove): Promise<void> {
    const { transfers, running } = this.#parts;
    await running.updateAll(movedPlaces(await transfers.queue(), ids, to));
    this.handleChange();
  }

  /** Something has changed that the order depends on. */
  handleChange(): void {
    if (this.#timer || this.#isStopped) return;
    this.#timer = this.#parts.clock.startTimer(SOON_MS, () => {
      this.#timer = undefined;
      void this.#decide();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #decide(): Promise<void> {
    this.#again = this.#isDeciding;
    if (this.#isDeciding) return;
    this.#isDeciding = true;
    try {
      await this.#carryOut();
    } catch (error) {
      this.#parts.log.error("the queue of downloads failed", { error: String(error) });
    } finally {
      this.#isDeciding = false;
      if (this.#again) this.handleChange();
    }
  }

  async #carryOut(): Promise<void> {
    const { transfers, running, taking, lines, settings, clock } = this.#parts;
    const { downloadsMax, awakeMax } = settings();
    const rows = await transfers.toFetch(CANDIDATES_MAX);
    if (this.#isStopped) return;
    const now = clock.nowMs();
    for (const [id, untilMs] of this.#restUntilMs) {
      if (untilMs <= now) this.#restUntilMs.delete(id);
    }
    const candidates = rows.map(({ id }) => {
      const awake = running.get(id);
      const isResting = this.#restUntilMs.has(id);
      return {
        id,
        isRunning: awake !== undefined || taking.has(id),
        stalledMs: awake?.stalledMs(now) ?? 0,
        isResting,
      };
    });
    const { run, rest } = chooseDownloads(candidates, { downloadsMax, runningMax: awakeMax });
    for (const id of rest) this.#restUntilMs.set(id, now + REST_MS);
    const waiting = candidates.filter(({ id }) => !run.has(id));
    this.#waiting = new Map(waiting.map(({ id }, index) => [id, index]));
    const surplus = waiting.filter(({ isRunning }) => isRunning);
    const fresh = candidates.filter(({ id, isRunning }) => run.has(id) && !isRunning);
    await Promise.all([
      ...surplus.map(({ id }) => lines.run(id, () => running.close(id))),
      ...fresh.map(({ id }) => lines.run(id, () => running.open(id))),
    ]);
  }
}
