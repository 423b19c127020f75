import { formatBytes } from "../../base/format-bytes.ts";
import type { PublishTorrentOptions } from "../../daemon/publish-torrent.ts";
import { formatCount, formatLeft, formatRate } from "../figures.ts";
import type { Output } from "../output.ts";
import { escapeOutside } from "../outside-text.ts";

/** What the hub tells of a torrent that it fetches. */
type FetchView = Parameters<PublishTorrentOptions["onProgress"]>[0];

/** Shows how far a hub got with a torrent that it fetches from its swarm. */
export class FetchProgress {
  readonly #output: Output;
  #told = false;

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
