import type { TrackerNotice } from "../publish/fetch-state.ts";
import type { TrackerSource } from "../tracker-client/tracker-client.ts";

/** What a tracker said that a person wants to know. Texts from outside. */
export type TrackerNewsEvent =
  /** It does not list us. */
  | { readonly kind: "tracker-failure"; readonly tracker: string; readonly message: string }
  /** It lists us, and has something to say (`warning message` of BEP 3). */
  | { readonly kind: "tracker-warning"; readonly tracker: string; readonly message: string };

/** Characters of a name or of a text that are told: a torrent may name any host. */
const WORDS_MAX = 300;

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
      for (const { kind, tracker, message } of trackerNotices([source])) {
        if (kind === "failure") {
          if (this.#failed.has(`${index} ${tracker}`)) continue;
          this.#failed.add(`${index} ${tracker}`);
        }
        this.#tell({ kind: `tracker-${kind}`, tracker, message });
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

/** What trackers say at this moment, warnings first; one that works and has nothing to say is left out. */
export function trackerNotices(
  sources: readonly Pick<TrackerSource, "status">[],
): readonly TrackerNotice[] {
  const warnings: TrackerNotice[] = [];
  const failures: TrackerNotice[] = [];
  for (const { name, state, message } of sources.flatMap((source) => source.status())) {
    const tracker = cut(name);
    if (state === "working" && message !== undefined) {
      warnings.push({ kind: "warning", tracker, message: cut(message) });
    }
    if (state === "failing") {
      failures.push({ kind: "failure", tracker, message: cut(message ?? "no answer") });
    }
  }
  return [...warnings, ...failures];
}

function cut(text: string): string {
  return text.length > WORDS_MAX ? `${text.slice(0, WORDS_MAX)}...` : text;
}
