import { encodeScrapeReply } from "../announce/http-scrape.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tracker } from "./tracker.ts";

/** Torrents in one answer, about 700 kB. */
const TORRENTS_MAX = 5_000;
const KEPT_MS = 60_000;

/**
 * The scrape of everything. It is built at most once a minute, and every client gets the same bytes
 * (TRK-7).
 */
export class FullScrape {
  readonly #tracker: Tracker;
  readonly #clock: Clock;
  readonly #minIntervalS: number;
  #reply: Uint8Array | undefined;
  #madeAtMs = 0;

  constructor(tracker: Tracker, options: { readonly clock: Clock; readonly minIntervalS: number }) {
    this.#tracker = tracker;
    this.#clock = options.clock;
    this.#minIntervalS = options.minIntervalS;
  }

  /** @returns Bytes shared by all callers; do not change them. */
  answer(): Uint8Array {
    const nowMs = this.#clock.nowMs();
    if (this.#reply && nowMs - this.#madeAtMs < KEPT_MS) return this.#reply;
    this.#madeAtMs = nowMs;
    this.#reply = encodeScrapeReply(this.#tracker.scrapeAll(TORRENTS_MAX), this.#minIntervalS);
    return this.#reply;
  }
}
