import { parseEndpoint } from "../base/endpoint.ts";
import { tcpAddresses } from "../base/peer-address.ts";
import type { TorrentEvent } from "../engine/session-contract.ts";
import type { MagnetLink, TorrentInfo } from "../metainfo/metainfo.ts";
import { brokenWords } from "./broken-torrent.ts";
import { CommandError } from "./command-error.ts";
import type { SessionPorts } from "./command-ports.ts";
import { openSession, type OneShotSessionOptions } from "./open-session.ts";
import { type NamedPeer, resolvePeers } from "./peer-addresses.ts";
import { eachSecond } from "./waiting.ts";

export interface FetchInfoOptions extends OneShotSessionOptions {
  readonly magnet: MagnetLink;
  /** Absolute; nothing is written there. */
  readonly folder: string;
  readonly peers: readonly NamedPeer[];
  /** Announce URLs that the user adds. */
  readonly trackers: readonly string[];
  /** Every second, with the number of peers. */
  readonly onTick: (peers: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Fetches the info dictionary that a magnet link names, and no content.
 *
 * @throws {CommandError} `not-a-torrent` when what matches the infohash is no info dictionary. Or the signal's reason.
 */
export async function fetchInfo(
  ports: SessionPorts,
  options: FetchInfoOptions,
): Promise<TorrentInfo> {
  const { magnet, signal } = options;
  const session = await openSession(ports, options);
  const end = Promise.withResolvers<TorrentInfo>();
  // It may reject before somebody waits for it.
  end.promise.catch(() => undefined);
  const stop = (): void => end.reject(signal.reason);
  signal.addEventListener("abort", stop);
  let endTicks: (() => void) | undefined;
  try {
    signal.throwIfAborted();
    const named = await resolvePeers(ports, options.peers);
    for (const peer of named) session.guard.trust(peer);
    const ofLink = magnet.peers.flatMap((text) => parseEndpoint(text) ?? []);
    const peers = [...named, ...ofLink.filter((peer) => session.guard.allowPeer(peer))];
    const trackers = session.trackers(
      magnet.trackers.map((url) => [url]),
      options.trackers,
    );
    const dht = await session.dht({ info: undefined, nodes: [], onRefused: () => undefined });
    const torrent = session.session.add({
      from: { magnet },
      root: options.folder,
      mode: "download",
      select: (info) => info.files.map(() => false),
      sources: [...trackers, ...dht],
      peers: tcpAddresses(peers),
      onEvent: (event) => handle(event, end),
    });
    endTicks = eachSecond(ports.clock, () => options.onTick(torrent.stats().peers));
    return await end.promise;
  } finally {
    endTicks?.();
    signal.removeEventListener("abort", stop);
    await session.close();
  }
}

function handle(event: TorrentEvent, end: PromiseWithResolvers<TorrentInfo>): void {
  if (event.kind === "metadata") end.resolve(event.info);
  if (event.kind === "state" && event.state.kind === "broken") {
    end.reject(new CommandError("not-a-torrent", brokenWords(event.state)));
  }
}
