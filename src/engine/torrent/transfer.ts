import type { Bitfield } from "../../base/bitfield.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { DiskFailure, PieceVerdict } from "../../ports/content.ts";
import { Downloader } from "../download/downloader.ts";
import type { DownloadOutput } from "../download/download-output.ts";
import { type ReadPartOutput, Reads, type ReadsOutput } from "../download/reads.ts";
import type { HashExchange } from "../exchange/hash-exchange.ts";
import type { ExistingFiles } from "../existing-files.ts";
import type { AddTorrent } from "../session-contract.ts";
import type { BurstMember } from "../sharing/bursts.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { FilesOutput } from "../storage/files-output.ts";
import { isInconsistent } from "../storage/inconsistent.ts";
import { TorrentFiles } from "../storage/torrent-files.ts";
import { LeafHashes } from "../upload/leaf-hashes.ts";
import { type UploadOutput, Uploader } from "../upload/uploader.ts";
import { WebSeeds } from "../webseed/web-seeds.ts";
import type { OpenFiles } from "./files-opening.ts";
import type { TorrentHost } from "./torrent-host.ts";
import type { TorrentTraffic } from "./torrent-traffic.ts";

/** The outputs for the torrent: whatever the machines do not settle among themselves. */
export type TransferOutput =
  /** A piece is judged intact and on disk. */
  | { readonly kind: "piece"; readonly piece: number }
  /** A piece that we had is lost. */
  | { readonly kind: "lost"; readonly piece: number }
  /** This sender sent a block that differs from the right one. */
  | { readonly kind: "liar"; readonly sender: string; readonly reason: string }
  /** A web seed is left alone because of what it sent. */
  | { readonly kind: "banned"; readonly address: string; readonly reason: string }
  /** No bytes can ever match both hashes of this piece: the torrent is at fault, not a peer. */
  | { readonly kind: "contradiction"; readonly piece: number; readonly fault: "v1" | "v2" }
  /** The disk refused something. */
  | { readonly kind: "refused"; readonly failure: DiskFailure }
  /** The disk still refuses, perhaps for another reason. */
  | { readonly kind: "still"; readonly failure: DiskFailure }
  /** The disk accepts bytes again, and it is known which data is reliable. */
  | { readonly kind: "back" }
  /** Newly wanted files are at their places, and it is known what they lack. */
  | { readonly kind: "placed" }
  /** All wanted files are at their places, under their names. */
  | { readonly kind: "confirmed" }
  /** Readers need pieces of files that are not wanted, or no longer do. */
  | { readonly kind: "wanted" }
  | ReadPartOutput
  /** Bytes of blocks were sent. */
  | { readonly kind: "sent"; readonly bytes: number };

export interface TransferOptions extends OpenFiles {
  readonly host: Pick<TorrentHost, "ports" | "settings" | "bursts" | "webServers">;
  /** The torrent: what web seeds send is one of its bursts. */
  readonly member: BurstMember;
  readonly info: TorrentInfo;
  readonly traffic: TorrentTraffic;
  readonly add: AddTorrent;
  readonly existing: ExistingFiles;
}

/**
 * The bytes of one torrent in motion, in both directions, with their readers and files, once the files are open. It
 * owns several machines: an output of one that concerns another is carried out here, the others go to the torrent.
 */
export class Transfer {
  readonly download: Downloader;
  readonly upload: Uploader;
  readonly reads: Reads;
  readonly leaves: LeafHashes;
  readonly files: TorrentFiles;
  readonly webSeeds: WebSeeds | undefined;
  readonly #options: TransferOptions;
  readonly have: Bitfield;
  readonly hashes: HashExchange;
  readonly #judged: Bitfield;
  readonly #outputs = new OutputQueue<TransferOutput>();
  /** All v2 hashes were known before any piece was judged, so each verdict used both hashes of a hybrid. */
  readonly #layersKnown: boolean;

  constructor(options: TransferOptions) {
    this.#options = options;
    const { info, content, found, hashes } = options;
    const { ports, settings } = options.host;
    const { bytes, judge } = content;
    const { have, judged } = found;
    const { shares } = options.traffic;
    const { requestQueueMax, resumeIntervalMs } = settings;
    this.have = have;
    this.hashes = hashes;
    this.#judged = judged;
    this.#forgetAbsent();
    this.#layersKnown = hashes.complete;
    const common = { geometry: info.geometry, bytes, judge, have, judged, clock: ports.clock };
    this.download = new Downloader({
      ...common,
      slabs: ports.receiveSlabs,
      random: ports.random,
      hashes,
      limit: shares.down,
      memory: shares.receive,
      requestQueueMax,
    });
    this.upload = new Uploader({
      ...common,
      slabs: ports.sendSlabs,
      limit: shares.up,
      memory: shares.send,
      requestQueueMax,
    });
    this.reads = new Reads({
      ...common,
      urgent: this.download.urgent,
      served: this.upload,
      slabs: ports.sendSlabs,
      memory: shares.send,
      fetches: options.existing !== "untouched",
    });
    this.leaves = new LeafHashes({
      info,
      bytes,
      slabs: ports.sendSlabs,
      have,
      table: hashes.table,
      roots: hashes.roots,
      memory: shares.send,
    });
    if (options.wantedFiles) this.download.setWantedFiles(options.wantedFiles);
    if (options.add.order) this.download.setOrder(options.add.order);
    for (const { piece, blocks } of found.partial) this.download.restore(piece, blocks);
    this.files = new TorrentFiles({
      info,
      content,
      opened: found,
      unfinishedSuffix: options.unfinishedSuffix,
      download: this.download,
      add: options.add,
      existing: options.existing,
      clock: ports.clock,
      resumeIntervalMs,
      transferred: () => options.traffic.totals(),
    });
    this.webSeeds = this.#makeWebSeeds();
  }

  #makeWebSeeds(): WebSeeds | undefined {
    const { host, info, traffic, add, existing, member } = this.#options;
    const { webRanges: ranges, clock, random, log } = host.ports;
    const { webSeeds: sources = [] } = add;
    if (!ranges || sources.length === 0 || existing === "untouched") return undefined;
    return new WebSeeds({
      sources,
      info,
      download: this.download,
      ranges,
      slots: host.webServers,
      requestQueueMax: host.settings.requestQueueMax,
      clock,
      random,
      burst: (run) => host.bursts.run(run, member),
      countDownloaded: (bytes, now) => traffic.countDownloaded(bytes, now),
      log: (message, more) => log.debug(message, more),
    });
  }

  /** A limit slows uploads down, so more slots would only make each slower. */
  get isUploadLimited(): boolean {
    const { traffic, host } = this.#options;
    return traffic.shares.up.available(host.ports.clock.nowMs()) < Number.POSITIVE_INFINITY;
  }

  /** We have everything that is wanted. It may not be at its place. */
  get isComplete(): boolean {
    return this.download.complete;
  }

  setWantedFiles(wanted: readonly boolean[]): void {
    const added: number[] = [];
    for (const [index, isWanted] of wanted.entries()) {
      if (isWanted && !this.download.wantsFile(index)) added.push(index);
    }
    this.download.setWantedFiles(wanted);
    this.files.handleWanted(wanted, added);
  }

  tick(now: number): void {
    this.download.tick(now);
    this.webSeeds?.tick(now);
    this.upload.tick(now);
    this.reads.tick(now);
    this.files.tick(now);
  }

  /** It is our turn at the shared read memory. @returns Whether something still waits for it. */
  serveWaitingForMemory(now: number): boolean {
    const doReadersWait = this.reads.serveWaiting();
    return this.upload.serveWaiting("memory", now) || doReadersWait;
  }

  /** The torrent stops: nothing new begins, and pending recoveries are not waited for. */
  cancel(): void {
    this.webSeeds?.close();
    this.files.cancel();
  }

  /** Makes the data durable, saves the last resume and closes the files. No peer may be left. */
  async close(): Promise<void> {
    this.upload.close();
    await this.download.spillAll();
    await this.files.finish();
    await new Promise<void>((done) => this.#options.content.bytes.close(done));
  }

  // ---- Outputs -----------------------------------------------------------------------------------------

  /** Called when a burst is over and all outputs are taken: sends and requests whatever is possible. */
  settle(): void {
    this.upload.settle();
    this.download.settle();
    this.webSeeds?.settle();
  }

  /** Call this when a burst is over, until it returns `undefined`. */
  nextOutput(): TransferOutput | undefined {
    for (;;) {
      const output = this.#outputs.next();
      if (output || !this.#drainOne()) return output;
    }
  }

  /** @returns Whether one of the machines had an output. */
  #drainOne(): boolean {
    const down = this.download.nextOutput();
    if (down) {
      this.#handleDownload(down);
      return true;
    }
    const up = this.upload.nextOutput() ?? this.leaves.nextOutput();
    if (up) {
      this.#handleUpload(up);
      return true;
    }
    const reads = this.reads.nextOutput();
    if (reads) {
      this.#handleReads(reads);
      return true;
    }
    const files = this.files.nextOutput();
    if (files) this.#handleFiles(files);
    return files !== undefined;
  }

  #handleDownload(output: DownloadOutput): void {
    switch (output.kind) {
      case "piece":
        this.files.handlePiece(output.piece);
        this.reads.handlePiece(output.piece);
        this.#outputs.push(output);
        break;
      case "partial":
        this.files.handlePartial();
        break;
      case "refused":
        this.files.handleFailure(output.failure);
        break;
      case "spoiled":
        this.#banWebSeed(output.sender, "sent a piece that is not the torrent's");
        break;
      case "liar":
        if (!this.#banWebSeed(output.sender, output.reason)) this.#outputs.push(output);
        break;
      case "contradiction":
        this.#outputs.push(output);
        break;
    }
  }

  /** @returns False when the sender is a peer. */
  #banWebSeed(sender: string, reason: string): boolean {
    if (this.webSeeds?.ban(sender, reason) !== true) return false;
    this.#outputs.push({ kind: "banned", address: sender, reason });
    return true;
  }

  #handleUpload(output: UploadOutput): void {
    switch (output.kind) {
      case "corrupt":
        this.#handleCorrupt(output.piece, output.verdict);
        break;
      case "refused":
        this.#handleReadFailure(output.failure);
        break;
      case "judged":
        this.reads.handleJudged(output.piece, output.failure);
        break;
      case "sent":
        this.files.handleServed();
        this.#outputs.push(output);
        break;
    }
  }

  #handleReads(output: ReadsOutput): void {
    if (output.kind === "refused") this.#handleReadFailure(output.failure);
    else this.#outputs.push(output);
  }

  #handleFiles(output: FilesOutput): void {
    switch (output.kind) {
      case "returned":
        this.#handleReturned(output.pieces);
        break;
      case "judged":
        for (const piece of output.corrupt.indexes()) this.#lose(piece);
        this.download.handleFound(output.intact);
        break;
      case "changed":
        for (let piece = output.first; piece < output.end; piece += 1) this.#doubt(piece);
        break;
      case "missing":
        this.#handleMissing(output.files);
        break;
      case "damaged":
        this.#lose(output.piece);
        break;
      case "there":
        break;
      default:
        this.#outputs.push(output);
    }
  }

  // ---- Lost and damaged pieces ---------------------------------------------------------------------------

  #handleCorrupt(piece: number, verdict: PieceVerdict): void {
    if (this.#layersKnown && this.hashes.isTwofold(piece) && isInconsistent(verdict)) {
      this.#outputs.push({ kind: "contradiction", piece, fault: verdict.fault });
    } else {
      this.#lose(piece);
      // Missing data is corrupt too; then more than this piece is affected.
      this.files.lookForMissing();
    }
  }

  /**
   * Files may be missing, truncated or changed: nothing is served without judging it any more, and pieces of missing
   * files are not claimed until the files are back.
   */
  #handleReadFailure({ path, code }: DiskFailure): void {
    this.#options.host.ports.log.error("cannot read", { path, code });
    this.#judged.clear();
    this.upload.doubtAll();
    this.files.lookForMissing();
  }

  /** Missing files are back: their pieces are judged before they are served, and unfinished ones start over. */
  #handleReturned(pieces: Bitfield): void {
    for (const piece of pieces.indexes()) {
      this.#doubt(piece);
      this.download.forgetWritten(piece);
    }
  }

  #handleMissing(files: readonly number[]): void {
    const gone: number[] = [];
    for (const index of files) {
      const { first, end } = this.#options.info.geometry.filePieces(index);
      const had = this.have.count;
      for (let piece = first; piece < end; piece += 1) this.#lose(piece);
      if (this.have.count < had) gone.push(index);
    }
    if (gone.length > 0) this.files.handleGone(gone);
  }

  /** The piece is judged before it is served next. */
  #doubt(piece: number): void {
    this.#judged.delete(piece);
    this.upload.doubt(piece);
  }

  #lose(piece: number): void {
    if (!this.have.delete(piece)) return;
    this.#judged.delete(piece);
    this.download.handleLost(piece);
    this.reads.handleLost(piece);
    this.files.handleLost();
    this.#outputs.push({ kind: "lost", piece });
  }

  /** A resume knows pieces by the content of the part file, which may not be all there was. */
  #forgetAbsent(): void {
    const { info, found, wantedFiles } = this.#options;
    for (const [index, { size }] of found.stamps.entries()) {
      const { pad, length } = info.files[index]!;
      if (pad || length === 0 || size >= 0 || wantedFiles?.[index] === false) continue;
      const { first, end } = info.geometry.filePieces(index);
      for (let piece = first; piece < end; piece += 1) {
        if (this.have.delete(piece)) this.#judged.delete(piece);
      }
    }
  }
}
