import type { TrackerSource } from "../tracker-client/tracker-client.ts";

/** What a tracker said that a person wants to know. Texts from outside. */
export type TrackerNewsEvent =
  /** It does not list us. */
  | { readonly kind: "tracker-failure"; readonly tracker: string; readonly message: string }
  /** It lists us, and has something to say (`warning message` of BEP 3). */
  | { readonly kind: "tracker-warning"; readonly tracker: string; readonly message: string };

/** Different texts of trackers that are told; one that says something new each time is cut off here. */
const TOLD_MAX = 100;

/**
 * Watches trackers and tells each failure and each warning once: a tracker is asked for as long as its torrent
 * runs, and all torrents may have the same one.
 */
export class TrackerNews {
  readonly #sources: readonly Pick<TrackerSource, "status">[];
  readonly #onEvent: (event: TrackerNewsEvent) => void;
  /** Trackers of a torrent that failed: a tracker may give another reason each time. */
  readonly #failed = new Set<string>();
  readonly #told = new Set<string>();

  constructor(
    sources: readonly Pick<TrackerSource, "status">[],
    onEvent: (event: TrackerNewsEvent) => void,
  ) {
    this.#sources = sources;
    this.#onEvent = onEvent;
  }

  /** Tells what is new since the last call. */
  tell(): void {
    for (const [index, source] of this.#sources.entries()) {
      for (const { name, state, message } of source.status()) {
        if (state === "working" && message !== undefined) {
          this.#tell({ kind: "tracker-warning", tracker: name, message });
        }
        if (state === "failing" && !this.#failed.has(`${index} ${name}`)) {
          this.#failed.add(`${index} ${name}`);
          this.#tell({ kind: "tracker-failure", tracker: name, message: message ?? "no answer" });
        }
      }
    }
  }

  #tell(event: TrackerNewsEvent): void {
    const words = `${event.kind} ${event.tracker} ${event.message}`;
    if (this.#told.has(words) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(words);
    this.#onEvent(event);
  }
}
