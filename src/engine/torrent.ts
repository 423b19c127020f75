import { Bitfield } from "../base/bitfield.ts";
import { equalBytes } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { invariant } from "../base/errors.ts";
import { wireInfohashes, type Infohashes } from "../base/infohash.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { parseInfo } from "../metainfo/parse-metainfo.ts";
import type { Content, DiskFailure, FileStamp } from "../ports/content.ts";
import type { HandshakeFlags } from "../wire/handshake.ts";
import { WireError } from "../wire/wire-error.ts";
import type { HashRange } from "../wire/wire-sink.ts";
import { Candidates } from "./candidates.ts";
import { contentLayout, judgeDisk } from "./content-layout.ts";
import { Downloader } from "./downloader.ts";
import { ExtensionExchange } from "./extension-exchange.ts";
import { HashExchange } from "./hash-exchange.ts";
import type { Peer, PeerOwner } from "./peer.ts";
import type { RateLimit } from "./rate-limit.ts";
import { RateMeter } from "./rate-meter.ts";
import type {
  AddTorrent,
  EnginePorts,
  EngineSettings,
  EngineTorrent,
  PeerSourceHandle,
  PeerStatus,
  ResumeState,
  TorrentEvent,
  TorrentState,
  TorrentStats,
} from "./session-contract.ts";
import { SlotKeeper } from "./slot-keeper.ts";
import { Uploader } from "./uploader.ts";

/** What the session shares among its torrents. */
export interface TorrentHost {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly upLimit: RateLimit;
  readonly downLimit: RateLimit;
  /** Opens a connection; `undefined` when a limit forbids it at the moment. */
  dial(remote: Endpoint, torrent: PeerOwner, infohash: Uint8Array): Peer | undefined;
  /** There are new addresses to dial. */
  handleCandidates(): void;
  handleDisconnected(peer: Peer): void;
  /** The peer waits for memory or its share of the upload rate. */
  handleHungry(peer: Peer): void;
  /** Somebody waits for its share of the download rate. */
  handleStarved(): void;
}

/** A torrent that waits for the disk tries again after this. */
const DISK_RETRY_MS = 5_000;
/** Peers that connect while their kind is not needed are let go after this. */
const USELESS_MS = 60_000;

/**
 * One torrent: its peers, what it has, and what it is doing.
 *
 * stopped -> fetching-metadata (magnet) -> checking -> downloading <-> seeding -> stopped;
 * downloading -> waiting (the disk refused) -> downloading; seeding -> downloading when a piece is lost.
 */
export class Torrent implements EngineTorrent, PeerOwner {
  readonly infohashes: Infohashes;
  readonly flags: HandshakeFlags;
  readonly #host: TorrentHost;
  readonly #options: AddTorrent;
  readonly #candidates: Candidates;
  readonly #extensions: ExtensionExchange;
  readonly #slots: SlotKeeper;
  readonly #upMeter = new RateMeter();
  readonly #downMeter = new RateMeter();
  readonly #upLimit: RateLimit;
  readonly #downLimit: RateLimit;
  /** Connected or connecting. */
  readonly #peers = new Set<Peer>();
  readonly #outputs = new Set<Peer>();
  #sources: PeerSourceHandle[] = [];
  #info: TorrentInfo | undefined;
  #hashes: HashExchange | undefined;
  #content: Content | undefined;
  #have: Bitfield | undefined;
  #judged: Bitfield | undefined;
  #downloader: Downloader | undefined;
  #uploader: Uploader | undefined;
  #wantedFiles: readonly boolean[] | undefined;
  #state: TorrentState = { kind: "stopped" };
  #cancelCheck: (() => void) | undefined;
  #uploaded: number;
  #downloaded: number;
  #retryAtMs = 0;
  #resumeSavedAtMs = 0;
  #resumeDirty = false;
  #savingResume = false;
  #completed = false;
  #settling = false;
  #stopped: Promise<void> | undefined;

  constructor(host: TorrentHost, options: AddTorrent) {
    this.#host = host;
    this.#options = options;
    const { from } = options;
    this.infohashes = "metainfo" in from ? from.metainfo.info.infohashes : from.magnet.infohashes;
    this.#uploaded = options.resume?.uploaded ?? 0;
    this.#downloaded = options.resume?.downloaded ?? 0;
    this.flags = { extended: true, fast: true, dht: false, v2: this.infohashes.v2 !== undefined };
    this.#upLimit = host.upLimit.child(options.upBytesPerSecond ?? 0);
    this.#downLimit = host.downLimit.child(options.downBytesPerSecond ?? 0);
    this.#candidates = new Candidates({ random: host.ports.random });
    this.#slots = new SlotKeeper({ random: host.ports.random, uploadSlots: host.settings.uploadSlots });
    if ("metainfo" in from) this.#info = from.metainfo.info;
    this.#extensions = new ExtensionExchange({
      infohashes: this.infohashes,
      metadataBytesMax: host.settings.metadataBytesMax,
      requestQueueMax: host.settings.requestQueueMax,
      listenPort: () => host.port,
      pieceCount: () => this.pieceCount,
      info: () => this.#info && { bytes: this.#info.infoBytes, private: this.#info.private },
      nowMs: () => this.nowMs(),
      events: {
        handleMetadata: (infoBytes) => this.#handleMetadata(infoBytes),
        handleDontHave: (peer, piece) => this.#handleDontHave(peer, piece),
        handleMetadataLiar: (peer) => this.#ban(peer.remote.address, "sent a false info dictionary"),
      },
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

  get pieceCount(): number | undefined {
    return this.#info?.geometry.pieceCount;
  }

  get peerId(): Uint8Array {
    return this.#host.peerId;
  }

  get requestQueueMax(): number {
    return this.#host.settings.requestQueueMax;
  }

  get halfOpenCount(): number {
    let count = 0;
    for (const peer of this.#peers) if (!peer.isOpen) count += 1;
    return count;
  }

  nowMs(): number {
    return this.#host.ports.clock.nowMs();
  }

  stats(): TorrentStats {
    const now = this.nowMs();
    const downloader = this.#downloader;
    let open = 0;
    let seeds = 0;
    for (const peer of this.#peers) {
      if (!peer.isOpen) continue;
      open += 1;
      if (peer.isSeed) seeds += 1;
    }
    return {
      uploaded: this.#uploaded,
      downloaded: this.#downloaded,
      uploadBytesPerSecond: this.#upMeter.bytesPerSecond(now),
      downloadBytesPerSecond: this.#downMeter.bytesPerSecond(now),
      wantedBytes: downloader?.wantedBytes ?? this.#info?.geometry.dataLength ?? 0,
      doneBytes: downloader?.doneBytes ?? 0,
      left: downloader?.left ?? this.#info?.geometry.dataLength ?? UNKNOWN_LEFT,
      peers: open,
      seeds,
      knownPeers: this.#candidates.size,
      rarestCopies: downloader?.rarestCopies ?? 0,
    };
  }

  peers(): PeerStatus[] {
    const now = this.nowMs();
    return [...this.#peers].filter((peer) => peer.isOpen).map((peer) => peerStatus(peer, now));
  }

  addPeers(peers: readonly Endpoint[]): void {
    for (const endpoint of peers) this.#candidates.offer(endpoint, "manual", this.nowMs());
    this.#host.handleCandidates();
  }

  setWanted(wanted: readonly boolean[]): void {
    this.#wantedFiles = wanted;
    if (!this.#content || !this.#downloader) return;
    this.#content.setWanted(wanted, (outcome) => {
      if (outcome.kind === "failure") this.#handleDiskFailure(outcome);
    });
    this.#downloader.setWantedFiles(wanted);
    this.#completed = false;
    this.#resumeDirty = true;
    this.#judgeCompletion();
    this.settle();
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
    for (const endpoint of peers) this.#candidates.offer(endpoint, "manual", this.nowMs());
    if ("metainfo" in from) {
      this.#open(from.metainfo.info, from.metainfo.pieceLayers);
    } else {
      this.#enter({ kind: "fetching-metadata" });
      this.#attachSources();
    }
  }

  /** Says goodbye to peers and trackers, makes data durable and saves the last resume. */
  stop(): Promise<void> {
    this.#stopped ??= this.#shutDown();
    return this.#stopped;
  }

  async #shutDown(): Promise<void> {
    this.#cancelCheck?.();
    const goodbyes = this.#sources.map((source) => source.detach());
    this.#sources = [];
    for (const peer of this.#peers) peer.close("the torrent is stopped");
    const content = this.#content;
    if (content) {
      if (this.#downloader) {
        await this.#downloader.spillAll();
        if (this.#resumeDirty) await new Promise<void>((done) => this.#saveResume(true, done));
      }
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
      this.#host.ports.log.error("the torrent itself is broken", { message: error.message });
      this.#enter({ kind: "broken", message: error.message });
      return;
    }
    this.#info = info;
    for (const peer of [...this.#peers]) {
      if (!peer.isOpen) continue;
      try {
        peer.setPieceCount(info.geometry.pieceCount);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        peer.close(error.message);
      }
    }
    this.#emit({ kind: "metadata", info });
    this.#open(info, new Map());
  }

  /** The info is known: opens the files and decides what of them to believe. */
  #open(info: TorrentInfo, layers: ReadonlyMap<string, Uint8Array>): void {
    this.#info = info;
    this.#hashes = new HashExchange({
      info,
      layers,
      nowMs: () => this.nowMs(),
      onKnown: (pieces) => this.#downloader?.handleHashesKnown(pieces),
      onLiar: (peer) => peer.close("sent hashes that prove nothing"),
    });
    const content = this.#host.ports.content.open(
      contentLayout(info, this.#options.root, this.#hashes.table),
    );
    this.#content = content;
    this.#wantedFiles ??= this.#options.select?.(info);
    this.#enter({ kind: "checking", piecesChecked: 0, piecesTotal: 0 });
    const wanted = this.#wantedFiles;
    if (wanted) {
      content.setWanted(wanted, (outcome) => {
        if (outcome.kind === "failure") this.#handleDiskFailure(outcome);
      });
    }
    content.stamp((stamps) => {
      if (this.#stopped) return;
      if ("kind" in stamps) this.#retryOpen(stamps);
      else this.#judge(info, content, stamps);
    });
  }

  /** The folder cannot even be looked at: tried again until it can. */
  #retryOpen(failure: DiskFailure): void {
    this.#enter(waitingFor(failure));
    this.#host.ports.clock.startTimer(DISK_RETRY_MS, () => {
      if (this.#stopped || !this.#content) return;
      this.#content.stamp((stamps) => {
        if (this.#stopped) return;
        if ("kind" in stamps) this.#retryOpen(stamps);
        else this.#judge(this.#info!, this.#content!, stamps);
      });
    });
  }

  #judge(info: TorrentInfo, content: Content, stamps: readonly FileStamp[]): void {
    const { pieceCount } = info.geometry;
    const resume = this.#fittingResume(info);
    const { have, judged, doubtful, partial } = judgeDisk({
      info,
      stamps,
      resume,
      mode: this.#options.mode,
      resumeIntervalMs: this.#host.settings.resumeIntervalMs,
      empty: () => new Bitfield(pieceCount),
    });
    this.#have = have;
    this.#judged = judged;
    if (doubtful.count === 0) {
      this.#ready(info, content, partial);
      return;
    }
    const total = doubtful.count;
    let checked = 0;
    this.#enter({ kind: "checking", piecesChecked: 0, piecesTotal: total });
    this.#cancelCheck = content.check({
      pieces: doubtful,
      onPiece: (piece, intact) => {
        checked += 1;
        if (intact) {
          have.add(piece);
          judged.add(piece);
        }
        this.#state = { kind: "checking", piecesChecked: checked, piecesTotal: total };
      },
      onDone: (outcome) => {
        this.#cancelCheck = undefined;
        if (this.#stopped) return;
        if (outcome.kind === "failure") {
          this.#host.ports.log.warn("checking stopped", { message: outcome.message });
        }
        this.#resumeDirty = true;
        this.#ready(info, content, partial);
      },
    });
  }

  #fittingResume(info: TorrentInfo): ResumeState | undefined {
    const { resume } = this.#options;
    if (!resume || resume.have.length !== info.geometry.pieceCount) return undefined;
    return resume.stamps.length === info.files.length ? resume : undefined;
  }

  /** The disk has been judged: peers may be served and asked. */
  #ready(info: TorrentInfo, content: Content, partial: ResumeState["partial"]): void {
    invariant(this.#have && this.#judged && this.#hashes, "set before the disk was judged");
    const { ports } = this.#host;
    const downloader = new Downloader({
      info,
      content,
      ports,
      have: this.#have,
      judged: this.#judged,
      hashes: this.#hashes,
      limit: this.#downLimit,
      nowMs: () => this.nowMs(),
      events: {
        handlePiece: (piece) => this.#handlePiece(piece),
        handleDiskFailure: (failure) => this.#handleDiskFailure(failure),
        handleLiar: (address, reason) => this.#ban(address, reason),
        handleStarved: () => this.#host.handleStarved(),
        openPeers: () => this.#openPeers(),
      },
    });
    this.#downloader = downloader;
    this.#uploader = new Uploader({
      geometry: info.geometry,
      content,
      slabs: ports.sendSlabs,
      limit: this.#upLimit,
      have: this.#have,
      judged: this.#judged,
      nowMs: () => this.nowMs(),
      onHungry: (peer) => this.#host.handleHungry(peer),
      onSent: (bytes) => {
        this.#uploaded += bytes;
        this.#resumeDirty = true;
        this.#upMeter.add(bytes, this.nowMs());
      },
      onCorrupt: (piece) => this.#losePiece(piece),
      onFailure: (failure) => this.#handleReadFailure(failure),
    });
    if (this.#wantedFiles) downloader.setWantedFiles(this.#wantedFiles);
    for (const { piece, blocks } of partial) downloader.restore(piece, blocks);
    if (this.#options.mode === "download") {
      content.createEmpty((outcome) => {
        if (outcome.kind === "failure") this.#handleDiskFailure(outcome);
      });
    }
    for (const peer of this.#openPeers()) {
      // They met us while we fetched the metadata, and know nothing of what we have.
      for (const piece of this.#have.indexes()) peer.out.have(piece);
      this.#introduce(peer);
    }
    this.#enter(downloader.complete ? { kind: "seeding" } : { kind: "downloading" });
    if (this.#sources.length === 0) this.#attachSources();
    this.#judgeCompletion();
    this.#host.handleCandidates();
    this.settle();
  }

  #attachSources(): void {
    this.#sources = (this.#options.sources ?? []).map((source) =>
      source.attach({
        infohashes: this.infohashes,
        private: () => this.#info?.private ?? false,
        peerId: this.peerId,
        port: () => this.#host.port,
        stats: () => this.stats(),
        wantsPeers: () => !this.#isSeeding && this.#peers.size < this.#connectionsMax,
        offerPeers: (peers) => {
          for (const peer of peers) this.#candidates.offer(peer, "tracker", this.nowMs());
          this.#host.handleCandidates();
        },
      }),
    );
  }
