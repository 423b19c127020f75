import type { TrackerNotice } from "../publish/fetch-state.ts";
import type { TrackerSource } from "../tracker-client/tracker-client.ts";

/** Messages of trackers that matter to the user. Texts from outside. */
export type TrackerNewsEvent =
  /** The tracker does not list us. */
  | { readonly kind: "tracker-failure"; readonly tracker: string; readonly message: string }
  /** The tracker lists us and has a message (`warning message` of BEP 3). */
  | { readonly kind: "tracker-warning"; readonly tracker: string; readonly message: string };

/** Longest name or text to report, in characters: a torrent may name any host. */
const WORDS_MAX = 300;

/** Limit on distinct texts to report; it stops a tracker that says something new each time. */
const TOLD_MAX = 100;

/**
 * Watches trackers and reports each failure and each warning once: a tracker gets announces for as
 * long as its torrent runs, and all torrents may share it.
 */
export class TrackerNews {
  readonly #sources: readonly Pick<TrackerSource, "status">[];
  readonly #onEvent: (event: TrackerNewsEvent) => void;
  /** The trackers of each torrent that have failed: a tracker may give another reason each time. */
  readonly #failed = new Set<string>();
  readonly #told = new Set<string>();

  constructor(
    sources: readonly Pick<TrackerSource, "status">[],
    onEvent: (event: TrackerNewsEvent) => void,
  ) {
    this.#sources = sources;
    this.#onEvent = onEvent;
  }

  /** Reports what is new since the last call. */
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

/**
 * The trackers' current messages, warnings first; a working tracker without a message is left out.
 */
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
