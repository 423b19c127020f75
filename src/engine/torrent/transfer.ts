import { Bitfield } from "../../base/bitfield.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type {
  DiskFailure,
  FilePlaces,
  FileStamp,
  OpenContent,
  PieceVerdict,
} from "../../ports/content.ts";
import type { OpenedContent } from "../storage/opening.ts";
import { isSameStamp } from "../storage/disk-recovery.ts";
import { type DownloadOutput, Downloader } from "../download/downloader.ts";
import { LeafHashes } from "../upload/leaf-hashes.ts";
import type { HashExchange } from "../exchange/hash-exchange.ts";
import { isInconsistent } from "../storage/inconsistent.ts";
import { OutputQueue } from "../sharing/output-queue.ts";
import type { TorrentShares } from "../sharing/scheduler.ts";
import type { EnginePorts } from "../session-contract.ts";
import { type UploadOutput, Uploader } from "../upload/uploader.ts";

/** Files that are served are looked at this often, and a millisecond a file: others may change them. */
const WATCH_MS = 10_000;

/** What the two directions tell the torrent. */
export type TransferOutput =
  | DownloadOutput
  /** A piece that was had is not any more. */
  | { readonly kind: "lost"; readonly piece: number }
  /** These files, of which pieces were had, are not there. */
  | { readonly kind: "gone"; readonly files: readonly number[] }
  /** Files that became wanted are where they belong, and what is missing of them is known. */
  | { readonly kind: "placed" }
  /** Bytes of blocks were sent. */
  | { readonly kind: "sent"; readonly bytes: number };

export interface TransferOptions {
  readonly info: TorrentInfo;
  readonly content: OpenContent;
  readonly ports: EnginePorts;
  readonly opened: OpenedContent;
  readonly hashes: HashExchange;
  readonly wantedFiles: readonly boolean[] | undefined;
  readonly shares: TorrentShares;
  readonly requestQueueMax: number;
}

/** The bytes of one torrent on the move, both ways, once its files are open. */
export class Transfer {
  readonly download: Downloader;
  readonly upload: Uploader;
  readonly leaves: LeafHashes;
  readonly #options: TransferOptions;
  readonly #have: Bitfield;
  readonly #judged: Bitfield;
  readonly #outputs = new OutputQueue<TransferOutput>();
  /** All v2 hashes were known before any piece was judged: each verdict is by both hashes of a hybrid. */
  readonly #layersKnown: boolean;
  #restamping = false;
  /** What is wanted, until the files that are new among it are known to be at their places. */
  #placing: { readonly wanted: readonly boolean[]; readonly added: Set<number> } | undefined;
  /** How the files looked when nothing was being written to them. */
  #stamps: readonly FileStamp[] | undefined;
  #watchAtMs = 0;
  #servedSinceWatch = true;

  constructor(options: TransferOptions) {
    this.#options = options;
    const { info, content, ports, opened } = options;
    this.#have = opened.have;
    this.#judged = opened.judged;
    this.#forgetAbsent();
    this.#layersKnown = options.hashes.complete;
    this.download = new Downloader({
      geometry: info.geometry,
      bytes: content.bytes,
      judge: content.judge,
      slabs: ports.receiveSlabs,
      random: ports.random,
      have: opened.have,
      judged: opened.judged,
      hashes: options.hashes,
      limit: options.shares.down,
      memory: options.shares.receive,
      requestQueueMax: options.requestQueueMax,
      clock: ports.clock,
    });
    this.upload = new Uploader({
      geometry: info.geometry,
      bytes: content.bytes,
      judge: content.judge,
      slabs: ports.sendSlabs,
      limit: options.shares.up,
      memory: options.shares.send,
      requestQueueMax: options.requestQueueMax,
      have: opened.have,
      judged: opened.judged,
      clock: ports.clock,
    });
    this.leaves = new LeafHashes({
      info,
      bytes: content.bytes,
      slabs: ports.sendSlabs,
      have: opened.have,
      table: options.hashes.table,
      memory: options.shares.send,
    });
    if (options.wantedFiles) this.download.setWantedFiles(options.wantedFiles);
    for (const { piece, blocks } of opened.partial) this.download.restore(piece, blocks);
    // Before the first piece is judged: what changes from here on is noticed.
    if (this.download.complete) this.#watch(ports.clock.nowMs());
  }

  /** Uploads are held back by a limit, so that more slots would only make each slower. */
  get isUploadLimited(): boolean {
    const { shares, ports } = this.#options;
    return shares.up.available(ports.clock.nowMs()) < Number.POSITIVE_INFINITY;
  }

  /** Files are on their way to their places. */
  get isPlacing(): boolean {
    return this.#placing !== undefined;
  }

  /**
   * Where files have places, it ends in `placed`, or in a failure of the disk; then `placeAgain` is to follow.
   */
  setWantedFiles(wanted: readonly boolean[]): void {
    const added = new Set(this.#placing?.added);
    for (const [index, isWanted] of wanted.entries()) {
      if (isWanted && !this.download.wantsFile(index)) added.add(index);
    }
    this.download.setWantedFiles(wanted);
    const { places } = this.#options.content;
    // Without names nothing has to be moved.
    if (!places) return;
    this.#placing = { wanted, added };
    this.#place(places);
  }

  /** The disk takes bytes again. */
  placeAgain(): void {
    const { places } = this.#options.content;
    if (this.#placing && places) this.#place(places);
  }

  tick(now: number): void {
    this.download.tick(now);
    this.upload.tick(now);
    if (!this.download.complete) this.#stamps = undefined;
    else if (now >= this.#watchAtMs && this.#servedSinceWatch) this.#watch(now);
  }

  /** Called when a burst is over and all outputs are taken: what may be sent and asked for is. */
  settle(): void {
    this.upload.settle();
    this.download.settle();
  }

  /** Taken when a burst is over, until there is none. */
  nextOutput(): TransferOutput | undefined {
    for (let next = this.upload.nextOutput(); next; next = this.upload.nextOutput()) {
      this.#handleUploadOutput(next);
    }
    for (let next = this.leaves.nextOutput(); next; next = this.leaves.nextOutput()) {
      this.#handleReadFailure(next.failure);
    }
    return this.#outputs.next() ?? this.download.nextOutput();
  }

  #handleUploadOutput(output: UploadOutput): void {
    switch (output.kind) {
      case "corrupt":
        this.#handleCorrupt(output.piece, output.verdict);
        break;
      case "refused":
        this.#handleReadFailure(output.failure);
        break;
      case "sent":
        this.#servedSinceWatch = true;
        this.#outputs.push(output);
        break;
    }
  }

  #refuse(failure: DiskFailure): void {
    this.#outputs.push({ kind: "refused", failure });
  }

  /** Files are back that were gone: nothing of them is served unjudged, nor put together with the rest. */
  handleReturned(pieces: Bitfield): void {
    for (const piece of pieces.indexes()) {
      this.#doubt(piece);
      this.download.forgetWritten(piece);
    }
  }

  handleJudged(intact: Bitfield, corrupt: Bitfield): void {
    for (const piece of corrupt.indexes()) this.#lose(piece);
    this.download.handleFound(intact);
  }

  #handleCorrupt(piece: number, verdict: PieceVerdict): void {
    const { hashes } = this.#options;
    if (this.#layersKnown && hashes.isTwofold(piece) && isInconsistent(verdict)) {
      this.#outputs.push({ kind: "contradiction", piece, fault: verdict.fault });
    } else {
      this.#lose(piece);
      // What is not there is corrupt too; then it is not this piece alone.
      this.#lookForMissing();
    }
  }

  /** The piece is judged before it is served next. */
  #doubt(piece: number): void {
    this.#judged.delete(piece);
    this.upload.doubt(piece);
  }

  #lose(piece: number): void {
    if (!this.#have.delete(piece)) return;
    this.#judged.delete(piece);
    this.download.handleLost(piece);
    this.#outputs.push({ kind: "lost", piece });
  }

  /**
   * Files that are wanted now take their ends out of the part file. It cannot tell zeros from nothing, nor
   * whether it is still the one that was written: ends that did not come with it are wanted again.
   */
  #place(places: FilePlaces): void {
    const { content, info } = this.#options;
    const placing = this.#placing!;
    places.setWanted(placing.wanted, (moved) => {
      if (this.#placing !== placing) return;
      if (moved.kind === "failure") {
        this.#refuse(moved);
        return;
      }
      const ends = new Bitfield(info.geometry.pieceCount);
      for (const index of placing.added) {
        const { first, end } = info.geometry.filePieces(index);
        if (this.#have.has(first)) ends.add(first);
        if (this.#have.has(end - 1)) ends.add(end - 1);
      }
      content.judge.check({
        pieces: ends,
        onPiece: (piece, isIntact) => {
          if (!isIntact) this.#lose(piece);
        },
        onDone: (outcome) => {
          if (this.#placing !== placing) return;
          if (outcome.kind === "failure") {
            this.#refuse(outcome);
            return;
          }
          this.#placing = undefined;
          this.#outputs.push({ kind: "placed" });
        },
      });
    });
  }

  /** A resume knows pieces by what is in the part file, which may not be all there was. */
  #forgetAbsent(): void {
    const { info, opened, wantedFiles } = this.#options;
    for (const [index, { size }] of opened.stamps.entries()) {
      const { pad, length } = info.files[index]!;
      if (pad || length === 0 || size >= 0 || wantedFiles?.[index] === false) continue;
      const { first, end } = info.geometry.filePieces(index);
      for (let piece = first; piece < end; piece += 1) {
        if (this.#have.delete(piece)) this.#judged.delete(piece);
      }
    }
  }

  /** What others do to files that are complete is noticed; their pieces are judged again (STO-6). */
  #watch(now: number): void {
    const { content, info } = this.#options;
    const { watch } = content;
    if (!watch) return;
    this.#watchAtMs = now + WATCH_MS + info.files.length;
    this.#servedSinceWatch = false;
    watch.stamp((stamps) => {
      const before = this.#stamps;
      if (!this.download.complete) return;
      if ("kind" in stamps) {
        this.#refuse(stamps);
        return;
      }
      this.#stamps = stamps;
      for (const [index, was] of before?.entries() ?? []) {
        if (isSameStamp(was, stamps[index]!)) continue;
        // Descriptors may still lead to what was there.
        if (stamps[index]!.size < 0) this.#lookForMissing();
        else if (was.inode !== stamps[index]!.inode) watch.reopen([], () => undefined);
        const { first, end } = info.geometry.filePieces(index);
        for (let piece = first; piece < end; piece += 1) this.#doubt(piece);
      }
    });
  }

  /**
   * Files may be gone, cut or changed: nothing is served unjudged any more, and pieces of files that are
   * not there are not claimed any more, until those are back.
   */
  #handleReadFailure(failure: DiskFailure): void {
    const { path, code } = failure;
    this.#options.ports.log.error("cannot read", { path, code });
    this.#judged.clear();
    this.upload.doubtAll();
    this.#lookForMissing();
  }

  #lookForMissing(): void {
    const { content, info } = this.#options;
    const { watch } = content;
    if (this.#restamping || !watch) return;
    this.#restamping = true;
    watch.stamp((stamps) => {
      this.#restamping = false;
      if ("kind" in stamps) {
        this.#refuse(stamps);
        return;
      }
      const gone: number[] = [];
      for (const [index, file] of info.files.entries()) {
        if (file.pad || file.length === 0 || stamps[index]!.size >= 0) continue;
        // What we have of others is in the part file.
        if (!this.download.wantsFile(index)) continue;
        const { first, end } = info.geometry.filePieces(index);
        const had = this.#have.count;
        for (let piece = first; piece < end; piece += 1) this.#lose(piece);
        if (this.#have.count < had) gone.push(index);
      }
      if (gone.length > 0) this.#outputs.push({ kind: "gone", files: gone });
    });
  }
}
