import type { Bitfield } from "../../base/bitfield.ts";
import type { PeerAddress } from "../../base/peer-address.ts";
import type { Infohashes } from "../../base/infohash.ts";
import { MetainfoError } from "../../metainfo/metainfo-error.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import { parseInfo } from "../../metainfo/parse-metainfo.ts";
import { contradictionOf, type HashExchange } from "../exchange/hash-exchange.ts";
import type { ExistingFiles } from "../existing-files.ts";
import type { FetchOrder } from "../fetch-order.ts";
import type {
  AddTorrent,
  EngineTorrent,
  PeerStatus,
  TorrentEvent,
  TorrentLimits,
  TorrentState,
  TorrentStats,
  WebSeedStatus,
} from "../session-contract.ts";
import { BurstMark } from "../sharing/bursts.ts";
import { existingOf, named } from "./add-options.ts";
import { logTrouble } from "./log-trouble.ts";
import { FilesOpening, type FilesOpeningOutput, type OpenFiles } from "./files-opening.ts";
import type { TorrentHost } from "./torrent-host.ts";
import { type PeersOutput, type TorrentOfPeers, TorrentPeers } from "./torrent-peers.ts";
import { TorrentReads } from "./torrent-reads.ts";
import { TorrentSources } from "./torrent-sources.ts";
import {
  type Effect,
  partsOf,
  type Phase,
  shownState,
  type StateEvent,
  step,
} from "./torrent-state.ts";
import { statsOf } from "./torrent-stats.ts";
import { TorrentTraffic } from "./torrent-traffic.ts";
import { turnsOf } from "./torrent-turns.ts";
import { Transfer, type TransferOutput } from "./transfer.ts";

const WHOLE = { kind: "whole" } as const;
const LACKING = { kind: "lacking" } as const;

/**
 * One torrent: combines its peers and its pieces. Its phase (`torrent-state.ts`) says what it is doing; this class
 * carries out the changes of phase, and the outputs of its machines.
 */
export class Torrent implements EngineTorrent, TorrentOfPeers {
  readonly infohashes: Infohashes;
  readonly mark = new BurstMark();
  readonly #host: TorrentHost;
  #options: AddTorrent;
  readonly #existing: ExistingFiles;
  /** The session asks it about peers that dial us, and for addresses to dial. */
  readonly connections: TorrentPeers;
  readonly #sources: TorrentSources;
  readonly #traffic: TorrentTraffic;
  readonly #reads: TorrentReads;
  #info: TorrentInfo | undefined;
  #wantedFiles: readonly boolean[] | undefined;
  #phase: Phase<FilesOpening, Transfer> = { kind: "idle" };
  /** Events for the owner at the end of the burst. */
  readonly #events: TorrentEvent[] = [];
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();

  constructor(host: TorrentHost, options: AddTorrent) {
    this.#host = host;
    this.#options = options;
    const { from, sources = [] } = options;
    this.infohashes = "metainfo" in from ? from.metainfo.info.infohashes : from.magnet.infohashes;
    if ("metainfo" in from) this.#info = named(from.metainfo.info, options);
    this.#existing = existingOf(options);
    this.#traffic = new TorrentTraffic(host, options, turnsOf(this, host.bursts));
    this.#reads = new TorrentReads({
      info: () => this.#info,
      nowMs: () => this.#nowMs(),
      burst: (run) => host.bursts.run(run, this),
    });
    this.connections = new TorrentPeers(host, this, this.#traffic);
    const { swarm } = this.connections;
    this.#sources = new TorrentSources({ host, swarm, torrent: this, sources });
  }

  // ---- Public state --------------------------------------------------------------------------------

  get info(): TorrentInfo | undefined {
    return this.#info;
  }

  get state(): TorrentState {
    return shownState(this.#phase);
  }

  get added(): AddTorrent {
    return this.#options;
  }

  get have(): Bitfield | undefined {
    return this.transfer?.have;
  }

  get transfer(): Transfer | undefined {
    return partsOf(this.#phase);
  }

  get hashes(): HashExchange | undefined {
    const phase = this.#phase;
    return phase.kind === "opening" ? phase.opening.hashes : this.transfer?.hashes;
  }

  get takesPeers(): boolean {
    const { kind } = this.#phase;
    return kind === "metadata" || kind === "running";
  }

  /** We do not know yet what is on disk: no peer is served and nothing is requested. The disk may be refusing. */
  get isOpening(): boolean {
    return this.#phase.kind === "opening";
  }

  get root(): string {
    return this.#options.root;
  }

  /** Resolves when the files are open, or when the torrent is stopped. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  stats(): TorrentStats {
    const { connections, transfer, state } = this;
    const parts = { traffic: this.#traffic, info: this.#info, connections, transfer, state };
    return statsOf(parts, this.#nowMs());
  }

  peers(): PeerStatus[] {
    return this.connections.statuses(this.#nowMs());
  }

  webSeeds(): WebSeedStatus[] {
    return this.transfer?.webSeeds?.statuses(this.#nowMs()) ?? [];
  }

  partialCopies(): Uint16Array | undefined {
    return this.#info && this.connections.swarm.partialCopies(this.#info.geometry.pieceCount);
  }
  readonly startedPieces = (): number[] =>
    this.transfer?.download.partial().map(({ piece }) => piece) ?? [];

  // ---- Commands --------------------------------------------------------------------------------------

  addPeers(peers: readonly PeerAddress[]): void {
    this.#host.bursts.run(() => {
      this.connections.swarm.offer(peers, "manual", this.#nowMs());
      this.#host.handleCandidates();
    });
  }

  setWanted(wanted: readonly boolean[]): void {
    this.#host.bursts.run(() => this.#want(wanted), this);
  }

  setOrder(order: FetchOrder): void {
    this.#options = { ...this.#options, order };
    this.#host.bursts.run(() => this.transfer?.download.setOrder(order), this);
  }

  readonly read: EngineTorrent["read"] = (file, range, options) =>
    this.#reads.read(file, range, options);

  #want(wanted: readonly boolean[]): void {
    this.#wantedFiles = wanted;
    if (this.#phase.kind === "opening") this.#phase.opening.setWantedFiles(wanted);
    const { transfer } = this;
    if (!transfer) return;
    transfer.setWantedFiles(wanted);
    this.#step({ kind: "wanted" });
    this.#judgeCompletion();
    this.#host.handleCandidates();
  }

  setLimits(limits: TorrentLimits): void {
    this.#traffic.setLimits(limits);
    this.#host.bursts.run(() => this.#host.handleRoom());
  }

  /** Called once, by the session. */
  start(): void {
    const { from, peers = [] } = this.#options;
    this.connections.swarm.offer(peers, "manual", this.#nowMs());
    if ("metainfo" in from) this.#describe(this.#info!, from.metainfo.pieceLayers);
    else this.#step({ kind: "start" });
  }

  /** Says goodbye to peers and trackers, makes data durable and saves the last resume. */
  stop(): Promise<void> {
    this.#step({ kind: "stop" });
    return this.#closed.promise;
  }

  // ---- Phase -----------------------------------------------------------------------------------------

  #step(event: StateEvent<FilesOpening, Transfer>): void {
    const before = this.#phase;
    const { next, effects } = step(before, event);
    this.#phase = next;
    for (const effect of effects) this.#carryOut(effect, before);
  }

  #carryOut(effect: Effect, before: Phase<FilesOpening, Transfer>): void {
    const { connections, transfer } = this;
    switch (effect) {
      case "tell-state":
        this.#tellState();
        break;
      case "drop-useless":
        connections.dropUseless();
        break;
      case "tell-complete":
        this.#sources.handleComplete();
        this.#emit({ kind: "complete" });
        break;
      case "attach-sources":
        this.#sources.attach();
        break;
      case "open-files":
        if (this.#phase.kind === "opening") this.#phase.opening.begin();
        break;
      case "introduce-peers":
        connections.introduceAll(transfer!);
        break;
      case "tell-sources-opened":
        this.#sources.handleOpened(transfer!.isComplete);
        break;
      case "let-in":
        this.#reads.handleOpened(transfer!.reads);
        this.#opened.resolve();
        break;
      case "dial":
        this.#host.handleCandidates();
        break;
      case "recall-peers":
        connections.swarm.recall(this.#nowMs());
        break;
      case "give-up":
        if (this.#phase.kind === "broken") this.#reads.end("broken", this.#phase.shown.message);
        transfer?.webSeeds?.close();
        connections.closeAll("the torrent is broken");
        break;
      case "confirm":
        transfer!.files.confirm();
        break;
      case "name":
        transfer!.files.name();
        break;
      case "pause":
        transfer!.download.pause();
        break;
      case "resume":
        if (this.#existing !== "untouched") transfer!.download.resume();
        transfer!.files.placeAgain();
        break;
      case "shut-down":
        this.#shutDown(before).then(this.#closed.resolve, this.#closed.reject);
        break;
    }
  }

  #tellState(): void {
    logTrouble(this.#host.ports.log, this.#phase);
    this.#emit({ kind: "state", state: this.state });
  }

  /** @param before - The phase with the parts to close. */
  async #shutDown(before: Phase<FilesOpening, Transfer>): Promise<void> {
    this.#host.scheduler.leave(this.#traffic.shares);
    this.transfer?.cancel();
    this.#reads.end("stopped", "the torrent was stopped");
    this.#opened.resolve();
    const goodbyes = this.#sources.detach();
    this.connections.closeAll("the torrent is stopped");
    // No peer may be left when unfinished pieces are written to disk.
    this.#drain();
    if (before.kind === "opening") await before.opening.close();
    if (this.transfer) await this.transfer.close();
    await goodbyes;
    this.#step({ kind: "closed" });
  }

  // ---- Outputs of its machines ---------------------------------------------------------------------------

  settle(): void {
    this.#drain();
    this.transfer?.settle();
    this.#drain();
    this.connections.swarm.flush(this.#nowMs());
  }

  /** Carries out the outputs of the machines, until there are none. */
  #drain(): void {
    for (;;) {
      const peers = this.connections.nextOutput();
      if (peers) {
        this.#handlePeers(peers);
        continue;
      }
      const phase = this.#phase;
      const opening = phase.kind === "opening" ? phase.opening.nextOutput() : undefined;
      if (opening) {
        this.#handleOpening(opening);
        continue;
      }
      const transfer = this.transfer?.nextOutput();
      if (!transfer) return;
      this.#handleTransfer(transfer);
    }
  }

  #handlePeers(output: PeersOutput): void {
    switch (output.kind) {
      case "metadata":
        this.#handleMetadata(output.infoBytes);
        break;
      case "hashes":
        this.#judgeCompletion();
        break;
      case "banned":
        this.#emit({ kind: "peer-banned", address: output.address, reason: output.reason });
        break;
    }
  }

  #handleMetadata(infoBytes: Uint8Array): void {
    if (this.#phase.kind !== "metadata") return;
    let info: TorrentInfo;
    try {
      info = named(parseInfo(infoBytes), this.#options);
    } catch (error) {
      if (!(error instanceof MetainfoError)) throw error;
      this.#step({ kind: "bad-info", message: error.message });
      return;
    }
    this.#info = info;
    this.connections.setPieceCount(info.geometry.pieceCount);
    this.#sources.handleInfo();
    this.#emit({ kind: "metadata", info });
    this.#describe(info, new Map());
  }

  /** The info is known: starts to find out what is on disk. */
  #describe(info: TorrentInfo, layers: ReadonlyMap<string, Uint8Array>): void {
    const opening = new FilesOpening({
      host: this.#host,
      member: this,
      add: this.#options,
      existing: this.#existing,
      info,
      layers,
      wantedFiles: this.#wantedFiles,
    });
    this.#step({ kind: "described", opening });
  }

  #handleOpening(output: FilesOpeningOutput): void {
    if (output.kind === "opened") this.#begin(output.files);
    else this.#step(output);
  }

  /** The disk has been judged: peers may be served, and blocks requested. */
  #begin(files: OpenFiles): void {
    const parts = new Transfer({
      ...files,
      info: this.#info!,
      host: this.#host,
      member: this,
      traffic: this.#traffic,
      add: this.#options,
      existing: this.#existing,
    });
    if (this.#existing === "untouched") parts.download.pause();
    const { mayBeUnnamed } = parts.files;
    this.#step({ kind: "opened", parts, isWhole: parts.isComplete, mayBeUnnamed });
  }

  #handleTransfer(output: TransferOutput): void {
    switch (output.kind) {
      case "piece":
        this.connections.tellHave(output.piece);
        this.#emit(output);
        this.#judgeCompletion();
        break;
      case "lost":
        this.#losePiece(output.piece);
        break;
      case "liar":
        this.connections.ban(output.sender, output.reason);
        break;
      case "banned":
        this.#emit({ kind: "peer-banned", address: output.address, reason: output.reason });
        break;
      case "contradiction":
        this.#step({
          kind: "contradiction",
          message: contradictionOf(output.piece, output.fault),
        });
        break;
      case "refused":
      case "still":
      case "confirmed":
        this.#step(output);
        break;
      case "back":
        this.#step(output);
        this.#judgeCompletion();
        break;
      case "placed":
        this.#judgeCompletion();
        break;
      case "wanted":
        this.#judgeCompletion();
        if (this.transfer?.isComplete === false) this.#host.handleCandidates();
        break;
      case "part":
        this.#reads.handlePart(output.reader, output.part);
        break;
      case "sent":
        this.#traffic.countUploaded(output.bytes, this.#nowMs());
        break;
    }
  }

  /** A piece on disk has changed (WIR-14): it is wanted again. */
  #losePiece(piece: number): void {
    this.#host.ports.log.warn("a piece on disk is damaged", { piece });
    this.connections.tellLost(piece);
    this.#emit({ kind: "piece-lost", piece });
    this.#step({ kind: "lost" });
    this.#host.handleCandidates();
  }

  /** The torrent is not reported complete before its files are at their places. */
  #judgeCompletion(): void {
    const phase = this.#phase;
    if (phase.kind !== "running") return;
    const { parts } = phase;
    if (!parts.isComplete) this.#step(LACKING);
    else if (!parts.files.isPlacing) this.#step(WHOLE);
  }

  // ---- Time and rate -----------------------------------------------------------------------------------

  /** Twice a second. */
  tick(now: number): void {
    this.connections.tick(now);
    // Blocks that departed peers owed us can be requested from others at once.
    this.#drain();
    this.transfer?.tick(now);
    this.#host.bursts.settle(this);
  }

  /** Others wait for memory. @returns Whether an idle, unfinished piece is written to disk. */
  spillIdle(): boolean {
    return this.transfer?.download.spillIdle() ?? false;
  }

  /** When its own limits let it continue; infinity when it waits for none. */
  nextOwnMs(now: number): number {
    const { down, up } = this.#traffic.shares;
    return Math.min(down.nextOwnMs(now), up.nextOwnMs(now));
  }

  /** One of its own limits may let it continue. */
  handleOwnAllowance(now: number): void {
    const { down, up } = this.#traffic.shares;
    const downEnded = down.endOwnWait(now);
    const upEnded = up.endOwnWait(now);
    if (downEnded) this.transfer?.download.handleAllowance(now);
    if (upEnded) this.transfer?.upload.serveWaiting("rate", now);
    if (downEnded || upEnded) this.#host.bursts.settle(this);
  }

  // ---- Owner ---------------------------------------------------------------------------------------------

  tell(): void {
    for (let next = this.#events.shift(); next; next = this.#events.shift()) {
      this.#options.onEvent?.(next);
    }
  }

  #emit(event: TorrentEvent): void {
    if (!this.#options.onEvent) return;
    this.#events.push(event);
    this.#host.bursts.tell(this);
  }

  #nowMs(): number {
    return this.#host.ports.clock.nowMs();
  }
}
