import type { PeerSourceHandle, SwarmView } from "../engine/session-contract.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { AnnounceRound } from "./announce-round.ts";
import type { RemoteTracker, TrackerStatus } from "./remote-tracker.ts";

/** The limit for all goodbyes of a torrent together. */
const GOODBYE_MS = 2_000;

export interface TorrentAnnouncerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly swarm: SwarmView;
  /** Already shuffled. */
  readonly tiers: readonly RemoteTracker[][];
}

/**
 * Announces one torrent: to all tiers at once when it is public, so that losing a tracker goes unnoticed (VT-5); to
 * one tracker at a time when it is private (BEP 12, BEP 27).
 */
export class TorrentAnnouncer implements PeerSourceHandle {
  readonly #options: TorrentAnnouncerOptions;
  readonly #beganComplete: boolean;
  #rounds: readonly AnnounceRound[];
  #complete: boolean;

  constructor(options: TorrentAnnouncerOptions) {
    this.#options = options;
    this.#beganComplete = options.swarm.stats().left === 0;
    this.#complete = this.#beganComplete;
    const { tiers, swarm } = options;
    const groups = swarm.private() ? [tiers] : tiers.map((tier) => [tier]);
    this.#rounds = groups.map((group) => this.#begin(group));
  }

  handleMetadata(): void {
    const { swarm, tiers } = this.#options;
    if (!swarm.private() || this.#rounds.length <= 1) return;
    for (const round of this.#rounds) round.end();
    const trackers = tiers.flat();
    const kept = trackers.find((tracker) => tracker.listsUs);
    void this.#leave(trackers.filter((tracker) => tracker !== kept));
    this.#rounds = [this.#begin(tiers)];
  }

  handleComplete(): void {
    this.#complete = true;
    // Not sent when the torrent was complete from the start, or when only the wanted part is complete (BEP 21).
    if (this.#beganComplete || this.#options.swarm.stats().left > 0) return;
    for (const tracker of this.#options.tiers.flat()) tracker.handleComplete();
    for (const round of this.#rounds) round.announceNow();
  }

  /** Announces now, whatever the interval. */
  announceNow(): void {
    for (const round of this.#rounds) round.announceNow();
  }

  async detach(): Promise<void> {
    for (const round of this.#rounds) round.end();
    await this.#leave(this.#options.tiers.flat());
  }

  status(): TrackerStatus[] {
    const now = this.#options.clock.nowMs();
    return this.#options.tiers.flat().map((tracker) => tracker.status(now));
  }

  #begin(tiers: readonly RemoteTracker[][]): AnnounceRound {
    const round = new AnnounceRound(tiers, {
      ...this.#options,
      isComplete: () => this.#complete,
    });
    round.announceNow();
    return round;
  }

  async #leave(trackers: readonly RemoteTracker[]): Promise<void> {
    const giveUp = new AbortController();
    const timer = this.#options.clock.startTimer(GOODBYE_MS, () => giveUp.abort());
    await Promise.all(trackers.map((tracker) => tracker.stop(giveUp.signal)));
    timer.cancel();
  }
}
