import { formatBytes } from "../../base/format-bytes.ts";
import type { FetchingEvent } from "../../commands/publish-torrent.ts";
import { formatCount, formatLeft, formatRate } from "../figures.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";

/** The hub's description of a fetch. */
type FetchView = FetchingEvent["fetch"];

/** Different messages of trackers that are shown; a tracker that keeps changing its message is cut off here. */
const TOLD_MAX = 100;

/** Shows the progress of a torrent that the hub fetches from its swarm. */
export class FetchProgress {
  readonly #output: Output;
  readonly #words = new Set<string>();
  #told = false;
  #toldStalled = false;

  constructor(output: Output) {
    this.#output = output;
  }

  update(fetch: FetchView): void {
    const { state, size, bytesDone, bytesPerSecond, peers, pageUrl } = fetch;
    if (!this.#told) {
      this.#told = true;
      this.#output.say(
        `The hub fetches ${escapeOutside(fetch.name)} from its swarm and goes on when this ends.`,
      );
      this.#output.say(`Its page: ${escapeOutside(pageUrl)}`);
    }
    this.#output.record({ event: "fetching", state, size, bytesDone, bytesPerSecond, peers });
    this.#tellTrackers(fetch);
    const swarm = formatCount(peers, "peer");
    const doing = DOING[state];
    if (size === null || size === 0) {
      this.#output.progress.update({ doing, parts: [swarm] });
      return;
    }
    this.#output.progress.update({
      doing,
      fraction: bytesDone / size,
      parts: [
        formatBytes(size),
        formatRate(bytesPerSecond),
        swarm,
        formatLeft(size - bytesDone, bytesPerSecond),
      ],
    });
  }

  /**
   * Shows each message of a tracker once. Warnings concern everybody; one dead tracker of many matters only when no
   * peer sends.
   */
  #tellTrackers({ trackerNotices, state, problem }: FetchView): void {
    for (const { kind, tracker, message } of trackerNotices) {
      const words = `${kind} ${tracker} ${message}`;
      if (this.#words.has(words) || this.#words.size >= TOLD_MAX) continue;
      this.#words.add(words);
      this.#output.record({ event: `tracker-${kind}`, tracker, message });
      const line = `${escapeOutside(tracker)} says: ${escapeOutside(message)}`;
      if (kind === "warning") this.#output.say(line);
      else this.#output.detail(line);
    }
    if (state !== "stalled" || this.#toldStalled) return;
    this.#toldStalled = true;
    const reasons = trackerNotices.map(
      ({ tracker, message }) => `\n  ${escapeOutside(tracker)}: ${escapeOutside(message)}`,
    );
    const why = escapeOutside(problem ?? "Nobody sends it to the hub");
    this.#output.warn(`${why}; it waits for somebody who has it.${reasons.join("")}`);
  }
}

const DOING: Readonly<Record<FetchView["state"], string>> = {
  finding: "Finding details",
  checking: "Checking",
  fetching: "Fetching",
  stalled: "Stalled: nobody has pieces",
  waiting: "Waiting for the hub's disk",
  failed: "Failed",
  published: "Published",
};
