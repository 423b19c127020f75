import { invariant } from "../base/errors.ts";
import { type Endpoint, formatEndpoint, parseEndpoint } from "../base/endpoint.ts";
import { contentLayout } from "../engine/content-layout.ts";
import { withVisibleName } from "../engine/visible-name.ts";
import type {
  EngineTorrent,
  ResumeState,
  TorrentEvent,
  TorrentStats,
} from "../engine/session-contract.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { UserFiles } from "../ports/user-files.ts";
import type { TrackerStatus } from "../tracker-client/remote-tracker.ts";
import type { TrackerSource } from "../tracker-client/tracker-client.ts";
import { brokenWords } from "./broken-torrent.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import type { CommandRun, SessionPorts, SourcePorts } from "./command-ports.ts";
import { diskFull, missingSpace, nearestExisting, refuseWhatDoesNotFit } from "./disk-space.ts";
import { selectByGlobs, selectByRanges } from "./file-selection.ts";
import { type OneShotSession, openSession } from "./open-session.ts";
import { type PeerAddress, resolvePeers } from "./peer-addresses.ts";
import { ResumeFile } from "./resume-file.ts";
import { TrackerNews, type TrackerNewsEvent } from "./tracker-news.ts";
import { readTorrentSource, type TorrentSource } from "./torrent-source.ts";
import { suffixOf, takeFinalNames } from "./unfinished-files.ts";
import { eachSecond } from "./waiting.ts";

export type GetPorts = SourcePorts & SessionPorts;

export interface GetOptions extends CommandRun<GetEvent> {
  /** A .torrent file, a magnet link, or the URL of a torrent. */
  readonly source: string;
  /** Receives the files; made when it is not there. */
  readonly folder: string;
  /** Globs; none means everything. */
  readonly select: readonly string[];
  /** Files have their own names from the start, not a suffix until they are whole. */
  readonly finalNames: boolean;
  /** What becomes of files that are there already and are not of this download. */
  readonly existing: "proven" | "adopted" | "set-aside";
  /** The torrent's name keeps a dot that it begins with; it is shown as `_.name` otherwise. */
  readonly hidden: boolean;
  /** After the download: seed up to this ratio, or until the signal. `undefined` ends at once. */
  readonly seed: number | "forever" | undefined;
  readonly listen: { readonly host: string; readonly port: number } | undefined;
  readonly peers: readonly PeerAddress[];
  /** Announce URLs that a person adds to those of the torrent. */
  readonly trackers: readonly string[];
  readonly downBytesPerSecond: number | undefined;
  readonly upBytesPerSecond: number | undefined;
}

/** What there is at the end. */
export interface GotTorrent {
  readonly name: string;
  /** Absolute; the files are below it. */
  readonly root: string;
  /** Of the wanted files. */
  readonly bytes: number;
  /** In this run and in those that it went on from. */
  readonly downloaded: number;
  readonly uploaded: number;
}

/** What happens on the way. */
export type GetEvent =
  /** Peers can reach us. `waitsForPeers`: nobody told us where any are. */
  | { readonly kind: "ready"; readonly port: number; readonly waitsForPeers: boolean }
  /** It is known what there is to fetch. */
  | {
      readonly kind: "known";
      readonly name: string;
      readonly files: number;
      readonly bytes: number;
      readonly root: string;
    }
  /** Each second. */
  | { readonly kind: "stats"; readonly phase: GetPhase; readonly stats: TorrentStats }
  | {
      readonly kind: "done";
      readonly bytes: number;
      readonly downloaded: number;
      readonly seconds: number;
    }
  /** Once: every tracker was asked, and for some seconds there has been nobody all the same. */
  | {
      readonly kind: "alone";
      readonly trackers: readonly TrackerStatus[];
      /** Addresses in the own network that trackers elsewhere named, and that were not connected to. */
      readonly refused: readonly string[];
    }
  | TrackerNewsEvent
  /** By the signal, before it was done: the same call goes on. */
  | {
      readonly kind: "stopped";
      /** `undefined` while what is there was not looked at yet. */
      readonly doneBytes: number | undefined;
      readonly wantedBytes: number;
      /** What unfinished files end in; `undefined` when they have their own names. */
      readonly suffix: string | undefined;
    }
  | { readonly kind: "banned"; readonly address: string; readonly reason: string }
  | { readonly kind: "trouble"; readonly message: string };

/** `fraction` of a check that goes on before the download. */
export type GetPhase =
  | { readonly kind: "finding" }
  | { readonly kind: "checking"; readonly fraction: number }
  | { readonly kind: "downloading" }
  | { readonly kind: "seeding" };

/** A file in the making that nobody has touched for so long is what a kill left (STO-14). */
const LEFTOVER_MS = 60 * 60 * 1000;
/** Of statistics without a peer, before people are told. Connecting to those a tracker named takes a moment. */
const ALONE_TICKS = 3;

/**
 * Downloads a torrent. What was fetched stays when it is stopped or killed, and the next call with the
 * same folder goes on from there.
 *
 * @throws {CommandError} When it cannot begin; `not-found` when no file is selected; `disk-full`,
 *   `not-writable` when the disk refuses; `not-a-torrent`. Or the signal's reason when it was not done.
 */
export async function getTorrent(ports: GetPorts, options: GetOptions): Promise<GotTorrent> {
  const disk = ports.files;
  const source = await readTorrentSource(ports, options.source, options.signal);
  const root = disk.absolute(options.folder);
  const resume = new ResumeFile(disk, { root, infohashes: infohashesOf(source) }, (error) => {
    const { detail } = diskTrouble(error, "keep the state of the download");
    options.onEvent({ kind: "trouble", message: detail });
  });
  if ("metainfo" in source) {
    const info = namedFor(source.metainfo.info, options);
    const wanted = chooseFiles(disk, info, { source, select: options.select });
    if (missingSpace(disk, { info, root, wanted }) > 0) {
      // Why it cannot be read is told by whoever writes there.
      const known = await resume.load().catch(() => undefined);
      const have = known?.have;
      refuseWhatDoesNotFit(disk, { info, root, wanted, have }, options.folder);
    }
  }
  await prepareFolder(ports, root, options.folder);
  const session = await openSession(ports, {
    listen: options.listen,
    downBytesPerSecond: options.downBytesPerSecond,
    upBytesPerSecond: options.upBytesPerSecond,
  });
  return new Download(ports, options, { source, root, resume, session }).run();
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
  #complete = false;
  /** Counts up to `ALONE_TICKS`, while nobody is there. */
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
    this.#source = parts.source;
    this.#root = parts.root;
    this.#resume = parts.resume;
    this.#session = parts.session;
  }

  async run(): Promise<GotTorrent> {
    const { signal } = this.#options;
    const stop = (): void => this.#stop();
    // It may be rejected while we still look peers up; whoever awaits it below is told all the same.
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
      resolvePeers(this.#ports.datagrams, peers),
      this.#resume.load(),
    ]);
    for (const peer of named) this.#session.guard.trust(peer);
    const known = [...named, ...this.#magnetPeers()];
    this.#trackers = this.#session.trackers(trackersOf(this.#source), this.#options.trackers);
    this.#news = new TrackerNews(this.#trackers, onEvent);
    const waitsForPeers = known.length === 0 && this.#trackers.length === 0;
    if (waitsForPeers && "magnet" in this.#source && !this.#options.listen) throw nobodyToAsk();
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
      sources: this.#trackers,
      peers: known,
      onEvent: (event) => this.#handleEvent(event),
      saveResume: (state) => this.#resume.save(state),
    });
  }

  /** Those that a link may name; the person is told of the others, and may name them instead. */
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
      // What a .torrent names was looked at before anything began.
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
      case "piece-lost":
        break;
    }
  }

  #handleState(state: EngineTorrent["state"]): void {
    if (state.kind === "broken") {
      this.#fail(new CommandError("not-a-torrent", brokenWords(state)));
    }
    if (state.kind !== "waiting") return;
    // The engine would wait until there is room. A command tells its person, and goes on when called again.
    const { folder } = this.#options;
    if (state.cause === "foreign-files") this.#fail(foreignFiles(state.message, folder));
    else if (state.cause === "disk-full") this.#fail(diskFull(this.#missingSpace(), folder));
    else this.#fail(diskTrouble(state, `write to ${folder}`, folder));
  }

  /** Bytes; 0 when it is not known. */
  #missingSpace(): number {
    const { info, have } = this.#torrent ?? {};
    if (!info) return 0;
    const content = { info, root: this.#root, wanted: this.#wanted, have };
    return missingSpace(this.#ports.files, content);
  }

  #handleComplete(): void {
    if (this.#complete) return;
    this.#complete = true;
    // Told when the engine's own event is over, so that its figures are complete.
    queueMicrotask(() => {
      const stats = this.#torrent!.stats();
      this.#news?.tell();
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
    if (!this.#complete) this.#watchAlone(stats);
    if (this.#complete && this.#reachedRatio(stats)) this.#end.resolve();
  }

  #watchAlone(stats: TorrentStats): void {
    if (this.#aloneTicks >= ALONE_TICKS) return;
    const trackers = this.#trackers.flatMap((source) => source.status());
    const answered = trackers.some(({ state }) => state === "working" || state === "failing");
    const asking = trackers.some(({ state }) => state === "announcing");
    this.#aloneTicks = stats.peers > 0 || asking || !answered ? 0 : this.#aloneTicks + 1;
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

  /** The person ends it: fine while seeding, an interruption before. */
  #stop(): void {
    if (this.#complete) this.#end.resolve();
    else this.#fail(this.#options.signal.reason);
  }

  #tellStopped(): void {
    const torrent = this.#torrent;
    if (!torrent?.info) return;
    const { doneBytes: known, wantedBytes } = torrent.stats();
    // Until what is there was looked at, nothing counts as done.
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

  /** Nothing of ours stays beside a finished download. */
  async #tidyUp(): Promise<void> {
    await this.#resume.remove();
    const info = this.#torrent?.info;
    if (!info) return;
    const { partFile } = contentLayout(info, this.#root, undefined);
    await this.#ports.files.below().remove(partFile);
  }
}

/** Without its files, a torrent is nothing that could be waited for. */
function nobodyToAsk(): CommandError {
  return new CommandError(
    "unreachable",
    "Nobody can be asked for this torrent. No tracker and no peer is known, and there is no DHT yet.",
    {
      hint: "--tracker URL or --peer HOST:PORT says whom to ask; --listen HOST:PORT waits for callers.",
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

/** As the engine names it on disk. */
function namedFor(info: TorrentInfo, { hidden }: Pick<GetOptions, "hidden">): TorrentInfo {
  return hidden ? info : withVisibleName(info);
}

/** @param why - From the engine, names the files. */
function foreignFiles(why: string, folder: string): CommandError {
  return new CommandError("exists", `Nothing is overwritten: ${why}.`, {
    subject: folder,
    hint:
      "another folder with -o; --rename gives what is there another name, --adopt takes a file that is there for this " +
      "download and overwrites what differs.",
  });
}

async function prepareFolder(
  { files, clock }: Pick<GetPorts, "files" | "clock">,
  root: string,
  folder: string,
): Promise<void> {
  try {
    // The nearest folder that is there says why it cannot be written to; mkdir of a whole path would
    // call a read-only disk "not found".
    const nearest = nearestExisting(files, root);
    if (files.look(nearest)?.kind !== "file") await files.tryToWriteIn(nearest);
    await files.makeFolders(root);
    await files.removeLeftovers(root, clock.wallMs() - LEFTOVER_MS);
  } catch (error) {
    throw diskTrouble(error, `write to ${folder}`, folder);
  }
}

function infohashesOf(source: TorrentSource): TorrentInfo["infohashes"] {
  return "metainfo" in source ? source.metainfo.info.infohashes : source.magnet.infohashes;
}

function trackersOf(source: TorrentSource): readonly (readonly string[])[] {
  if ("metainfo" in source) return source.metainfo.trackers;
  // A link has no tiers: each tracker is asked (BEP 9).
  return source.magnet.trackers.map((url) => [url]);
}
