import { fetchSchema, type FetchView } from "../api/fetches.ts";
import { FETCH_TORRENT_PATH, fetchPath, FETCHES_PATH } from "../api/paths.ts";
import { CommandError } from "./command-error.ts";
import type { CommandRun, HubPorts, SourcePorts } from "./command-ports.ts";
import { HubClient } from "./hub-client.ts";
import { describePublished, type PublishedTorrent } from "./publish-content.ts";
import { readTorrentSource } from "./torrent-source.ts";
import { sleep } from "./waiting.ts";

export type PublishTorrentPorts = SourcePorts & HubPorts;

/** Sent every second: the hub's progress. */
export interface FetchingEvent {
  readonly kind: "fetching";
  readonly fetch: FetchView;
}

export interface PublishTorrentOptions extends CommandRun<FetchingEvent> {
  /** A .torrent file, a magnet link, or a URL of either. */
  readonly source: string;
  /** Address of the hub. */
  readonly hub: string;
  readonly token: string;
}

const POLL_MS = 1_000;

/** True for input that names a torrent rather than the user's own content. */
export function namesTorrent(path: string): boolean {
  return /^(magnet:|https?:\/\/)/i.test(path) || /\.torrent$/i.test(path);
}

/**
 * Makes a hub fetch a torrent from its swarm and publish it under the same infohash. The hub
 * continues when this run ends early.
 *
 * @throws {CommandError} As `readTorrentSource`; the hub's refusal; `not-readable` when it could
 * not fetch the torrent. Or the signal's reason.
 */
export async function publishTorrent(
  ports: PublishTorrentPorts,
  options: PublishTorrentOptions,
): Promise<PublishedTorrent> {
  const { signal, onEvent } = options;
  const source = await readTorrentSource(ports, options.source, signal);
  const hub = new HubClient(ports.calls, { base: options.hub, token: options.token, signal });
  let fetch =
    "magnet" in source
      ? await hub.ask(FETCHES_PATH, fetchSchema, { magnet: source.link })
      : await hub.ask(FETCH_TORRENT_PATH, fetchSchema, source.bytes);
  const wasHere = fetch.state === "published";
  for (;;) {
    if (fetch.state === "published" && fetch.torrent) {
      return describePublished(fetch.torrent, wasHere || fetch.torrent.id !== fetch.id);
    }
    if (fetch.state === "failed") {
      throw new CommandError(
        "unreachable",
        `The hub could not fetch ${fetch.name}. ${fetch.problem ?? ""}`.trim(),
        { hint: "run the same command again: the hub tries once more." },
      );
    }
    onEvent({ kind: "fetching", fetch });
    await sleep(ports.clock, POLL_MS, signal);
    fetch = await hub.ask(fetchPath(fetch.id), fetchSchema);
  }
}
