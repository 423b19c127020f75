import { encodeScrapeInSteps } from "../announce/http-scrape.ts";
import type { Work } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tracker } from "./tracker.ts";

/** Torrents in one answer, about 700 kB. */
const TORRENTS_MAX = 5_000;
const KEPT_MS = 60_000;
/** How long the work may hold the thread before announces are answered. */
const TURN_MS = 5;

/**
 * The scrape of everything. It is built at most once a minute and a few milliseconds at a time, and every client gets
 * the same bytes (TRK-7).
 */
export class FullScrape {
  readonly #tracker: Pick<Tracker, "scrapeAll">;
  readonly #clock: Clock;
  readonly #minIntervalS: number;
  #reply: Uint8Array | undefined;
  #madeAtMs = 0;
  #making: Promise<Uint8Array> | undefined;

  constructor(
    tracker: Pick<Tracker, "scrapeAll">,
    options: { readonly clock: Clock; readonly minIntervalS: number },
  ) {
    this.#tracker = tracker;
    this.#clock = options.clock;
    this.#minIntervalS = options.minIntervalS;
  }

  /** @returns Bytes shared by all callers; do not change them. */
  async answer(): Promise<Uint8Array> {
    if (this.#reply && this.#clock.nowMs() - this.#madeAtMs < KEPT_MS) return this.#reply;
    // The end of the work comes after this line, even when all of it fits into one turn.
    this.#making ??= this.#make().finally(() => (this.#making = undefined));
    return this.#making;
  }

  async #make(): Promise<Uint8Array> {
    const work = this.#work();
    for (;;) {
      const endMs = this.#clock.nowMs() + TURN_MS;
      do {
        const step = work.next();
        if (step.done) {
          this.#madeAtMs = this.#clock.nowMs();
          this.#reply = step.value;
          return step.value;
        }
      } while (this.#clock.nowMs() < endMs);
      await new Promise<void>((resolve) => void this.#clock.startTimer(0, resolve));
    }
  }

  *#work(): Work<Uint8Array> {
    const entries = yield* this.#tracker.scrapeAll(TORRENTS_MAX);
    return yield* encodeScrapeInSteps(entries, this.#minIntervalS);
  }
}
