import type { Bitfield } from "../../base/bitfield.ts";
import type { Endpoint } from "../../base/endpoint.ts";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { Infohashes } from "../../base/infohash.ts";
import { MetainfoError } from "../../metainfo/metainfo-error.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import { parseInfo } from "../../metainfo/parse-metainfo.ts";
import type { DiskFailure, DiskOutcome, OpenContent } from "../../ports/content.ts";
import { openInSlices } from "../storage/open-in-slices.ts";
import { Opening, type OpenedContent } from "../storage/opening.ts";
import type { ExistingFiles } from "../existing-files.ts";
import { contradictedBy, HashExchange, type PieceRun } from "../exchange/hash-exchange.ts";
import type {
  AddTorrent,
  EngineTorrent,
  PeerStatus,
  TorrentEvent,
  TorrentState,
  TorrentStats,
} from "../session-contract.ts";
import type { TorrentTurns } from "../sharing/scheduler.ts";
import { waitingFor } from "../storage/torrent-files.ts";
import { existingOf, named } from "./add-options.ts";
import type { TorrentHost } from "./torrent-host.ts";
import { TorrentPeers } from "./torrent-peers.ts";
import { TorrentReads } from "./torrent-reads.ts";
import { TorrentSources } from "./torrent-sources.ts";
import { BurstMark, type BurstMember } from "../sharing/bursts.ts";
import { inTurns } from "./burst-content.ts";
import { TorrentTraffic } from "./torrent-traffic.ts";
import { Transfer, type TransferOutput } from "./transfer.ts";

type BrokenState = Extract<TorrentState, { kind: "broken" }>;

/** What trackers are told is left while nobody knows (sheet 08). */
const UNKNOWN_LEFT = BLOCK_BYTES;

/**
 * One torrent: what it is doing, its peers and its pieces put together.
 *
 * stopped -> fetching-metadata (magnet) -> checking -> downloading <-> seeding -> stopped;
 * downloading <-> waiting while the disk refuses; seeding -> downloading when a piece is lost;
 * fetching-metadata, downloading, seeding -> broken, for good, when the torrent contradicts itself.
 */
export class Torrent implements EngineTorrent, BurstMember {
  readonly infohashes: Infohashes;
  readonly mark = new BurstMark();
  readonly #host: TorrentHost;
  readonly #options: AddTorrent;
  readonly #existing: ExistingFiles;
  /** Asked by the session for peers that dial us, and whom to dial. */
  readonly connections: TorrentPeers;
  readonly #sources: TorrentSources;
  readonly #traffic: TorrentTraffic;
  readonly #reads: TorrentReads;
  #info: TorrentInfo | undefined;
  #content: OpenContent | undefined;
  #opening: Opening | undefined;
  /** From the time its info is known until its files are open. */
  #isOpening = false;
  /** Ends the waiting for a root that a removed torrent still closes. */
  #endLeasing: () => void = () => undefined;
  #endLaying: () => void = () => undefined;
  #hashes: HashExchange | undefined;
  #transfer: Transfer | undefined;
  #unfinishedSuffix: string | undefined;
  #have: Bitfield | undefined;
  #wantedFiles: readonly boolean[] | undefined;
  #state: TorrentState = { kind: "stopped" };
  #completed = false;
  /** What is to be told when the burst is over. */
  readonly #events: TorrentEvent[] = [];
  #stopped: Promise<void> | undefined;
  readonly #opened = Promise.withResolvers<void>();

  constructor(host: TorrentHost, options: AddTorrent) {
    this.#host = host;
    this.#options = options;
    const { from } = options;
    this.infohashes = "metainfo" in from ? from.metainfo.info.infohashes : from.magnet.infohashes;
    if ("metainfo" in from) this.#info = named(from.metainfo.info, options);
    this.#existing = existingOf(options);
    this.#traffic = new TorrentTraffic(host, options, this.#turns());
    this.#reads = new TorrentReads({
      info: () => this.#info,
      nowMs: () => this.#nowMs(),
      burst: this.#burst,
    });
    this.connections = this.#makePeers();
    const { swarm } = this.connections;
    this.#sources = new TorrentSources({
      host,
      swarm,
      torrent: this,
      sources: options.sources ?? [],
    });
  }

  // ---- What others see -----------------------------------------------------------------------------

  get info(): TorrentInfo | undefined {
    return this.#info;
  }

  get state(): TorrentState {
    return this.#state;
  }

  get have(): Bitfield | undefined {
    return this.#have;
  }

  /** It is not known yet what of it is on disk: nobody is served or asked. Perhaps the disk refuses to tell. */
  get isOpening(): boolean {
    return this.#isOpening;
  }

  get root(): string {
    return this.#options.root;
  }

  /** Resolves when that is known, or the torrent is stopped. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  stats(): TorrentStats {
    const download = this.#transfer?.download;
    const length = this.#info?.geometry.dataLength;
    return {
      ...this.#traffic.stats(this.#nowMs()),
      ...this.connections.swarm.stats(),
      wantedBytes: download?.wantedBytes ?? length ?? 0,
      doneBytes: download?.doneBytes ?? 0,
      left: download?.left ?? length ?? UNKNOWN_LEFT,
      rarestCopies: download?.rarestCopies ?? 0,
    };
  }

  peers(): PeerStatus[] {
    return this.connections.statuses(this.#nowMs());
  }

  partialCopies(): Uint16Array | undefined {
    return this.#info && this.connections.swarm.partialCopies(this.#info.geometry.pieceCount);
  }

  addPeers(peers: readonly Endpoint[]): void {
    this.#host.bursts.run(() => {
      this.connections.swarm.offer(peers, "manual", this.#nowMs());
      this.#host.handleCandidates();
    });
  }

  setWanted(wanted: readonly boolean[]): void {
    this.#burst(() => this.#want(wanted));
  }

  readonly read: EngineTorrent["read"] = (file, range, options) =>
    this.#reads.read(file, range, options);

  #want(wanted: readonly boolean[]): void {
    this.#wantedFiles = wanted;
    if (!this.#transfer) {
      this.#content?.places?.setWanted(wanted, (outcome) => this.#handleOutcome(outcome));
      return;
    }
    this.#completed = false;
    this.#transfer.setWantedFiles(wanted);
    if (!this.#isComplete) this.#beginAgain();
    else this.#judgeCompletion();
    this.#host.handleCandidates();
  }

  setLimits(limits: { downBytesPerSecond?: number; upBytesPerSecond?: number }): void {
    this.#traffic.setLimits(limits);
    this.#host.bursts.run(() => this.#host.handleRoom());
  }

  // ---- Beginning and end ---------------------------------------------------------------------------

  /** Called once, by the session. */
  start(): void {
    const { from, peers = [] } = this.#options;
    this.connections.swarm.offer(peers, "manual", this.#nowMs());
    if ("metainfo" in from) {
      this.#open(named(from.metainfo.info, this.#options), from.metainfo.pieceLayers);
      return;
    }
    this.#enter({ kind: "fetching-metadata" });
    this.#sources.attach();
    this.#host.handleCandidates();
  }

  /** Says goodbye to peers and trackers, makes data durable and saves the last resume. */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #shutDown(): Promise<void> {
    this.#endLeasing();
    this.#endLaying();
    this.#host.scheduler.leave(this.#traffic.shares);
    this.#opening?.cancel();
    this.#transfer?.cancel();
    this.#reads.end("stopped", "the torrent was stopped");
    this.#opened.resolve();
    const goodbyes = this.#sources.detach();
    this.connections.closeAll("the torrent is stopped");
    // Nobody may be left when unfinished pieces go to disk.
    this.connections.drain();
    const content = this.#content;
    if (this.#transfer) await this.#transfer.close();
    else if (content) await new Promise<void>((done) => content.bytes.close(done));
    await goodbyes;
    this.#enter({ kind: "stopped" });
  }

  #handleMetadata(infoBytes: Uint8Array): void {
    let info: TorrentInfo;
    try {
      info = named(parseInfo(infoBytes), this.#options);
    } catch (error) {
      if (!(error instanceof MetainfoError)) throw error;
      // It matches the infohash, so no peer can bring a better one.
      this.#break({ kind: "broken", cause: "bad-info", message: error.message });
      return;
    }
    this.#info = info;
    this.connections.setPieceCount(info.geometry.pieceCount);
    this.#emit({ kind: "metadata", info });
    this.#open(info, new Map());
  }

  /** The info is known: opens the files and finds out what of them to believe. */
  #open(info: TorrentInfo, layers: ReadonlyMap<string, Uint8Array>): void {
    this.#hashes = new HashExchange({
      info,
      layers,
      nowMs: () => this.#nowMs(),
      onKnown: (runs) => this.#handleHashesKnown(runs),
      onLiar: (connection) => connection.close("sent hashes that prove nothing"),
    });
    this.#enter({ kind: "checking", piecesChecked: 0, piecesTotal: 0 });
    this.#isOpening = true;
    const { root } = this.#options;
    this.#endLeasing = this.#host.roots.whenFree(root, () =>
      this.#burst(() => this.#openFiles(info)),
    );
  }

  #openFiles(info: TorrentInfo): void {
    const { ports } = this.#host;
    this.#unfinishedSuffix = this.#options.unfinishedSuffix?.(info);
    this.#endLaying = openInSlices({
      source: ports.content,
      clock: ports.clock,
      info,
      root: this.#options.root,
      hashesV2: this.#hashes!.table,
      existing: this.#existing,
      unfinishedSuffix: this.#unfinishedSuffix,
      onOpened: (content) => this.#burst(() => this.#judgeFiles(info, content)),
    });
  }

  #judgeFiles(info: TorrentInfo, opened: OpenContent): void {
    const { ports, settings } = this.#host;
    const content = inTurns(opened, this.#host.bursts, this);
    this.#content = content;
    this.#wantedFiles ??= this.#options.select?.(info);
    if (this.#wantedFiles) {
      content.places?.setWanted(this.#wantedFiles, (outcome) => this.#handleOutcome(outcome));
    }
    this.#opening = new Opening({
      info,
      content,
      clock: ports.clock,
      resume: this.#options.resume,
      mode: this.#options.mode,
      root: this.#options.root,
      existing: this.#existing,
      unfinishedSuffix: this.#unfinishedSuffix,
      wantedFiles: this.#wantedFiles,
      saveResume: this.#options.saveResume,
      resumeIntervalMs: settings.resumeIntervalMs,
      onProgress: (piecesChecked, piecesTotal) => {
        this.#state = { kind: "checking", piecesChecked, piecesTotal };
      },
      onFailure: (failure) => this.#enter(waitingFor(failure)),
      onOpened: (found) => this.#burst(() => this.#begin(info, content, found)),
    });
  }

  /** The disk has been judged: peers may be served and asked. */
  #begin(info: TorrentInfo, content: OpenContent, opened: OpenedContent): void {
    const { ports, settings } = this.#host;
    this.#opening = undefined;
    this.#isOpening = false;
    this.#have = opened.have;
    this.#transfer = new Transfer({
      info,
      content,
      ports,
      settings,
      opened,
      hashes: this.#hashes!,
      wantedFiles: this.#wantedFiles,
      traffic: this.#traffic,
      add: this.#options,
      existing: this.#existing,
      unfinishedSuffix: this.#unfinishedSuffix,
    });
    const { download, files } = this.#transfer;
    if (this.#existing === "untouched") download.pause();
    this.connections.introduceAll(this.#transfer, opened.have);
    if (!this.#isComplete || files.mayBeUnnamed) this.#enter({ kind: "downloading" });
    this.#sources.handleOpened(this.#isComplete);
    // The disk was looked at a moment ago.
    if (this.#isComplete) files.name();
    this.#reads.handleOpened(this.#transfer.reads);
    this.#opened.resolve();
    this.#host.handleCandidates();
  }

  #makePeers(): TorrentPeers {
    return new TorrentPeers(this.#host, {
      infohashes: this.infohashes,
      info: () => this.#info,
      have: () => this.#have,
      hashes: () => this.#hashes,
      transfer: () => this.#transfer,
      isComplete: () => this.#isComplete,
      isStopped: () => this.#stopped !== undefined,
      takesPeers: () => !this.#stopped && !this.#isOpening && this.#state.kind !== "broken",
      handleMetadata: (infoBytes) => this.#handleMetadata(infoBytes),
      handleDownloaded: (bytes, now) => this.#traffic.countDownloaded(bytes, now),
      handleBanned: (address, reason) => this.#emit({ kind: "peer-banned", address, reason }),
      settle: () => this.#host.bursts.settle(this),
    });
  }

  // ---- What happened to pieces -----------------------------------------------------------------------

  get #isComplete(): boolean {
    return this.#transfer?.download.complete === true;
  }

  #handlePiece(piece: number): void {
    this.connections.tellHave(piece);
    this.#emit({ kind: "piece", piece });
    this.#judgeCompletion();
  }

  /** Nothing is called complete that is not at its place. */
  #judgeCompletion(): void {
    if (!this.#isJudged || (this.#state.kind === "seeding" && this.#completed)) return;
    this.#transfer!.files.confirm();
  }

  get #isJudged(): boolean {
    return this.#isComplete && this.#transfer?.files.isPlacing === false;
  }

  #handleComplete(): void {
    if (this.#state.kind !== "seeding") this.#enter({ kind: "seeding" });
    if (this.#completed) {
      // A reader wanted more for a while.
      this.connections.dropUseless();
      return;
    }
    this.#completed = true;
    this.connections.dropUseless();
    this.#sources.handleComplete();
    this.#emit({ kind: "complete" });
  }

  /** Something is wanted again: seeds that were let go are of use. */
  #beginAgain(): void {
    if (this.#state.kind !== "seeding") return;
    this.connections.swarm.recall(this.#nowMs());
    this.#enter({ kind: "downloading" });
  }

  #handleReadsChanged(): void {
    if (this.#stopped) return;
    if (this.#isComplete) {
      this.#judgeCompletion();
      return;
    }
    this.#beginAgain();
    this.#host.handleCandidates();
  }

  #handleHashesKnown(runs: readonly PieceRun[]): void {
    this.#transfer?.download.handleHashesKnown(runs);
    this.#judgeCompletion();
  }

  /** A piece on disk is not what it was (WIR-14): wanted again. */
  #losePiece(piece: number): void {
    this.#host.ports.log.warn("a piece on disk is damaged", { piece });
    this.#completed = false;
    this.connections.tellLost(piece);
    this.#emit({ kind: "piece-lost", piece });
    this.#beginAgain();
    this.#host.handleCandidates();
  }

  #handleOutcome(outcome: DiskOutcome): void {
    if (outcome.kind === "done") return;
    if (this.#transfer) this.#transfer.files.handleFailure(outcome);
    else this.#handleDiskFailure(outcome);
  }

  #handleDiskFailure(failure: DiskFailure): void {
    // One cause is told, not that of each piece that was on its way.
    if (this.#state.kind === "waiting") this.#transfer?.download.pause();
    else this.#waitForDisk(failure);
  }

  /** The disk refuses: nothing is asked for until it takes bytes again. Serving goes on. */
  #waitForDisk(failure: DiskFailure): void {
    if (this.#stopped) return;
    this.#transfer?.download.pause();
    const state = waitingFor(failure);
    if (this.#state.kind === "waiting" && this.#state.message === state.message) return;
    this.#host.ports.log.error("the disk refused", { path: failure.path, code: failure.code });
    this.#enter(state);
  }

  #goOn(): void {
    if (this.#state.kind === "waiting") this.#enter({ kind: "downloading" });
    if (this.#existing !== "untouched") this.#transfer!.download.resume();
    this.#transfer!.files.placeAgain();
    this.#judgeCompletion();
  }

  /** Nothing that peers or the disk can do will help. */
  #break(state: BrokenState): void {
    this.#host.ports.log.error("the torrent is broken", { message: state.message });
    this.#transfer?.download.pause();
    this.#enter(state);
    this.#reads.end("broken", state.message);
    this.connections.closeAll("the torrent is broken");
  }

  // ---- Time and rate -----------------------------------------------------------------------------------

  /** Twice a second. */
  tick(now: number): void {
    this.connections.tick(now);
    // What those who left owed us can be asked of others at once.
    this.connections.drain();
    this.#transfer?.tick(now);
    this.#host.bursts.settle(this);
  }

  /** What is done when it is its turn at something scarce. */
  #turns(): TorrentTurns {
    const turn =
      (use: (transfer: Transfer, now: number) => boolean) =>
      (now: number): boolean => {
        const wantsMore = this.#transfer ? use(this.#transfer, now) : false;
        this.#host.bursts.settle(this);
        return wantsMore;
      };
    return {
      down: turn(({ download }, now) => download.handleAllowance(now)),
      up: turn(({ upload }, now) => upload.serveWaiting("rate", now)),
      receive: turn(({ download }) => download.handleMemory()),
      send: turn((transfer, now) => transfer.serveWaitingForMemory(now)),
    };
  }

  /** Others wait for memory. @returns Whether a piece that lay idle goes to disk, unfinished. */
  spillIdle(): boolean {
    return this.#transfer?.download.spillIdle() ?? false;
  }

  /** When a limit of its own lets it go on; infinity when it waits for none. */
  nextOwnMs(now: number): number {
    const { down, up } = this.#traffic.shares;
    return Math.min(down.nextOwnMs(now), up.nextOwnMs(now));
  }

  /** A limit of its own may let it go on. */
  handleOwnAllowance(now: number): void {
    const { down, up } = this.#traffic.shares;
    const downEnded = down.endOwnWait(now);
    const upEnded = up.endOwnWait(now);
    if (downEnded) this.#transfer?.download.handleAllowance(now);
    if (upEnded) this.#transfer?.upload.serveWaiting("rate", now);
    if (downEnded || upEnded) this.#host.bursts.settle(this);
  }

  /** Does something as a burst, at whose end what it decides is carried out. */
  readonly #burst = (run: () => void): void => this.#host.bursts.run(run, this);

  settle(): void {
    this.#drain();
    this.#transfer?.settle();
    this.#drain();
    this.connections.swarm.flush(this.#nowMs());
  }

  /** Carries out what the machines say, until none says anything. */
  #drain(): void {
    this.connections.drain();
    for (let next = this.#transfer?.nextOutput(); next; next = this.#transfer!.nextOutput()) {
      this.#handleOutput(next);
      this.connections.drain();
    }
  }

  #handleOutput(output: TransferOutput): void {
    switch (output.kind) {
      case "piece":
        this.#handlePiece(output.piece);
        break;
      case "lost":
        this.#losePiece(output.piece);
        break;
      case "liar":
        this.connections.ban(output.sender, output.reason);
        break;
      case "contradiction":
        this.#break(contradictedBy(output.piece, output.fault));
        break;
      case "refused":
        this.#handleDiskFailure(output.failure);
        break;
      case "still":
        this.#waitForDisk(output.failure);
        break;
      case "back":
        this.#goOn();
        break;
      case "placed":
        this.#judgeCompletion();
        break;
      case "wanted":
        this.#handleReadsChanged();
        break;
      case "confirmed":
        if (this.#isJudged) this.#handleComplete();
        break;
      case "sent":
        this.#traffic.countUploaded(output.bytes, this.#nowMs());
        break;
    }
  }

  tell(): void {
    for (let next = this.#events.shift(); next; next = this.#events.shift()) {
      this.#options.onEvent?.(next);
    }
  }

  #nowMs(): number {
    return this.#host.ports.clock.nowMs();
  }

  #enter(state: TorrentState): void {
    // What breaks a torrent stays; nothing that still happens to it hides why.
    if (this.#state.kind === "broken" && state.kind !== "stopped") return;
    this.#state = state;
    this.#emit({ kind: "state", state });
  }

  #emit(event: TorrentEvent): void {
    if (!this.#options.onEvent) return;
    this.#events.push(event);
    this.#host.bursts.tell(this);
  }
}
