import { decodeUtf8 } from "../../base/bytes.ts";
import { invariant } from "../../base/errors.ts";
import { BLOCK_BYTES, type Geometry } from "../../base/geometry.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RangeFailure, RangeHandler, RangeHead, RangeLine } from "../../ports/web-ranges.ts";
import type { BlockSource } from "../download/block-source.ts";
import type { Downloader } from "../download/downloader.ts";
import type { DownloadPeer } from "../download/download-peer.ts";
import { RequestWindow } from "../download/request-window.ts";
import { busyBodyMs, judgeRangeAnswer, type RangeAnswer } from "./range-answer.ts";
import type { LineEnd, WebLineOwner } from "./web-line-owner.ts";
import type { PlannedRequest } from "./web-seed-layout.ts";

/** A server that sends nothing for this long, while it owes us an answer, is given up for a while. */
export const SILENT_MS = 20_000;
/** Bytes of an answer without use that are read to its end, so that the connection can be kept. */
const DRAINED_BYTES_MAX = 64 * 1024;
/** An answer of which nothing is wanted any more is cut off when this much of it is missing. */
const UNWANTED_BYTES_MAX = 512 * 1024;
/** Longer bodies of an answer that says "later" are no number of seconds. */
const BUSY_BODY_BYTES_MAX = 32;

const ZEROS = new Uint8Array(BLOCK_BYTES);

/** Blocks of one piece that are requested and have not arrived. */
interface Run {
  readonly piece: number;
  /** The next block to arrive. */
  block: number;
  end: number;
}

/** none -> asked -> body -> (draining) -> none; asked -> busy -> none. */
type Exchange =
  | { readonly kind: "none" }
  | { readonly kind: "asked"; readonly plan: PlannedRequest }
  /** @property skip - Bytes to come before those of use. @property left - Of use. */
  | {
      readonly kind: "body";
      readonly plan: PlannedRequest;
      skip: number;
      left: number;
      readonly isWhole: boolean;
    }
  /** The rest of the answer is of no use. */
  | { readonly kind: "draining"; bytes: number }
  /** The server refuses for now, and may say in its body for how long. */
  | {
      readonly kind: "busy";
      readonly answer: Extract<RangeAnswer, { kind: "busy" }>;
      body: string;
    };

const NONE: Exchange = { kind: "none" };

export interface WebLineOptions {
  readonly owner: WebLineOwner<WebLine>;
  readonly download: Downloader;
  readonly geometry: Geometry;
  readonly range: RangeLine;
  readonly requestQueueMax: number;
  readonly clock: Pick<Clock, "nowMs" | "wallMs">;
  /** Everything that comes from the server is a burst. */
  readonly burst: (run: () => void) => void;
}

/**
 * One connection to a web seed, as a source of blocks. Blocks in a row become one request, across pieces and as far as
 * their file goes; the bytes go straight to the memory of their pieces as they arrive. It asks for nothing that has no
 * memory yet, so the size of requests bounds what can be on its way.
 */
export class WebLine implements BlockSource, RangeHandler {
  readonly window: RequestWindow;
  readonly runBlocksMax: number;
  readonly #options: WebLineOptions;
  #peer: Readonly<DownloadPeer> | undefined;
  /** In the order in which they were requested. */
  readonly #runs: Run[] = [];
  #exchange: Exchange = NONE;
  /** Bytes of the first block of the first run that have arrived. */
  #at = 0;
  #target: Uint8Array | undefined;
  /** Blocks on their way that nobody wants any more. */
  #unwanted = 0;
  #isOpen = true;
  #isInterested = false;
  #closedFor: string | undefined;
  lastReceivedAtMs: number;

  constructor(options: WebLineOptions) {
    this.#options = options;
    this.window = new RequestWindow(options.requestQueueMax);
    this.runBlocksMax = options.requestQueueMax;
    this.lastReceivedAtMs = options.clock.nowMs();
  }

  get sender(): string {
    return this.#options.owner.url;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isInterested(): boolean {
    return this.#isInterested;
  }

  /** Bytes or an answer are expected. */
  get isBusy(): boolean {
    return this.#exchange.kind !== "none" || this.#runs.length > 0;
  }

  get peer(): Readonly<DownloadPeer> {
    invariant(this.#peer, "a line is used after it has joined");
    return this.#peer;
  }

  /** It becomes a source of blocks, and is asked for none before `allow`. */
  join(pieces: Parameters<Downloader["join"]>[1]["pieces"]): void {
    const queueLimit = this.#options.requestQueueMax;
    this.#peer = this.#options.download.join(this, { pieces, isChoking: true, queueLimit });
  }

  /** From now on it may connect. */
  allow(): void {
    this.#options.download.handleUnchoked(this.peer);
  }

  /** It is idle, and gives its place up. */
  rest(): void {
    this.#options.download.handleChoked(this.peer, "forgotten");
    this.#options.range.close();
  }

  /** Ends it: what it owes can be requested from others. */
  end(): void {
    if (!this.#peer) return;
    this.#isOpen = false;
    this.#exchange = NONE;
    this.#runs.length = 0;
    this.#options.range.close();
    this.#options.download.leave(this.#peer);
    this.#peer = undefined;
  }

  /** Called when a burst is over: sends what was requested in it. */
  settle(): void {
    if (this.#closedFor !== undefined) this.#fail({ kind: "failed", reason: this.#closedFor });
    else if (this.#isOpen) {
      this.#cutUnwanted();
      this.#askNext();
    }
  }

  tick(now: number): void {
    if (this.#exchange.kind === "none" || now - this.lastReceivedAtMs < SILENT_MS) return;
    this.#fail({ kind: "failed", reason: `sent nothing for ${SILENT_MS / 1000} s` });
  }

  // ---- BlockSource -----------------------------------------------------------------------------------

  request(piece: number, block: number, count: number): void {
    const last = this.#runs.at(-1);
    if (last?.piece === piece && last.end === block) last.end += count;
    else this.#runs.push({ piece, block, end: block + count });
  }

  cancel(piece: number, block: number): "answered" | "forgotten" {
    if (!this.#isOnItsWay(piece, block)) return "forgotten";
    this.#unwanted += 1;
    return "answered";
  }

  setInterested(interested: boolean): void {
    this.#isInterested = interested;
  }

  close(reason: string): void {
    this.#closedFor ??= reason;
  }

  // ---- Requests --------------------------------------------------------------------------------------

  #askNext(): void {
    while (this.#exchange.kind === "none" && this.#isOpen) {
      this.#skipForgotten();
      const [run] = this.#runs;
      if (!run) return;
      const offset = this.#offsetOf(run) + this.#at;
      if (this.#fillPadding(offset, run)) continue;
      const { owner, geometry, range, clock } = this.#options;
      const plan = owner.layout.plan(offset, this.#wantedFrom(run));
      if (plan.file >= 0 && !owner.isWanted(plan.file)) {
        this.#giveBack(plan.file);
        continue;
      }
      invariant(geometry.files[plan.file]?.pad !== true, "padding is never requested");
      this.#exchange = { kind: "asked", plan };
      this.#unwanted = 0;
      this.lastReceivedAtMs = clock.nowMs();
      range.get(plan.request, this);
    }
  }

  /** Blocks whose requests were cancelled before they were sent. */
  #skipForgotten(): void {
    if (this.#at > 0) return;
    for (let [run] = this.#runs; run; [run] = this.#runs) {
      while (run.block < run.end && !this.#isExpected(run.piece, run.block)) run.block += 1;
      if (run.block < run.end) return;
      this.#runs.shift();
    }
  }

  /** Bytes in a row that are requested, from the next one on. */
  #wantedFrom(first: Run): number {
    const { geometry } = this.#options;
    const begin = this.#offsetOf(first) + this.#at;
    let end = begin - this.#at;
    for (const run of this.#runs) {
      for (let { block } = run; block < run.end; block += 1) {
        const isFirst = run === first && block === first.block;
        if (!isFirst && !this.#isExpected(run.piece, block)) return end - begin;
        const offset = run.piece * geometry.pieceLength + block * BLOCK_BYTES;
        if (offset !== end) return end - begin;
        end += geometry.blockSize(run.piece, block);
      }
    }
    return end - begin;
  }

  /** Padding is zeros that no server has (BEP 47). @returns False when the next byte is none. */
  #fillPadding(offset: number, run: Run): boolean {
    const { geometry } = this.#options;
    const file = geometry.files[geometry.fileAt(offset)]!;
    if (!file.pad) return false;
    const blockLeft = geometry.blockSize(run.piece, run.block) - this.#at;
    this.#take(ZEROS.subarray(0, Math.min(blockLeft, file.offset + file.length - offset)));
    return true;
  }

  /** Nothing of the rest of the answer is wanted: a new connection is cheaper. */
  #cutUnwanted(): void {
    const exchange = this.#exchange;
    if (exchange.kind !== "body" || exchange.left < UNWANTED_BYTES_MAX) return;
    if (this.#unwanted * BLOCK_BYTES < exchange.left) return;
    this.#exchange = NONE;
    this.#options.range.close();
    this.#rejectFirst(exchange.left + this.#at);
  }

  /** The first blocks, which this many bytes cover, will not come. */
  #rejectFirst(bytes: number): void {
    const { download, geometry } = this.#options;
    this.#unwanted = 0;
    if (this.#at > 0) this.#abandonBlock();
    for (let left = bytes; left > 0;) {
      const [run] = this.#runs;
      if (!run) return;
      left -= geometry.blockSize(run.piece, run.block);
      download.handleRejected(this.peer, run.piece, run.block);
      this.#pass(run);
    }
  }

  /** Blocks with bytes of this file will not come. */
  #giveBack(file: number): void {
    const { download, geometry } = this.#options;
    const { offset, length } = geometry.files[file]!;
    if (this.#at > 0) this.#abandonBlock();
    const kept: Run[] = [];
    for (const run of this.#runs) {
      for (let { block } = run; block < run.end; block += 1) {
        const begin = run.piece * geometry.pieceLength + block * BLOCK_BYTES;
        const end = begin + geometry.blockSize(run.piece, block);
        if (begin < offset + length && end > offset) {
          download.handleRejected(this.peer, run.piece, block);
        } else {
          kept.push({ piece: run.piece, block, end: block + 1 });
        }
      }
    }
    this.#runs.length = 0;
    for (const { piece, block } of kept) this.request(piece, block, 1);
  }

  // ---- RangeHandler ------------------------------------------------------------------------------------

  handleHead(head: RangeHead): void {
    this.#options.burst(() => this.#handleHead(head));
  }

  handleBytes(chunk: Uint8Array): void {
    this.#options.burst(() => this.#handleBytes(chunk));
  }

  handleEnd(): void {
    this.#options.burst(() => this.#handleEnd());
  }

  handleFailure({ kind, message }: RangeFailure): void {
    const end: LineEnd =
      kind === "refused"
        ? { kind: "refused", reason: message }
        : { kind: "failed", reason: message };
    this.#options.burst(() => this.#fail(end));
  }

  #handleHead(head: RangeHead): void {
    const exchange = this.#exchange;
    if (exchange.kind !== "asked") return;
    const { clock, owner, geometry } = this.#options;
    this.lastReceivedAtMs = clock.nowMs();
    const { plan } = exchange;
    const { range } = plan.request;
    const size = plan.file < 0 ? plan.length : geometry.files[plan.file]!.length;
    const answer = judgeRangeAnswer(head, { range, size }, clock.wallMs());
    switch (answer.kind) {
      case "bytes": {
        const { skip, isWhole } = answer;
        const left = Math.min(answer.length, plan.length);
        // A byte at a time would keep us busy for ever.
        if (left < Math.min(plan.length, BLOCK_BYTES)) {
          this.#fail({ kind: "nonsense", reason: "sends less than it was asked for" });
          break;
        }
        this.#exchange = { kind: "body", plan, skip, left, isWhole };
        if (isWhole) owner.handleIgnoresRanges();
        break;
      }
      case "busy":
        this.#exchange = { kind: "busy", answer, body: "" };
        break;
      case "nonsense":
        this.#fail(answer);
        break;
      case "absent":
        if (plan.file < 0) {
          this.#fail({ kind: "nonsense", reason: answer.reason });
          break;
        }
        // Blocks of the file are given back before the next request.
        this.#exchange = { kind: "draining", bytes: 0 };
        owner.handleAbsent(plan.file, answer.reason);
        break;
    }
  }

  #handleBytes(chunk: Uint8Array): void {
    if (!this.#isOpen) return;
    this.lastReceivedAtMs = this.#options.clock.nowMs();
    const exchange = this.#exchange;
    switch (exchange.kind) {
      case "body":
        this.#handleBody(exchange, chunk);
        break;
      case "draining":
        this.#drain(exchange, chunk.length);
        break;
      case "busy":
        if (exchange.body.length < BUSY_BODY_BYTES_MAX) {
          exchange.body += decodeUtf8(chunk.subarray(0, BUSY_BODY_BYTES_MAX));
        } else {
          this.#fail(exchange.answer);
        }
        break;
      case "none":
      case "asked":
        break;
    }
  }

  #handleBody(exchange: Extract<Exchange, { kind: "body" }>, chunk: Uint8Array): void {
    const skipped = Math.min(exchange.skip, chunk.length);
    exchange.skip -= skipped;
    const used = Math.min(exchange.left, chunk.length - skipped);
    exchange.left -= used;
    this.#take(chunk.subarray(skipped, skipped + used));
    const rest = chunk.length - skipped - used;
    if (exchange.left > 0 || !this.#isOpen) return;
    if (exchange.isWhole) {
      const draining: Exchange = { kind: "draining", bytes: 0 };
      this.#exchange = draining;
      this.#drain(draining, rest);
    } else if (rest > 0) {
      this.#fail({ kind: "nonsense", reason: "sends more than it was asked for" });
    }
  }

  #drain(exchange: Extract<Exchange, { kind: "draining" }>, bytes: number): void {
    exchange.bytes += bytes;
    if (exchange.bytes <= DRAINED_BYTES_MAX) return;
    this.#options.range.close();
    this.#exchange = NONE;
  }

  #handleEnd(): void {
    const exchange = this.#exchange;
    if (exchange.kind === "busy") {
      const afterMs = busyBodyMs(exchange.body) ?? exchange.answer.afterMs;
      this.#fail({ ...exchange.answer, afterMs });
    } else if (exchange.kind === "body" && exchange.left + exchange.skip > 0) {
      this.#fail({ kind: "nonsense", reason: "sends less than it says" });
    } else {
      this.#exchange = NONE;
    }
  }

  #fail(end: LineEnd): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#options.owner.handleEnded(this, end);
  }

  // ---- Blocks ------------------------------------------------------------------------------------------

  /** Bytes in a row, from the next expected one on. */
  #take(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length && this.#isOpen;) {
      const [run] = this.#runs;
      invariant(run, "only what was requested is taken");
      const { piece, block } = run;
      const length = this.#options.geometry.blockSize(piece, block);
      if (this.#at === 0) this.#target = this.#beginBlock(piece, block, length);
      const count = Math.min(bytes.length - from, length - this.#at);
      this.#target?.set(bytes.subarray(from, from + count), this.#at);
      this.#at += count;
      from += count;
      if (this.#at === length) this.#endBlock(run, length);
    }
  }

  #beginBlock(piece: number, block: number, length: number): Uint8Array | undefined {
    const target = this.#isExpected(piece, block)
      ? this.#options.download.beginBlock(this.peer, piece, block, length)
      : undefined;
    if (!target && this.#unwanted > 0) this.#unwanted -= 1;
    return target;
  }

  #endBlock(run: Run, length: number): void {
    const { download, owner, clock } = this.#options;
    const { piece, block } = run;
    const isKept = this.#target !== undefined;
    this.#target = undefined;
    this.#pass(run);
    const now = clock.nowMs();
    owner.countDownloaded(length, now);
    download.countBlock(this.peer, length, now);
    if (isKept) {
      owner.handleProgress();
      download.endBlock(this.peer);
    } else {
      download.handleRejected(this.peer, piece, block);
    }
  }

  #abandonBlock(): void {
    if (this.#target) this.#options.download.abandonBlock(this.peer);
    this.#target = undefined;
    this.#at = 0;
  }

  /** The first block is over. */
  #pass(run: Run): void {
    this.#at = 0;
    run.block += 1;
    if (run.block === run.end) this.#runs.shift();
  }

  #isExpected(piece: number, block: number): boolean {
    return this.window.has(piece, block, this.peer.lane);
  }

  /** The block is a part of the answer that is under way. */
  #isOnItsWay(piece: number, block: number): boolean {
    const exchange = this.#exchange;
    const [run] = this.#runs;
    if (!run || exchange.kind === "none") return false;
    const begin = this.#offsetOf(run) + this.#at;
    const left =
      exchange.kind === "asked"
        ? exchange.plan.length
        : exchange.kind === "body"
          ? exchange.left
          : 0;
    const offset = piece * this.#options.geometry.pieceLength + block * BLOCK_BYTES;
    return offset + BLOCK_BYTES > begin && offset < begin + left;
  }

  #offsetOf({ piece, block }: Run): number {
    return piece * this.#options.geometry.pieceLength + block * BLOCK_BYTES;
  }
}
