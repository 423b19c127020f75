import { Bitfield } from "../../base/bitfield.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type { WebRanges } from "../../ports/web-ranges.ts";
import type { Downloader } from "../download/downloader.ts";
import type { WebSeedStatus } from "../session-contract.ts";
import { RateMeter } from "../sharing/rate-meter.ts";
import { WHOLE_FILE_BYTES_MAX } from "./range-answer.ts";
import type { ServerSlots } from "./server-slots.ts";
import { WebLine } from "./web-line.ts";
import type { LineEnd, WebLineOwner } from "./web-line-owner.ts";
import type { WebSeedLayout } from "./web-seed-layout.ts";

/** Connections of one torrent to one server: while one answers, the other asks. */
const LINES_MAX = 2;
/** A connection without anything to fetch is closed after this long. */
const IDLE_MS = 10_000;
/** The first wait after a failure. Each further one is twice as long, up to the maximum. */
const RETRY_MS_MIN = 5_000;
const RETRY_MS_MAX = 10 * 60_000;
/** Answers without sense, one after the other, until the server is left alone. */
const NONSENSE_MAX = 3;

/** What all web seeds of a torrent share. */
export interface WebSeedHost {
  readonly info: TorrentInfo;
  readonly download: Downloader;
  readonly ranges: WebRanges;
  readonly slots: ServerSlots;
  readonly requestQueueMax: number;
  readonly clock: Clock;
  readonly burst: (run: () => void) => void;
  readonly countDownloaded: (bytes: number, now: number) => void;
  readonly log: (message: string, more: Readonly<Record<string, string>>) => void;
}

/** ready <-> resting; any -> off. */
type State =
  | { readonly kind: "ready" }
  | { readonly kind: "resting"; readonly untilMs: number; readonly reason: string }
  | { readonly kind: "off"; readonly reason: string };

interface Line {
  readonly line: WebLine;
  /** It has a place at the server, and may be asked for blocks. */
  isAllowed: boolean;
  /** When it last had something to fetch. */
  usedAtMs: number;
}

/**
 * One server that has the torrent's files: a seed that never chokes. It decides when to connect, how often to try
 * again, and which files to leave alone.
 */
export class WebSeed implements WebLineOwner<WebLine> {
  readonly url: string;
  readonly layout: WebSeedLayout;
  readonly #host: WebSeedHost;
  readonly #lines: Line[] = [];
  /** Files that the server does not have. */
  readonly #absent = new Set<number>();
  readonly #rate = new RateMeter();
  #downloaded = 0;
  #state: State = { kind: "ready" };
  /** Failures since the last block. */
  #failures = 0;
  #nonsense = 0;
  #linesMax = LINES_MAX;
  #ignoresRanges = false;

  constructor(url: string, layout: WebSeedLayout, host: WebSeedHost) {
    this.url = url;
    this.layout = layout;
    this.#host = host;
  }

  get isOff(): boolean {
    return this.#state.kind === "off";
  }

  /** Connections beyond the first: each counts as a copy of everything that it is not. */
  get doubles(): number {
    return Math.max(0, this.#lines.length - 1);
  }

  get isConnected(): boolean {
    return this.#lines.some(({ isAllowed }) => isAllowed);
  }

  /** Opens and closes connections as it applies now. */
  tick(now: number): void {
    if (this.#state.kind === "off") return;
    if (this.#state.kind === "resting") {
      if (now < this.#state.untilMs) return;
      this.#state = { kind: "ready" };
    }
    for (const { line } of Array.from(this.#lines)) line.tick(now);
    if (this.#state.kind !== "ready") return;
    if (this.#lines.length < this.#linesWanted()) this.#add(now);
    for (const each of this.#lines) {
      this.#host.download.refreshInterest(each.line.peer);
      const isUsed = each.line.isInterested || each.line.isBusy;
      if (isUsed) each.usedAtMs = now;
      if (isUsed && !each.isAllowed) this.#allow(each);
      else if (each.isAllowed && now - each.usedAtMs >= IDLE_MS) this.#rest(each);
    }
  }

  settle(): void {
    for (const { line } of Array.from(this.#lines)) line.settle();
  }

  /** It is asked for nothing any more. */
  turnOff(reason: string): void {
    if (this.isOff) return;
    this.#state = { kind: "off", reason };
    this.#host.log("a web seed is left alone", { url: this.url, why: reason });
    this.close();
  }

  close(): void {
    for (const each of Array.from(this.#lines)) this.#remove(each);
  }

  status(now: number): WebSeedStatus {
    const state = this.#state;
    return {
      url: this.url,
      kind: this.layout.knowsFiles ? "files" : "pieces",
      state: state.kind === "ready" ? (this.isConnected ? "connected" : "idle") : state.kind,
      reason: state.kind === "ready" ? undefined : state.reason,
      absentFiles: this.#absent.size,
      downloaded: this.#downloaded,
      downloadBytesPerSecond: this.#rate.bytesPerSecond(now),
    };
  }

  // ---- WebLineOwner ------------------------------------------------------------------------------------

  readonly isWanted = (file: number): boolean => !this.#absent.has(file);

  countDownloaded(bytes: number, now: number): void {
    this.#downloaded += bytes;
    this.#rate.add(bytes, now);
    this.#host.countDownloaded(bytes, now);
  }

  handleProgress(): void {
    this.#failures = 0;
    this.#nonsense = 0;
  }

  handleAbsent(file: number, reason: string): void {
    if (this.#absent.has(file)) return;
    this.#host.log("a web seed lacks a file", { url: this.url, file: String(file), why: reason });
    this.#lack([file]);
    if (this.#hasNothing()) this.turnOff(reason);
  }

  handleIgnoresRanges(): void {
    if (this.#ignoresRanges) return;
    this.#ignoresRanges = true;
    const long: number[] = [];
    for (const [index, { length, pad }] of this.#host.info.files.entries()) {
      if (!pad && length > WHOLE_FILE_BYTES_MAX) long.push(index);
    }
    this.#lack(long);
  }

  handleEnded(line: WebLine, end: LineEnd): void {
    const each = this.#lines.find((candidate) => candidate.line === line);
    if (!each) return;
    const isFirst = this.#lines[0] === each;
    this.#remove(each);
    if (end.kind === "refused") {
      this.turnOff(end.reason);
      return;
    }
    if (!isFirst && end.kind !== "nonsense") {
      // Some servers allow one connection only.
      this.#linesMax = 1;
      return;
    }
    if (end.kind === "nonsense") this.#nonsense += 1;
    if (this.#nonsense >= NONSENSE_MAX) {
      this.turnOff(end.reason);
      return;
    }
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    this.close();
    const { clock, log } = this.#host;
    const untilMs = clock.nowMs() + Math.max(waitMs, end.kind === "busy" ? end.afterMs : 0);
    this.#state = { kind: "resting", untilMs, reason: end.reason };
    log("a web seed rests", { url: this.url, why: end.reason });
  }

  // ---- Lines ---------------------------------------------------------------------------------------------

  /** The second connection waits until the first has brought something. */
  #linesWanted(): number {
    const [first] = this.#lines;
    if (!first) return 1;
    const isUseful = first.isAllowed && first.line.isBusy && first.line.peer.downloaded > 0;
    return isUseful ? this.#linesMax : this.#lines.length;
  }

  #add(now: number): void {
    const { download, info, ranges, requestQueueMax, clock, burst } = this.#host;
    const { geometry } = info;
    const range = ranges.open(this.url);
    const line = new WebLine({
      owner: this,
      download,
      geometry,
      range,
      requestQueueMax,
      clock,
      burst,
    });
    this.#lines.push({ line, isAllowed: false, usedAtMs: now });
    line.join(this.#pieces());
  }

  #allow(each: Line): void {
    const isSecond = this.#lines.some((other) => other !== each && other.isAllowed);
    if (!this.#host.slots.take(this.url, isSecond)) return;
    each.isAllowed = true;
    each.line.allow();
  }

  #rest(each: Line): void {
    each.isAllowed = false;
    this.#host.slots.give(this.url);
    each.line.rest();
  }

  #remove(each: Line): void {
    this.#lines.splice(this.#lines.indexOf(each), 1);
    if (each.isAllowed) this.#host.slots.give(this.url);
    each.line.end();
  }

  // ---- Files ---------------------------------------------------------------------------------------------

  #pieces(): Bitfield {
    const { geometry } = this.#host.info;
    const pieces = new Bitfield(geometry.pieceCount);
    pieces.fill();
    for (const file of this.#absent) {
      const { first, end } = geometry.filePieces(file);
      for (let piece = first; piece < end; piece += 1) pieces.delete(piece);
    }
    return pieces;
  }

  #lack(files: readonly number[]): void {
    const { download, info } = this.#host;
    for (const file of files) {
      this.#absent.add(file);
      const { first, end } = info.geometry.filePieces(file);
      for (const { line } of this.#lines) {
        if (!line.isOpen) continue;
        for (let piece = first; piece < end; piece += 1) download.handleDontHave(line.peer, piece);
      }
    }
  }

  #hasNothing(): boolean {
    return this.#host.info.files.every(
      ({ length, pad }, index) => pad || length === 0 || this.#absent.has(index),
    );
  }
}
