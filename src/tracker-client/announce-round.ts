import type { TrackerReply } from "../announce/http-reply.ts";
import type { SwarmView } from "../engine/session-contract.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { AnnounceOutcome } from "./announce-outcome.ts";
import { pauseAfterFailure, pauseAfterReply, withJitter } from "./announce-schedule.ts";
import type { RemoteTracker } from "./remote-tracker.ts";
import { moveToFront } from "./tracker-tiers.ts";

export interface AnnounceRoundOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly swarm: SwarmView;
  readonly isComplete: () => boolean;
}

type Failure = Exclude<AnnounceOutcome, TrackerReply>;

/**
 * Announces again and again to the first tracker of its tiers that answers. States:
 *
 *   waiting (a timer runs) -> announcing (tracker after tracker, until one answers) -> waiting
 *   any -> ended
 */
export class AnnounceRound {
  readonly #options: AnnounceRoundOptions;
  readonly #tiers: readonly RemoteTracker[][];
  readonly #end = new AbortController();
  #timer: Timer | undefined;
  #announcing = false;
  #again = false;
  #failures = 0;
  /** Trackers that never want to hear of this torrent again (BEP 31). */
  readonly #closedFor = new Set<RemoteTracker>();

  /** @param tiers - Working trackers are moved to the front of their tier. */
  constructor(tiers: readonly RemoteTracker[][], options: AnnounceRoundOptions) {
    this.#tiers = tiers;
    this.#options = options;
  }

  /** Announces now, whatever the interval; if an announce is running, right after it. */
  announceNow(): void {
    if (this.#announcing) this.#again = true;
    else this.#schedule(0);
  }

  /** Ends the announcing, and aborts an announce that is running. */
  end(): void {
    this.#end.abort();
    this.#timer?.cancel();
  }

  #schedule(pauseMs: number): void {
    this.#timer?.cancel();
    if (this.#end.signal.aborted || !Number.isFinite(pauseMs)) return;
    this.#timer = this.#options.clock.startTimer(pauseMs, () => void this.#announce());
  }

  async #announce(): Promise<void> {
    this.#announcing = true;
    this.#again = false;
    for (const tracker of this.#tiers.flat()) tracker.nextAnnounceAtMs = undefined;
    const pauseMs = await this.#announceToFirst();
    this.#announcing = false;
    this.#schedule(this.#again ? 0 : pauseMs);
  }

  /** @returns The pause until the next announce, in milliseconds; Infinity when there is none. */
  async #announceToFirst(): Promise<number> {
    let retryMs = Number.POSITIVE_INFINITY;
    for (const tier of this.#tiers) {
      for (const tracker of tier) {
        if (this.#closedFor.has(tracker)) continue;
        const owed = tracker.owesCompleted;
        const outcome = await tracker.announce(this.#end.signal, this.#isPartialSeed());
        if (!outcome) return Number.POSITIVE_INFINITY;
        tracker.announcedAtMs = this.#options.clock.nowMs();
        if (outcome.kind === "reply") {
          moveToFront(tier, tracker);
          const pauseMs = this.#pauseAfter(tracker, outcome);
          // The download began before this announce and has ended meanwhile, so the tracker must hear of that too.
          return tracker.owesCompleted && !owed ? 0 : pauseMs;
        }
        this.#tellFailure(tracker, outcome);
        const pauseMs = pauseAfterFailure(this.#failures + 1, outcome);
        if (pauseMs === Number.POSITIVE_INFINITY) this.#closedFor.add(tracker);
        retryMs = Math.min(retryMs, pauseMs);
      }
    }
    return this.#pauseAfterAllFailed(retryMs);
  }

  #isPartialSeed(): boolean {
    const { isComplete, swarm } = this.#options;
    return isComplete() && swarm.stats().left > 0;
  }

  #pauseAfter(tracker: RemoteTracker, reply: TrackerReply): number {
    const { clock, random, isComplete } = this.#options;
    this.#failures = 0;
    // Some trackers include the asker, so one peer may mean none.
    const hungry = reply.peers.length <= 1 && !isComplete();
    const pauseMs = withJitter(pauseAfterReply(reply, hungry), random);
    tracker.nextAnnounceAtMs = clock.nowMs() + pauseMs;
    return pauseMs;
  }

  #pauseAfterAllFailed(retryMs: number): number {
    const { clock, random } = this.#options;
    this.#failures += 1;
    const pauseMs = withJitter(retryMs, random);
    for (const tracker of this.#tiers.flat()) {
      const open = !this.#closedFor.has(tracker);
      tracker.nextAnnounceAtMs = open ? clock.nowMs() + pauseMs : undefined;
    }
    return pauseMs;
  }

  #tellFailure(tracker: RemoteTracker, outcome: Failure): void {
    const cause = outcome.kind === "failure" ? outcome.reason : outcome.message;
    this.#options.log.info("a tracker does not help", { tracker: tracker.name, cause });
  }
}
