import type { Bitfield } from "../base/bitfield.ts";
import { equalBytes } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { wireInfohashes, type Infohashes } from "../base/infohash.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { parseInfo } from "../metainfo/parse-metainfo.ts";
import type { Content, DiskFailure, DiskOutcome } from "../ports/content.ts";
import type { HandshakeFlags } from "../wire/handshake.ts";
import { encodeHashReject } from "../wire/hash-transfer.ts";
import { WireError } from "../wire/wire-error.ts";
import type { HashRange } from "../wire/wire-sink.ts";
import { Choker } from "./choker.ts";
import { contentLayout } from "./content-layout.ts";
import { DiskRecovery } from "./disk-recovery.ts";
import { ContentOpening, type OpenedContent } from "./content-opening.ts";
import { ExtensionExchange } from "./extension-exchange.ts";
import { HashExchange } from "./hash-exchange.ts";
import type { Peer } from "./peer.ts";
import type { PeerOwner } from "./peer-owner.ts";
import type { RateLimit } from "./rate-limit.ts";
import { RateMeter } from "./rate-meter.ts";
import { ResumeKeeper } from "./resume-keeper.ts";
import type {
  AddTorrent,
  EnginePorts,
  EngineSettings,
  EngineTorrent,
  PeerSourceHandle,
  PeerStatus,
  TorrentEvent,
  TorrentState,
  TorrentStats,
} from "./session-contract.ts";
import { Swarm } from "./swarm.ts";
import { Transfer } from "./transfer.ts";

/** What trackers are told is left while nobody knows (sheet 08). */
const UNKNOWN_LEFT = BLOCK_BYTES;

/** What the session shares among its torrents. */
export interface TorrentHost {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly upLimit: RateLimit;
  readonly downLimit: RateLimit;
  /** Opens a connection; `undefined` when a limit forbids it at the moment. */
  dial(remote: Endpoint, owner: PeerOwner, infohash: Uint8Array): Peer | undefined;
  /** There may be somebody new to dial. */
  handleCandidates(): void;
  handleDisconnected(peer: Peer): void;
  /** The peer waits for memory or its share of the upload rate. */
  handleHungry(peer: Peer): void;
  /** Memory for sending came back. */
  handleRoom(): void;
  /** Somebody waits for its share of the download rate. */
  handleStarved(): void;
}

/**
 * One torrent: what it is doing, its peers and its pieces put together.
 *
 * stopped -> fetching-metadata (magnet) -> checking -> downloading <-> seeding -> stopped;
 * downloading <-> waiting while the disk refuses; seeding -> downloading when a piece is lost;
 * fetching-metadata, downloading, seeding -> broken, for good, when the torrent contradicts itself.
 */
export class Torrent implements EngineTorrent {
  readonly infohashes: Infohashes;
  readonly #host: TorrentHost;
  readonly #options: AddTorrent;
  readonly #swarm: Swarm;
  readonly #extensions: ExtensionExchange;
  readonly #choker: Choker<Peer>;
  readonly #upMeter = new RateMeter();
  readonly #downMeter = new RateMeter();
  readonly #upLimit: RateLimit;
  readonly #downLimit: RateLimit;
  readonly #owner: PeerOwner;
  #sources: PeerSourceHandle[] = [];
  #info: TorrentInfo | undefined;
  #content: Content | undefined;
  #opening: ContentOpening | undefined;
  #hashes: HashExchange | undefined;
  #transfer: Transfer | undefined;
  #resume: ResumeKeeper | undefined;
  #recovery: DiskRecovery | undefined;
  #have: Bitfield | undefined;
  #wantedFiles: readonly boolean[] | undefined;
  #state: TorrentState = { kind: "stopped" };
  #uploaded: number;
  #downloaded: number;
  #completed = false;
  /** Sources hear once that a download ended, and not when there was nothing to download (BEP 3). */
  #toldSources = false;
  #lacksEmptyFiles = false;
  #settling = false;
  #stopped: Promise<void> | undefined;
  readonly #opened = Promise.withResolvers<void>();

  constructor(host: TorrentHost, options: AddTorrent) {
    this.#host = host;
    this.#options = options;
    const { from } = options;
    this.infohashes = "metainfo" in from ? from.metainfo.info.infohashes : from.magnet.infohashes;
    if ("metainfo" in from) this.#info = from.metainfo.info;
    this.#uploaded = options.resume?.uploaded ?? 0;
    this.#downloaded = options.resume?.downloaded ?? 0;
    this.#upLimit = host.upLimit.child(options.upBytesPerSecond ?? 0);
    this.#downLimit = host.downLimit.child(options.downBytesPerSecond ?? 0);
    const { ports, settings, peerId } = host;
    this.#swarm = new Swarm({ ports, settings, peerId });
    this.#choker = new Choker({ random: ports.random, uploadSlots: settings.uploadSlots });
    this.#extensions = this.#makeExtensions();
    this.#owner = this.#makeOwner();
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

  /** It is not known yet what of it is on disk. */
  get isChecking(): boolean {
    return this.#state.kind === "checking";
  }

  /** Resolves when that is known, or the torrent is stopped. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  get halfOpenCount(): number {
    return this.#swarm.halfOpenCount;
  }

  stats(): TorrentStats {
    const now = this.#nowMs();
    const transfer = this.#transfer;
    let peers = 0;
    let seeds = 0;
    for (const peer of this.#swarm.open()) {
      peers += 1;
      if (peer.isSeed) seeds += 1;
    }
    return {
      uploaded: this.#uploaded,
      downloaded: this.#downloaded,
      uploadBytesPerSecond: this.#upMeter.bytesPerSecond(now),
      downloadBytesPerSecond: this.#downMeter.bytesPerSecond(now),
      wantedBytes: transfer?.download.wantedBytes ?? this.#info?.geometry.dataLength ?? 0,
      doneBytes: transfer?.download.doneBytes ?? 0,
      left: transfer?.download.left ?? this.#info?.geometry.dataLength ?? UNKNOWN_LEFT,
      peers,
      seeds,
      knownPeers: this.#swarm.knownCount,
      rarestCopies: transfer?.download.rarestCopies ?? 0,
    };
  }

  peers(): PeerStatus[] {
    return this.#swarm.statuses(this.#nowMs());
  }

  addPeers(peers: readonly Endpoint[]): void {
    this.#swarm.offer(peers, "manual", this.#nowMs());
    this.#host.handleCandidates();
  }

  setWanted(wanted: readonly boolean[]): void {
    this.#wantedFiles = wanted;
    this.#content?.setWanted(wanted, (outcome) => this.#handleOutcome(outcome));
    if (!this.#transfer) return;
    this.#transfer.download.setWantedFiles(wanted);
    this.#completed = false;
    this.#resume?.touch();
    if (!this.#isComplete) this.#beginAgain();
    this.#judgeCompletion();
    this.#host.handleCandidates();
    this.#settle();
  }

  setLimits(limits: { downBytesPerSecond?: number; upBytesPerSecond?: number }): void {
    if (limits.downBytesPerSecond !== undefined) this.#downLimit.setRate(limits.downBytesPerSecond);
    if (limits.upBytesPerSecond !== undefined) this.#upLimit.setRate(limits.upBytesPerSecond);
    this.#host.handleStarved();
  }

  // ---- Beginning and end ---------------------------------------------------------------------------

  /** Called once, by the session. */
  start(): void {
    const { from, peers = [] } = this.#options;
    this.#swarm.offer(peers, "manual", this.#nowMs());
    if ("metainfo" in from) {
      this.#open(from.metainfo.info, from.metainfo.pieceLayers);
      return;
    }
    this.#enter({ kind: "fetching-metadata" });
    this.#attachSources();
    this.#host.handleCandidates();
  }

  /** Says goodbye to peers and trackers, makes data durable and saves the last resume. */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #shutDown(): Promise<void> {
    this.#opening?.cancel();
    this.#recovery?.cancel();
    this.#opened.resolve();
    const goodbyes = this.#sources.map((source) => source.detach());
    this.#sources = [];
    for (const peer of this.#swarm.all()) peer.close("the torrent is stopped");
    const content = this.#content;
    if (content) {
      this.#transfer?.upload.close();
      await this.#transfer?.download.spillAll();
      await this.#resume?.finish();
      await new Promise<void>((done) => content.close(done));
    }
    await Promise.all(goodbyes);
    this.#enter({ kind: "stopped" });
  }

  #handleMetadata(infoBytes: Uint8Array): void {
    let info: TorrentInfo;
    try {
      info = parseInfo(infoBytes);
    } catch (error) {
      if (!(error instanceof MetainfoError)) throw error;
      // It matches the infohash, so no peer can bring a better one.
      this.#break(error.message);
      return;
    }
    this.#info = info;
    for (const peer of this.#swarm.all()) {
      try {
        if (peer.isOpen) peer.setPieceCount(info.geometry.pieceCount);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        peer.close(error.message);
      }
    }
    this.#emit({ kind: "metadata", info });
    this.#open(info, new Map());
  }

  /** The info is known: opens the files and finds out what of them to believe. */
  #open(info: TorrentInfo, layers: ReadonlyMap<string, Uint8Array>): void {
    const { ports, settings } = this.#host;
    this.#hashes = new HashExchange({
      info,
      layers,
      nowMs: () => this.#nowMs(),
      onKnown: () => this.#handleHashesKnown(),
      onLiar: (peer) => peer.close("sent hashes that prove nothing"),
    });
    const layout = contentLayout(info, this.#options.root, this.#hashes.table);
    const content = ports.content.open(layout);
    this.#content = content;
    this.#enter({ kind: "checking", piecesChecked: 0, piecesTotal: 0 });
    this.#wantedFiles ??= this.#options.select?.(info);
    if (this.#wantedFiles) {
      content.setWanted(this.#wantedFiles, (outcome) => this.#handleOutcome(outcome));
    }
    this.#opening = new ContentOpening({
      info,
      content,
      clock: ports.clock,
      resume: this.#options.resume,
      mode: this.#options.mode,
      resumeIntervalMs: settings.resumeIntervalMs,
      onProgress: (piecesChecked, piecesTotal) => {
        this.#state = { kind: "checking", piecesChecked, piecesTotal };
      },
      onFailure: (failure) => this.#enter(waitingFor(failure)),
      onOpened: (opened) => this.#begin(info, content, opened),
    });
  }

  /** The disk has been judged: peers may be served and asked. */
  #begin(info: TorrentInfo, content: Content, opened: OpenedContent): void {
    const { ports, settings } = this.#host;
    this.#opening = undefined;
    this.#have = opened.have;
    this.#transfer = new Transfer({
      info,
      content,
      ports,
      opened,
      hashes: this.#hashes!,
      wantedFiles: this.#wantedFiles,
      upLimit: this.#upLimit,
      downLimit: this.#downLimit,
      requestQueueMax: settings.requestQueueMax,
      events: {
        nowMs: () => this.#nowMs(),
        openPeers: () => this.#swarm.open(),
        settle: () => this.#settle(),
        handlePiece: (piece) => this.#handlePiece(piece),
        handleLost: (piece) => this.#losePiece(piece),
        handleLiar: (address, reason) => this.#ban(address, reason),
        handleInconsistent: (piece, fault) => this.#handleInconsistent(piece, fault),
        handleDiskFailure: (failure) => this.#handleDiskFailure(failure),
        handleGone: (files) => this.#recovery!.handleGone(files),
        handleUploaded: (bytes) => this.#countUploaded(bytes),
        handleHungry: (peer) => this.#host.handleHungry(peer),
        handleRoom: () => this.#host.handleRoom(),
        handleStarved: () => this.#host.handleStarved(),
      },
    });
    this.#recovery = this.#makeRecovery(info, content, opened);
    this.#resume = this.#makeResume(content);
    if (opened.checked) this.#resume?.touch();
    this.#toldSources = this.#isComplete;
    this.#lacksEmptyFiles = this.#options.mode === "download";
    this.#createEmptyFiles();
    for (const peer of this.#swarm.open()) {
      // They met us while we fetched the metadata, and know nothing of what we have.
      for (const piece of opened.have.indexes()) peer.out.have(piece);
      this.#introduce(peer);
    }
    if (!this.#isComplete) this.#enter({ kind: "downloading" });
    if (this.#sources.length === 0) this.#attachSources();
    else for (const source of this.#sources) source.handleMetadata();
    this.#judgeCompletion();
    this.#opened.resolve();
    this.#host.handleCandidates();
    this.#settle();
  }

  #createEmptyFiles(): void {
    if (!this.#lacksEmptyFiles) return;
    this.#content!.createEmpty((outcome) => {
      if (outcome.kind === "done") this.#lacksEmptyFiles = false;
      else this.#handleDiskFailure(outcome);
    });
  }

  #makeRecovery(info: TorrentInfo, content: Content, opened: OpenedContent): DiskRecovery {
    return new DiskRecovery({
      info,
      root: this.#options.root,
      content,
      have: opened.have,
      known: this.#options.resume?.stamps,
      wantsFile: (index) => this.#transfer!.download.wantsFile(index),
      nowMs: () => this.#nowMs(),
      onStill: (failure) => this.#waitForDisk(failure),
      onReturned: (pieces) => this.#transfer!.handleReturned(pieces),
      onJudged: (intact, corrupt) => this.#transfer!.handleJudged(intact, corrupt),
      onBack: () => {
        if (this.#state.kind === "waiting") this.#enter({ kind: "downloading" });
        this.#createEmptyFiles();
        this.#transfer!.download.resume();
        this.#judgeCompletion();
        this.#settle();
      },
    });
  }

  #makeResume(content: Content): ResumeKeeper | undefined {
    const { saveResume } = this.#options;
    return (
      saveResume &&
      new ResumeKeeper({
        content,
        clock: this.#host.ports.clock,
        intervalMs: this.#host.settings.resumeIntervalMs,
        collect: () => ({
          have: this.#have!.clone(),
          partial: this.#transfer!.download.partial(),
          uploaded: this.#uploaded,
          downloaded: this.#downloaded,
        }),
        save: (resume) => {
          this.#recovery!.remember(resume.stamps);
          saveResume(resume);
        },
        onFailure: (failure) => this.#handleDiskFailure(failure),
      })
    );
  }

  #attachSources(): void {
    this.#sources = (this.#options.sources ?? []).map((source) =>
      source.attach({
        infohashes: this.infohashes,
        private: () => this.#info?.private ?? false,
        peerId: this.#host.peerId,
        port: () => this.#host.port,
        stats: () => this.stats(),
        // Seeds too: who came before them waits for somebody to call.
        wantsPeers: () => !this.#swarm.isFull && this.#state.kind !== "broken",
        offerPeers: (peers) => {
          this.#swarm.offer(peers, "tracker", this.#nowMs());
          this.#host.handleCandidates();
        },
      }),
    );
  }

  // ---- Connections -----------------------------------------------------------------------------------

  /** Asked by the session for a peer that dialled us. @returns Who takes the peer, when it may come in. */
  admit(peer: Peer): PeerOwner | undefined {
    const { kind } = this.#state;
    if (this.#stopped || kind === "checking" || kind === "broken") return undefined;
    return this.#swarm.admit(peer, this.#nowMs()) ? this.#owner : undefined;
  }

  /** Opens a connection to the next candidate. @returns False when nobody is to be dialled now. */
  dialNext(now: number): boolean {
    const { kind } = this.#state;
    // Seeds dial too: a leecher behind a router cannot be found by those who wait to be called.
    if (this.#stopped || kind === "checking" || kind === "broken") return false;
    const infohash = wireInfohashes(this.infohashes)[0]!;
    return this.#swarm.dialNext(now, (remote) => this.#host.dial(remote, this.#owner, infohash));
  }

  #makeOwner(): PeerOwner {
    const pieceCount = (): number | undefined => this.#info?.geometry.pieceCount;
    const flags: HandshakeFlags = {
      extended: true,
      fast: true,
      dht: false,
      v2: this.infohashes.v2 !== undefined,
    };
    return {
      flags,
      peerId: this.#host.peerId,
      get pieceCount() {
        return pieceCount();
      },
      nowMs: () => this.#nowMs(),
      accepts: (infohash) =>
        wireInfohashes(this.infohashes).some((known) => equalBytes(known, infohash)),
      handleReady: (peer) => this.#handleReady(peer),
      handleClosed: (peer, reason, byUs) => this.#handleClosed(peer, reason, byUs),
      handleHave: (peer, piece) => {
        this.#transfer?.download.handleHave(peer, piece);
        this.#dropIfUseless(peer);
      },
      handlePossession: (peer) => {
        this.#transfer?.download.handlePossession(peer);
        this.#hashes?.requestFrom(peer);
        this.#dropIfUseless(peer);
      },
      handleInterest: (peer) => this.#handleInterest(peer),
      handleExtended: (peer, id, payload) => this.#extensions.handleExtended(peer, id, payload),
      handleHashRequest: (peer, range) => this.#answerHashes(peer, range),
      handleHashes: (peer, range, hashes) => this.#hashes?.handleHashes(peer, range, hashes),
      handleHashReject: (peer, range) => this.#hashes?.handleReject(peer, range),
      handleOutput: (peer) => this.#swarm.handleOutput(peer),
      handleDownloaded: (bytes) => {
        this.#downloaded += bytes;
        this.#downMeter.add(bytes, this.#nowMs());
      },
      transfer: () => this.#transfer,
      settle: () => this.#settle(),
    };
  }

  #makeExtensions(): ExtensionExchange {
    return new ExtensionExchange({
      infohashes: this.infohashes,
      metadataBytesMax: this.#host.settings.metadataBytesMax,
      requestQueueMax: this.#host.settings.requestQueueMax,
      listenPort: () => this.#host.port,
      pieceCount: () => this.#info?.geometry.pieceCount,
      info: () => this.#info && { bytes: this.#info.infoBytes, private: this.#info.private },
      nowMs: () => this.#nowMs(),
      events: {
        handleListening: (peer) => this.#swarm.handleListening(peer, this.#nowMs()),
        handleMetadata: (infoBytes) => this.#handleMetadata(infoBytes),
        handleDontHave: (peer, piece) => {
          if (peer.pieces?.delete(piece) === true) {
            this.#transfer?.download.handleDontHave(peer, piece);
          }
        },
        handleMetadataLiar: (peer) =>
          this.#ban(peer.remote.address, "sent a false info dictionary"),
      },
    });
  }

  #answerHashes(peer: Peer, range: HashRange): void {
    if (this.#transfer?.leaves.handleRequest(peer, range) === true) return;
    peer.out.frame(this.#hashes?.answer(range) ?? encodeHashReject(range));
  }

  #handleReady(peer: Peer): string | undefined {
    const refusal = this.#swarm.refusal(peer);
    if (refusal !== undefined) return refusal;
    if (peer.extended) this.#extensions.start(peer);
    peer.out.possession(this.#transfer && this.#have, peer.fast);
    if (this.#transfer) this.#introduce(peer);
    return undefined;
  }

  #introduce(peer: Peer): void {
    this.#transfer!.download.addPeer(peer);
    this.#hashes!.requestFrom(peer);
    this.#dropIfUseless(peer);
  }

  #handleClosed(peer: Peer, reason: string, byUs: boolean): void {
    this.#swarm.handleClosed(peer, byUs, this.#nowMs());
    this.#transfer?.download.removePeer(peer);
    this.#extensions.gone(peer);
    this.#hashes?.gone(peer);
    this.#host.handleDisconnected(peer);
    this.#host.ports.log.debug("peer closed", { peer: peer.remote.address, reason });
    if (this.#choker.gone(peer)) this.#rechoke();
    // A candidate may take the free place; the session's tick sees to that.
    this.#settle();
  }

  #handleInterest(peer: Peer): void {
    if (!this.#transfer) return;
    if (peer.peerInterested) {
      if (this.#choker.hasFree) this.#rechoke();
    } else if (!peer.amChoking) {
      this.#transfer.choke(peer);
      this.#rechoke();
    }
  }

  #rechoke(): void {
    const transfer = this.#transfer;
    if (!transfer || this.#stopped) return;
    const { choke, unchoke } = this.#choker.decide({
      peers: this.#swarm.open(),
      seeding: this.#isComplete,
      limited: transfer.isUploadLimited,
      now: this.#nowMs(),
    });
    for (const peer of choke) transfer.choke(peer);
    for (const peer of unchoke) peer.setChoking(false);
  }

  /** A seed and a seed have nothing to say to each other. */
  #dropIfUseless(peer: Peer): void {
    if (!this.#isComplete || !this.#hashes!.complete) return;
    if (peer.isSeed || peer.uploadOnly) peer.close("both sides have everything");
  }

  #ban(address: string, reason: string): void {
    this.#host.ports.log.warn("peer banned", { address, reason });
    this.#swarm.ban(address, reason);
    this.#emit({ kind: "peer-banned", address, reason });
  }

  // ---- What happened to pieces -----------------------------------------------------------------------

  get #isComplete(): boolean {
    return this.#transfer?.download.complete === true;
  }

  #handlePiece(piece: number): void {
    this.#resume?.touch();
    for (const peer of this.#swarm.open()) {
      // Who has the piece need not be told.
      if (peer.pieces?.has(piece) !== true) peer.out.have(piece);
      else this.#transfer!.download.refreshInterest(peer);
    }
    this.#emit({ kind: "piece", piece });
    this.#judgeCompletion();
  }

  #judgeCompletion(): void {
    if (!this.#isComplete) return;
    if (this.#state.kind !== "seeding") this.#enter({ kind: "seeding" });
    if (this.#completed) return;
    this.#completed = true;
    for (const peer of this.#swarm.all()) if (peer.isOpen) this.#dropIfUseless(peer);
    if (!this.#toldSources) for (const source of this.#sources) source.handleComplete();
    this.#toldSources = true;
    this.#emit({ kind: "complete" });
  }

  /** Something is wanted again: seeds that were let go are of use. */
  #beginAgain(): void {
    if (this.#state.kind !== "seeding") return;
    this.#swarm.recall(this.#nowMs());
    this.#enter({ kind: "downloading" });
  }

  #handleHashesKnown(): void {
    this.#transfer?.download.handleHashesKnown();
    this.#judgeCompletion();
  }

  /** A piece on disk is not what it was (WIR-14): wanted again. */
  #losePiece(piece: number): void {
    this.#host.ports.log.warn("a piece on disk is damaged", { piece });
    this.#resume?.touch();
    this.#completed = false;
    for (const peer of this.#swarm.open()) {
      this.#extensions.sendDontHave(peer, piece);
      this.#transfer!.download.refreshInterest(peer);
    }
    this.#emit({ kind: "piece-lost", piece });
    this.#beginAgain();
    this.#host.handleCandidates();
  }

  #handleOutcome(outcome: DiskOutcome): void {
    if (outcome.kind === "failure") this.#handleDiskFailure(outcome);
  }

  /** The disk refuses: nothing is asked for until it takes bytes again. Serving goes on. */
  #handleDiskFailure(failure: DiskFailure): void {
    if (this.#stopped) return;
    this.#recovery?.handleFailure(failure);
    if (this.#state.kind === "waiting") this.#transfer?.download.pause();
    else this.#waitForDisk(failure);
  }

  #waitForDisk(failure: DiskFailure): void {
    this.#transfer?.download.pause();
    const state = waitingFor(failure);
    if (this.#state.kind === "waiting" && this.#state.message === state.message) return;
    this.#host.ports.log.error("the disk refused", { path: failure.path, code: failure.code });
    this.#enter(state);
  }

  /** The hashes of a hybrid contradict each other: a piece can never be right by both (BEP 52). */
  #handleInconsistent(piece: number, fault: "v1" | "v2"): void {
    const right = fault === "v1" ? "v2" : "v1";
    this.#break(
      `the two descriptions in this hybrid torrent contradict each other: piece ${piece} is right by its ` +
        `${right} hash and wrong by its ${fault} hash, whoever sends it`,
    );
  }

  /** Nothing that peers or the disk can do will help. */
  #break(message: string): void {
    this.#host.ports.log.error("the torrent is broken", { message });
    this.#transfer?.download.pause();
    this.#enter({ kind: "broken", message });
    for (const peer of this.#swarm.all()) peer.close("the torrent is broken");
  }

  #countUploaded(bytes: number): void {
    this.#uploaded += bytes;
    this.#upMeter.add(bytes, this.#nowMs());
    this.#resume?.touch();
  }

  // ---- Time and rate -----------------------------------------------------------------------------------

  /** Twice a second. */
  tick(now: number): void {
    this.#swarm.tick(now);
    if (this.#state.kind === "fetching-metadata") this.#extensions.requestMetadata();
    if (this.#transfer) {
      this.#hashes!.tick(this.#swarm.open());
      this.#recovery!.tick(now);
      this.#transfer.tick(now);
      if (this.#choker.due(now)) this.#rechoke();
    }
    this.#resume?.tick(now);
    this.#settle();
  }

  /** When a rate limit lets somebody of ours go on; infinity when nobody waits for one. */
  nextAllowanceMs(now: number): number {
    return this.#transfer?.nextAllowanceMs(now) ?? Number.POSITIVE_INFINITY;
  }

  handleAllowance(): void {
    if (this.#transfer?.download.isStarvedOfRate !== true) return;
    this.#transfer.download.handleAllowance();
    this.#settle();
  }

  /** The end of a burst of events: what was decided during it is carried out and sent. */
  #settle(): void {
    // What this causes joins the round that is going on.
    if (this.#settling) return;
    this.#settling = true;
    this.#transfer?.settle();
    this.#swarm.flush(this.#nowMs());
    this.#settling = false;
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
    this.#options.onEvent?.(event);
  }
}

function waitingFor(failure: DiskFailure): Extract<TorrentState, { kind: "waiting" }> {
  const full = failure.code === "ENOSPC" || failure.code === "EDQUOT";
  return { kind: "waiting", cause: full ? "disk-full" : "disk-error", message: failure.message };
}
