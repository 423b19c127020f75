import type { RouterStatus } from "../nat/router-status.ts";
import type { EngineTorrent, PeerSource, TorrentEvent } from "../engine/session-contract.ts";
import type { KeptVersion } from "../dht/kept-version.ts";
import type { Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import type { TransportMode } from "../base/transport-mode.ts";
import { brokenWords } from "./broken-torrent.ts";
import { CommandError } from "./command-error.ts";
import type { CommandRun, DiskPorts, SessionPorts } from "./command-ports.ts";
import type { SigningKey } from "../ports/signatures.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { filesWithoutLayer, measureLayers, WRONG_AS_A_WHOLE } from "./known-layers.ts";
import { findFiles, type FoundFile, troubleWith } from "./found-files.ts";
import { locateContent } from "./locate-content.ts";
import { type DhtChoice, nearNode } from "./one-shot-dht.ts";
import { type OneShotSession, openSession } from "./open-session.ts";
import type { CreatedTorrent, PlannedTorrent } from "./create-torrent.ts";
import { readSeedSource, type SeedSourcePorts } from "./seed-source.ts";
import { DhtNews, type DhtNewsEvent } from "./dht-news.ts";
import { type Connected, StreamNews } from "./stream-news.ts";
import { keepVersion, type PublicationEvent, refuseUnpublishable } from "./publish-version.ts";
import { suffixOf } from "./unfinished-files.ts";
import { untilAborted } from "./waiting.ts";
import { TrackerNews, type TrackerNewsEvent } from "./tracker-news.ts";

export type SeedPorts = SeedSourcePorts & SessionPorts;

export interface SeedOptions extends CommandRun<SeedEvent> {
  /** .torrent files or their URLs; or content, of which torrents are created. */
  readonly sources: readonly string[];
  /** The folder that holds the content of the given torrents. */
  readonly folder: string;
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly encryption: EncryptionMode;
  readonly transport: TransportMode;
  readonly upBytesPerSecond?: number | undefined;
  /**
   * Announce URLs that the user adds: every torrent is announced there too, and created torrents
   * name them.
   */
  readonly trackers: readonly string[];
  /** URLs of the files on the web, which created torrents name. */
  readonly webSeeds?: readonly string[] | undefined;
  /** `undefined`: no DHT. */
  readonly dht?: DhtChoice | undefined;
  /** Peers tell each other of others. */
  readonly pex: boolean;
  /** Neighbours are looked for; by default where others can connect to. */
  readonly lsd?: boolean | undefined;
  /** The one torrent is the newest version of this publication (BEP 46); the DHT has to be on. */
  readonly publication?: { readonly key: SigningKey; readonly salt: Uint8Array } | undefined;
  /** Has the router pass the port on. */
  readonly mapPorts?: boolean | undefined;
  /** Show each peer little at a time, as long as nobody else has everything (BEP 16). */
  readonly superSeeding?: boolean | undefined;
}

export type SeedEvent =
  /** A torrent is being created. */
  | { readonly kind: "plan"; readonly plan: PlannedTorrent }
  | { readonly kind: "hashed"; readonly bytes: number }
  | { readonly kind: "made"; readonly made: CreatedTorrent }
  /** A torrent of this content existed already. `magnet` is its link. */
  | { readonly kind: "known"; readonly file: string; readonly magnet: string }
  /**
   * A .torrent file lacks hashes of pieces: this many bytes are read to compute them. `hashed`
   * reports the progress.
   */
  | { readonly kind: "measuring"; readonly name: string; readonly bytes: number }
  | { readonly kind: "measured" }
  /** Peers can reach us. `isHidden`: nothing tells strangers where one of the torrents is, no tracker and no DHT. */
  | {
      readonly kind: "ready";
      readonly port: number;
      readonly torrents: readonly SeededTorrent[];
      readonly isHidden: boolean;
    }
  /** What the peers are connected over, or where they came from, has changed; looked at every second. */
  | ({ readonly kind: "connected" } & Connected)
  /** The sum over all torrents, every second. */
  | { readonly kind: "stats"; readonly stats: SeedStats }
  /** A piece is corrupt, or the disk refuses: that torrent waits, the others continue. */
  | { readonly kind: "trouble"; readonly name: string; readonly message: string }
  | PublicationEvent
  /** What came of asking the router for the port. */
  | { readonly kind: "router"; readonly status: RouterStatus }
  /** A failing tracker is retried all the while. */
  | DhtNewsEvent
  | TrackerNewsEvent;

export interface SeededTorrent {
  readonly name: string;
  readonly bytes: number;
}

export interface SeedStats {
  readonly uploaded: number;
  readonly downloaded: number;
  readonly peers: number;
  readonly uploadBytesPerSecond: number;
}

/**
 * Seeds torrents until the signal comes. Pieces are judged on their first request, so that seeding
 * starts at once at any size.
 *
 * @returns Totals over all torrents.
 * @throws {CommandError} When a torrent, a file or the port is unavailable.
 */
export async function seedTorrents(ports: SeedPorts, options: SeedOptions): Promise<SeedStats> {
  const torrents: { metainfo: Metainfo; root: string }[] = [];
  for (const source of options.sources) {
    const { metainfo, folder } = await readSeedSource(ports, source, {
      folder: options.folder,
      trackers: options.trackers,
      webSeeds: options.webSeeds ?? [],
      onPlan: (plan) => options.onEvent({ kind: "plan", plan }),
      onProgress: (bytes) => options.onEvent({ kind: "hashed", bytes }),
      onMade: (made) => options.onEvent({ kind: "made", made }),
      onKnown: (file, magnet) => options.onEvent({ kind: "known", file, magnet }),
      signal: options.signal,
    });
    const { root, info } = locateContent(ports.files, metainfo.info, folder);
    const found = refuseOtherFiles(ports.files, info, root);
    const located = { ...metainfo, info };
    const pieceLayers = await completeLayers(ports, located, { ...options, found, root });
    torrents.push({ metainfo: { ...located, pieceLayers }, root });
  }
  const { publication } = options;
  if (publication) refuseUnpublishable(torrents.map(({ metainfo }) => metainfo));
  const session = await openSession(ports, {
    torrents: torrents.map(({ metainfo }) => metainfo.info),
    listen: options.listen,
    encryption: options.encryption,
    transport: options.transport,
    upBytesPerSecond: options.upBytesPerSecond,
    dht: options.dht,
    pex: options.pex,
    lsd: options.lsd,
    router: options.mapPorts
      ? { onChanged: (status) => options.onEvent({ kind: "router", status }) }
      : undefined,
  });
  let kept: KeptVersion | undefined;
  try {
    const trackers = torrents.map(({ metainfo }) =>
      session.trackers(metainfo.trackers, options.trackers),
    );
    const dht = await Promise.all(
      torrents.map(({ metainfo: { info, nodes } }) => {
        const onRefused = (node: string): void =>
          options.onEvent({ kind: "trouble", name: info.name, message: nearNode(node) });
        return session.dht({ info, nodes, onRefused });
      }),
    );
    const neighbours = await Promise.all(torrents.map((torrent) => session.neighbours(torrent)));
    const added = torrents.map((torrent, index) => {
      const sources = [...trackers[index]!, ...dht[index]!, ...neighbours[index]!];
      return add(session, { ...torrent, sources }, options);
    });
    const news = new TrackerNews(trackers.flat(), options.onEvent);
    options.onEvent({
      kind: "ready",
      port: session.port,
      torrents: torrents.map(({ metainfo }) => ({
        name: metainfo.info.name,
        bytes: metainfo.info.geometry.dataLength,
      })),
      isHidden: torrents.some((_, index) => trackers[index]!.length + dht[index]!.length === 0),
    });
    const streams = new StreamNews();
    const dhtNews = new DhtNews();
    const isDhtNeeded = torrents.some((_, index) => trackers[index]!.length === 0);
    if (publication) {
      const { info } = torrents[0]!.metainfo;
      kept = await keepVersion(ports, session, { ...publication, info, onEvent: options.onEvent });
    }
    await untilAborted(ports.clock, options.signal, () => {
      news.tell();
      const connected = streams.next(added.flatMap((torrent) => torrent.peers()));
      if (connected) options.onEvent({ kind: "connected", ...connected });
      const answers = dhtNews.next(session.dhtAnswers(), isDhtNeeded);
      if (answers) options.onEvent(answers);
      options.onEvent({ kind: "stats", stats: sum(added) });
    });
    return sum(added);
  } finally {
    kept?.close();
    await session.close();
  }
}

/**
 * Report a file that is missing, unreadable or of another size now, not when the first peer
 * requests it.
 */
function refuseOtherFiles(disk: UserFiles, info: TorrentInfo, root: string): FoundFile[] {
  const files = findFiles(disk, info, { root, suffix: suffixOf(info) });
  for (const found of files) {
    const trouble = troubleWith(found, info.files[found.index]!);
    if (trouble) throw trouble;
  }
  return files;
}

/**
 * Computes the piece layers that a .torrent file lacks from its content, and serves them with it.
 *
 * @throws {CommandError} `corrupt` for a file with other content.
 */
async function completeLayers(
  ports: DiskPorts,
  metainfo: Metainfo,
  how: CommandRun<SeedEvent> & { readonly found: readonly FoundFile[]; readonly root: string },
): Promise<Metainfo["pieceLayers"]> {
  const { found, root, onEvent, signal } = how;
  const { info } = metainfo;
  const lacking = filesWithoutLayer(metainfo);
  if (lacking.size === 0) return metainfo.pieceLayers;
  let bytes = 0;
  for (const index of lacking) bytes += info.files[index]!.length;
  onEvent({ kind: "measuring", name: info.name, bytes });
  const onProgress = (bytesDone: number): void => onEvent({ kind: "hashed", bytes: bytesDone });
  const { layers, judged } = await measureLayers(ports, metainfo, found, {
    root,
    onProgress,
    signal,
  });
  onEvent({ kind: "measured" });
  for (const { index, path } of found) {
    if (judged.get(index) !== false) continue;
    throw new CommandError("corrupt", `${path} ${WRONG_AS_A_WHOLE}`, {
      subject: path,
      hint: "everseed get --adopt into the same folder fetches what differs.",
    });
  }
  return layers;
}

function add(
  session: OneShotSession,
  torrent: {
    readonly metainfo: Metainfo;
    readonly root: string;
    readonly sources: readonly PeerSource[];
  },
  options: SeedOptions,
): EngineTorrent {
  const { metainfo, root, sources } = torrent;
  const { name } = metainfo.info;
  return session.session.add({
    from: { metainfo },
    root,
    mode: "seed",
    sources,
    extensions: session.extensions,
    superSeeding: options.superSeeding,
    onEvent: (event) => {
      const message = troubleOf(event);
      if (message !== undefined) options.onEvent({ kind: "trouble", name, message });
    },
  });
}

function troubleOf(event: TorrentEvent): string | undefined {
  if (event.kind === "piece-lost") {
    return `piece ${event.piece} does not match its hash; it is not served`;
  }
  if (event.kind === "state" && event.state.kind === "waiting") {
    return `${event.state.message}; it continues when that is over`;
  }
  if (event.kind === "state" && event.state.kind === "broken") return brokenWords(event.state);
  return undefined;
}

function sum(torrents: readonly EngineTorrent[]): SeedStats {
  let uploaded = 0;
  let downloaded = 0;
  let peers = 0;
  let uploadBytesPerSecond = 0;
  for (const torrent of torrents) {
    const stats = torrent.stats();
    uploaded += stats.uploaded;
    downloaded += stats.downloaded;
    peers += stats.peers;
    uploadBytesPerSecond += stats.uploadBytesPerSecond;
  }
  return { uploaded, downloaded, peers, uploadBytesPerSecond };
}
