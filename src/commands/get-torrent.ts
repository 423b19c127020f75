import { invariant } from "../base/errors.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../base/endpoint.ts";
import { tcpAddresses } from "../base/peer-address.ts";
import { contentLayout } from "../engine/content-layout.ts";
import { withVisibleName } from "../engine/visible-name.ts";
import type {
  EngineTorrent,
  ResumeState,
  TorrentEvent,
  TorrentStats,
} from "../engine/session-contract.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { UserFiles } from "../ports/user-files.ts";
import type { TrackerSource } from "../tracker-client/tracker-client.ts";
import { brokenWords } from "./broken-torrent.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import { nearNode } from "./one-shot-dht.ts";
import { diskFull, missingSpace, refuseWhatDoesNotFit } from "./disk-space.ts";
import { selectByGlobs, selectByRanges } from "./file-selection.ts";
import { type OneShotSession, openSession } from "./open-session.ts";
import { resolvePeers } from "./peer-addresses.ts";
import { prepareFolder } from "./prepare-folder.ts";
import { linkWithoutVersion } from "./publication-link.ts";
import type { GetOptions, GetPhase, GetPorts, GotTorrent } from "./get-options.ts";
import { ResumeFile } from "./resume-file.ts";
import { DhtNews } from "./dht-news.ts";
import { StreamNews } from "./stream-news.ts";
import { TrackerNews } from "./tracker-news.ts";
import { readTorrentSource, type TorrentSource } from "./torrent-source.ts";
import { suffixOf, takeFinalNames } from "./unfinished-files.ts";
import { findVersion } from "./use-dht.ts";
import { eachSecond } from "./waiting.ts";
import { WebSeedNews } from "./web-seed-news.ts";

/**
 * Seconds of statistics without a peer before the user is told. Connecting to the peers of a tracker takes a moment.
 */
const ALONE_TICKS = 3;

/**
 * Downloads a torrent. A stop or a kill loses nothing that was fetched: the next call with the same folder resumes
 * from there.
 *
 * @throws {CommandError} When it cannot start; `not-found` when no file is selected; `disk-full`, `not-writable` when
 * the disk refuses; `not-a-torrent`. Or the signal's reason when the download is incomplete.
 */
export async function getTorrent(ports: GetPorts, options: GetOptions): Promise<GotTorrent> {
  const disk = ports.files;
  const source = await readSource(ports, options);
  const root = disk.absolute(options.folder);
  const resume = new ResumeFile(disk, { root, infohashes: infohashesOf(source) }, (error) => {
    const { detail } = diskTrouble(error, "keep the state of the download");
    options.onEvent({ kind: "trouble", message: detail });
  });
  if ("metainfo" in source) {
    const info = namedFor(source.metainfo.info, options);
    const wanted = chooseFiles(disk, info, { source, select: options.select });
    if (missingSpace(disk, { info, root, wanted }) > 0) {
      // The code that writes there reports why it cannot be read.
      const known = await resume.load().catch(() => undefined);
      const have = known?.have;
      refuseWhatDoesNotFit(disk, { info, root, wanted, have }, options.folder);
    }
  }
  await prepareFolder(ports, root, options.folder);
  const session = await openSession(ports, {
    torrents: "metainfo" in source ? [source.metainfo.info] : undefined,
    listen: options.listen,
    encryption: options.encryption,
    transport: options.transport,
    downBytesPerSecond: options.downBytesPerSecond,
    upBytesPerSecond: options.upBytesPerSecond,
    dht: options.dht,
    pex: options.pex,
    lsd: options.lsd,
    router: options.mapPorts
      ? { onChanged: (status) => options.onEvent({ kind: "router", status }) }
      : undefined,
  });
  return new Download(ports, options, { source, root, resume, session }).run();
}

/** A link may name a publication instead of a torrent (BEP 46): then its newest version is meant. */
async function readSource(ports: GetPorts, options: GetOptions): Promise<TorrentSource> {
  const { dht, signal } = options;
  const link = linkWithoutVersion(options.source);
  if (!link) return readTorrentSource(ports, options.source, signal);
  if (!dht) {
    throw new CommandError(
      "bad-plan",
      "The DHT is off. Only there is a publication found by its key.",
      {
        hint: "leave --dht off out.",
      },
    );
  }
  const { publication } = link;
  const infohashes = await findVersion(ports, { ...dht, publication, signal });
  const magnet = { ...link, infohashes };
  return { magnet, link: formatMagnet(magnet) };
}

class Download {
  readonly #ports: GetPorts;
  readonly #options: GetOptions;
  readonly #source: TorrentSource;
  readonly #root: string;
  readonly #session: OneShotSession;
  readonly #resume: ResumeFile;
  readonly #startedMs: number;
  readonly #end = Promise.withResolvers<void>();
  #torrent: EngineTorrent | undefined;
  #wanted: readonly boolean[] = [];
  #trackers: readonly TrackerSource[] = [];
  #news: TrackerNews | undefined;
  readonly #streams = new StreamNews();
  readonly #dhtNews = new DhtNews();
  #hasToldStreams = false;
  readonly #webSeedNews: WebSeedNews;
  #complete = false;
  /** Counts up to `ALONE_TICKS` while there is no peer. */
  #aloneTicks = 0;

  constructor(
    ports: GetPorts,
    options: GetOptions,
    parts: {
      readonly source: TorrentSource;
      readonly root: string;
      readonly resume: ResumeFile;
      readonly session: OneShotSession;
    },
  ) {
    this.#ports = ports;
    this.#startedMs = ports.clock.nowMs();
    this.#options = options;
    this.#webSeedNews = new WebSeedNews(options.onEvent);
    this.#source = parts.source;
    this.#root = parts.root;
    this.#resume = parts.resume;
    this.#session = parts.session;
  }

  async run(): Promise<GotTorrent> {
    const { signal } = this.#options;
    const stop = (): void => this.#stop();
    // It may reject while peers are still being resolved; the `await` below gets the rejection all the same.
    this.#end.promise.catch(() => undefined);
    const endTicks = eachSecond(this.#ports.clock, () => this.#tick());
    signal.addEventListener("abort", stop);
    try {
      await this.#begin();
      if (signal.aborted) this.#stop();
      await this.#end.promise;
    } finally {
      endTicks();
      signal.removeEventListener("abort", stop);
      await this.#session.close();
      await this.#resume.settle();
      if (signal.aborted && !this.#complete) this.#tellStopped();
    }
    await this.#tidyUp();
    return this.#result();
  }

  async #begin(): Promise<void> {
    const { peers, onEvent } = this.#options;
    const [named, resume] = await Promise.all([
      resolvePeers(this.#ports, peers),
      this.#resume.load(),
    ]);
    for (const peer of named) this.#session.guard.trust(peer);
    const known = [...named, ...this.#magnetPeers()];
    this.#trackers = this.#session.trackers(trackersOf(this.#source), this.#options.trackers);
    this.#news = new TrackerNews(this.#trackers, onEvent);
    const info = "metainfo" in this.#source ? this.#source.metainfo.info : undefined;
    const dht = await this.#session.dht({
      info,
      nodes: "metainfo" in this.#source ? this.#source.metainfo.nodes : [],
      onRefused: (node) => onEvent({ kind: "trouble", message: nearNode(node) }),
    });
    const neighbours = await this.#session.neighbours(this.#source);
    const webSeeds = this.#session.webSeeds(this.#source, this.#options.webSeeds ?? []);
    // By chance a neighbour has it. Only who asks for that waits for it.
    const asked = this.#options.lsd === true ? neighbours : [];
    const isAlone = known.length + this.#trackers.length + dht.length + asked.length === 0;
    // The info of a magnet link comes from peers; the content may come from web seeds.
    if (isAlone && "magnet" in this.#source && !this.#options.listen) throw nobodyToAsk();
    const waitsForPeers = isAlone && (info === undefined || webSeeds.length === 0);
    onEvent({ kind: "ready", port: this.#session.port, waitsForPeers });
    if ("metainfo" in this.#source) this.#tellKnown(this.#source.metainfo.info);
    this.#torrent = this.#session.session.add({
      from: this.#source,
      root: this.#root,
      mode: "download",
      unfinishedSuffix: this.#options.finalNames ? undefined : suffixOf,
      existing: this.#options.existing,
      keepsHiddenName: this.#options.hidden,
      resume,
      select: (info) => this.#select(info, resume),
      sources: [...this.#trackers, ...dht, ...neighbours],
      webSeeds,
      peers: tcpAddresses(known),
      extensions: this.#session.extensions,
      onEvent: (event) => this.#handleEvent(event),
      saveResume: (state) => this.#resume.save(state),
    });
  }

  /** Peers that a link may name. The user is told of the others, and may name them with an option. */
  #magnetPeers(): Endpoint[] {
    const texts = "magnet" in this.#source ? this.#source.magnet.peers : [];
    const peers = texts.flatMap((text) => parseEndpoint(text) ?? []);
    const near = peers.filter((peer) => !this.#session.guard.allowPeer(peer));
    if (near.length === 0) return peers;
    const places = near.map(formatEndpoint).join(", ");
    const message =
      `the link names ${places}, in your own network. Links come from anywhere, so this one is not ` +
      `followed there; if you trust it: --peer ${formatEndpoint(near[0]!)}`;
    this.#options.onEvent({ kind: "trouble", message });
    return peers.filter((peer) => !near.includes(peer));
  }

  #select(info: TorrentInfo, resume: ResumeState | undefined): readonly boolean[] {
    const { folder, select, finalNames } = this.#options;
    const disk = this.#ports.files;
    const root = this.#root;
    const have = resume?.have;
    try {
      this.#wanted = chooseFiles(disk, info, { source: this.#source, select });
      // The trackers and peers of a .torrent were checked before the start.
      if ("magnet" in this.#source) {
        refuseWhatDoesNotFit(disk, { info, root, wanted: this.#wanted, have }, folder);
      }
      if (finalNames && resume) takeFinalNames(disk, { info, root, resume });
      return this.#wanted;
    } catch (error) {
      this.#fail(error);
      return info.files.map(() => false);
    }
  }

  #handleEvent(event: TorrentEvent): void {
    const { onEvent } = this.#options;
    switch (event.kind) {
      case "metadata":
        this.#tellKnown(event.info);
        break;
      case "complete":
        this.#handleComplete();
        break;
      case "peer-banned":
        onEvent({ kind: "banned", address: event.address, reason: event.reason });
        break;
      case "state":
        this.#handleState(event.state);
        break;
      case "piece":
        // A short download is over before the first second is.
        if (!this.#hasToldStreams) this.#tellStreams();
        break;
      case "piece-lost":
        break;
    }
  }

  #tellStreams(): void {
    const connected = this.#streams.next(this.#torrent?.peers() ?? []);
    if (!connected) return;
    this.#hasToldStreams = true;
    this.#options.onEvent({ kind: "connected", ...connected });
  }

  #handleState(state: EngineTorrent["state"]): void {
    if (state.kind === "broken") {
      this.#fail(new CommandError("not-a-torrent", brokenWords(state)));
    }
    if (state.kind !== "waiting") return;
    // The engine would wait for free space. A command reports the problem instead and resumes when it is run again.
    const { folder } = this.#options;
    if (state.cause === "foreign-files") this.#fail(foreignFiles(state.message, folder));
    else if (state.cause === "disk-full") this.#fail(diskFull(this.#missingSpace(), folder));
    else this.#fail(diskTrouble(state, `write to ${folder}`, folder));
  }

  /** Bytes; 0 when unknown. */
  #missingSpace(): number {
    const { info, have } = this.#torrent ?? {};
    if (!info) return 0;
    const content = { info, root: this.#root, wanted: this.#wanted, have };
    return missingSpace(this.#ports.files, content);
  }

  #handleComplete(): void {
    if (this.#complete) return;
    this.#complete = true;
    // Reported after the engine's own event, so that its figures are complete.
    queueMicrotask(() => {
      const stats = this.#torrent!.stats();
      this.#news?.tell();
      this.#webSeedNews.tell(this.#torrent!.webSeeds());
      this.#options.onEvent({
        kind: "done",
        bytes: stats.wantedBytes,
        downloaded: stats.downloaded,
        seconds: (this.#ports.clock.nowMs() - this.#startedMs) / 1000,
      });
      if (this.#options.seed === undefined || this.#reachedRatio(stats)) this.#end.resolve();
    });
  }

  #tick(): void {
    const torrent = this.#torrent;
    if (!torrent) return;
    const stats = torrent.stats();
    this.#options.onEvent({ kind: "stats", phase: this.#phase(torrent), stats });
    this.#news?.tell();
    this.#tellStreams();
    const dht = this.#dhtNews.next(this.#session.dhtAnswers(), stats.peers + stats.webSeeds === 0);
    if (dht) this.#options.onEvent(dht);
    this.#webSeedNews.tell(torrent.webSeeds());
    if (!this.#complete) this.#watchAlone(stats);
    if (this.#complete && this.#reachedRatio(stats)) this.#end.resolve();
  }

  #watchAlone(stats: TorrentStats): void {
    if (this.#aloneTicks >= ALONE_TICKS) return;
    const trackers = this.#trackers.flatMap((source) => source.status());
    const answered = trackers.some(({ state }) => state === "working" || state === "failing");
    const asking = trackers.some(({ state }) => state === "announcing");
    const isFed = stats.peers + stats.webSeeds > 0;
    this.#aloneTicks = isFed || asking || !answered ? 0 : this.#aloneTicks + 1;
    if (this.#aloneTicks !== ALONE_TICKS) return;
    const { refused } = this.#session.guard;
    this.#options.onEvent({ kind: "alone", trackers, refused });
  }

  #phase(torrent: EngineTorrent): GetPhase {
    const { state } = torrent;
    if (state.kind === "fetching-metadata") return { kind: "finding" };
    if (state.kind === "checking") {
      const fraction = state.piecesTotal > 0 ? state.piecesChecked / state.piecesTotal : 0;
      return { kind: "checking", fraction };
    }
    return { kind: this.#complete ? "seeding" : "downloading" };
  }

  #reachedRatio(stats: TorrentStats): boolean {
    const { seed } = this.#options;
    return typeof seed === "number" && stats.uploaded >= seed * stats.wantedBytes;
  }

  #tellKnown(info: TorrentInfo): void {
    const files = info.files.filter((file) => !file.pad).length;
    const { name, geometry } = info;
    const { onEvent } = this.#options;
    onEvent({ kind: "known", name, files, bytes: geometry.dataLength, root: this.#root });
  }

  /** The user stops it: normal while seeding, an interruption before. */
  #stop(): void {
    if (this.#complete) this.#end.resolve();
    else this.#fail(this.#options.signal.reason);
  }

  #tellStopped(): void {
    const torrent = this.#torrent;
    if (!torrent?.info) return;
    const { doneBytes: known, wantedBytes } = torrent.stats();
    // Nothing counts as done before the existing files were examined.
    const doneBytes = torrent.have ? known : undefined;
    const suffix = this.#options.finalNames ? undefined : suffixOf(torrent.info);
    this.#options.onEvent({ kind: "stopped", doneBytes, wantedBytes, suffix });
  }

  #result(): GotTorrent {
    const torrent = this.#torrent;
    invariant(torrent?.info, "it is complete");
    const { wantedBytes, downloaded, uploaded } = torrent.stats();
    return { name: torrent.info.name, root: this.#root, bytes: wantedBytes, downloaded, uploaded };
  }

  #fail(reason: unknown): void {
    this.#end.reject(reason);
  }

  /** Removes our own files beside a finished download. */
  async #tidyUp(): Promise<void> {
    await this.#resume.remove();
    const info = this.#torrent?.info;
    if (!info) return;
    const { partFile } = contentLayout(info, this.#root, undefined);
    await this.#ports.files.below().remove(partFile);
  }
}

/** A magnet link without peers has nothing to wait for. */
function nobodyToAsk(): CommandError {
  return new CommandError(
    "unreachable",
    "There is nowhere to look for peers. No tracker and no peer is known, and the DHT is off.",
    {
      hint: "--dht on asks the DHT, --lsd on the neighbours; --tracker URL or --peer HOST:PORT names one; --listen HOST:PORT waits for peers.",
    },
  );
}

/** @throws {CommandError} `not-found` when no file is wanted. */
function chooseFiles(
  disk: UserFiles,
  info: TorrentInfo,
  { source, select }: { readonly source: TorrentSource } & Pick<GetOptions, "select">,
): readonly boolean[] {
  if (select.length === 0) {
    const ranges = "magnet" in source ? source.magnet.selectOnly : undefined;
    return ranges ? selectByRanges(info, ranges) : info.files.map(() => true);
  }
  const wanted = selectByGlobs(disk, info, select);
  if (wanted.includes(true)) return wanted;
  throw new CommandError("not-found", `No file of ${info.name} matches ${select.join(" or ")}.`, {
    hint: "everseed show lists the files; put a pattern in quotes.",
  });
}

/** The name that the engine gives it on disk. */
function namedFor(info: TorrentInfo, { hidden }: Pick<GetOptions, "hidden">): TorrentInfo {
  return hidden ? info : withVisibleName(info);
}

/** @param why - From the engine; names the files. */
function foreignFiles(why: string, folder: string): CommandError {
  return new CommandError("exists", `Nothing is overwritten: ${why}.`, {
    subject: folder,
    hint:
      "another folder with -o; --rename renames the existing files, --adopt uses them for this " +
      "download and overwrites what differs.",
  });
}

function infohashesOf(source: TorrentSource): TorrentInfo["infohashes"] {
  return "metainfo" in source ? source.metainfo.info.infohashes : source.magnet.infohashes;
}

function trackersOf(source: TorrentSource): readonly (readonly string[])[] {
  if ("metainfo" in source) return source.metainfo.trackers;
  // A link has no tiers: every tracker gets an announce (BEP 9).
  return source.magnet.trackers.map((url) => [url]);
}
