import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { AwakeTransfer } from "./awake-transfer.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import type { SleepingSeeds } from "./sleeping-seeds.ts";
import type { TransferLines } from "./transfer-lines.ts";
import type { TransferSettings } from "./transfer-settings.ts";

/** Longer than the pauses between connections of a downloading client. */
const IDLE_MS = 5 * 60_000;

export interface SeedRestParts {
  readonly running: RunningTransfers;
  readonly lines: TransferLines;
  readonly sleeping: SleepingSeeds;
  readonly settings: () => TransferSettings;
  readonly clock: Clock;
  readonly log: Log;
}

/** Puts seeds that nobody needs to sleep: those without a peer for longest first. */
export class SeedRest {
  readonly #parts: SeedRestParts;

  constructor(parts: SeedRestParts) {
    this.#parts = parts;
  }

  /** Call it once a minute. */
  sweep(): void {
    const { settings, clock } = this.#parts;
    const now = clock.nowMs();
    const idle = this.#idle().filter(({ lastPeerMs }) => now - lastPeerMs >= IDLE_MS);
    // Those that a peer woke have their turns; the others are kept while there are few.
    const woken = idle.filter(({ quiet }) => quiet);
    const kept = idle.filter(({ quiet }) => !quiet);
    const surplus = kept.slice(0, Math.max(0, kept.length - settings().idleSeedsMax));
    for (const awake of [...woken, ...surplus]) this.#putToSleep(awake);
  }

  /** When more are awake than may be, those without a peer sleep at once. @param wokenId - Its peer is about to come in. */
  makeRoom(wokenId: string): void {
    const { running, settings } = this.#parts;
    const surplus = running.size - settings().awakeMax;
    if (surplus <= 0) return;
    const idle = this.#idle().filter(({ id }) => id !== wokenId);
    for (const awake of idle.slice(0, surplus)) this.#putToSleep(awake);
  }

  /** Finished ones without a peer, idle for longest first. */
  #idle(): AwakeTransfer[] {
    return Array.from(this.#parts.running.all())
      .filter((awake) => awake.isFinished && awake.isIdle)
      .toSorted((a, b) => a.lastPeerMs - b.lastPeerMs);
  }

  #putToSleep(awake: AwakeTransfer): void {
    const { running, lines, sleeping, log } = this.#parts;
    const { id } = awake;
    const sleep = async (): Promise<void> => {
      if (running.get(id) !== awake || !awake.isIdle) return;
      await running.close(id);
      await sleeping.handleAsleep(awake);
    };
    lines.run(id, sleep).catch((error: unknown) => {
      log.warn("a seed did not go to sleep", { id, error: String(error) });
    });
  }
}
