import type { EngineTorrent } from "../engine/session-contract.ts";
import type { TransferChange, TransferRow } from "../store/transfers.ts";
import { rowState } from "./transfer-row.ts";
import { stateOf, type TransferState } from "./transfer-state.ts";

/** A transfer whose torrent is in the engine. */
export class AwakeTransfer {
  /** As it is in the database, except for figures. */
  row: TransferRow;
  readonly torrent: EngineTorrent;
  /** Its trackers are not asked by the engine: it was asleep, and its turns go on announcing it. */
  readonly quiet: boolean;
  /** Bytes of the row that the engine's figures do not contain. */
  readonly #uploadedBefore: number;
  readonly #downloadedBefore: number;
  #countedMs: number;
  #lastUploaded: number;
  #lastDownloaded: number;
  /** Monotonic milliseconds. */
  lastPeerMs: number;
  lastByteMs: number;

  /** @param options.counted - Bytes that the engine's figures begin with. */
  constructor(options: {
    readonly row: TransferRow;
    readonly torrent: EngineTorrent;
    readonly quiet: boolean;
    readonly counted: { readonly uploaded: number; readonly downloaded: number };
    readonly nowMs: number;
  }) {
    const { row, torrent, quiet, counted, nowMs } = options;
    this.row = row;
    this.torrent = torrent;
    this.quiet = quiet;
    // A kill may lose the last seconds of either: the larger one is right.
    this.#uploadedBefore = Math.max(0, row.uploaded - counted.uploaded);
    this.#downloadedBefore = Math.max(0, row.downloaded - counted.downloaded);
    this.#lastUploaded = counted.uploaded;
    this.#lastDownloaded = counted.downloaded;
    this.#countedMs = nowMs;
    this.lastPeerMs = nowMs;
    this.lastByteMs = nowMs;
  }

  get id(): string {
    return this.row.id;
  }

  get isFinished(): boolean {
    return this.row.finished_at !== null;
  }

  state(): TransferState {
    const { state } = this.torrent;
    const { slowness, downloadBytesPerSecond } = this.torrent.stats();
    return stateOf(rowState(this.row), {
      state,
      slowness,
      downBytesPerSecond: downloadBytesPerSecond,
    });
  }

  /** Milliseconds for which nothing has arrived; 0 while it is checked. */
  stalledMs(nowMs: number): number {
    const { kind } = this.torrent.state;
    if (kind === "checking" || kind === "seeding") return 0;
    return nowMs - this.lastByteMs;
  }

  /** Brings its row's figures up to date. Call it at least once a minute. */
  count(nowMs: number, wallMs: number): void {
    const { uploaded, downloaded, doneBytes, wantedBytes, peers } = this.torrent.stats();
    const { row } = this;
    if (downloaded > this.#lastDownloaded) this.lastByteMs = nowMs;
    if (peers > 0) this.lastPeerMs = nowMs;
    const isActive = uploaded > this.#lastUploaded || downloaded > this.#lastDownloaded;
    this.#lastUploaded = uploaded;
    this.#lastDownloaded = downloaded;
    const elapsedMs = Math.round(nowMs - this.#countedMs);
    this.#countedMs += elapsedMs;
    // Nothing counts as done before the existing files were examined.
    const isExamined = this.torrent.have !== undefined && !this.isFinished;
    this.row = {
      ...row,
      uploaded: this.#uploadedBefore + uploaded,
      downloaded: this.#downloadedBefore + downloaded,
      size: this.torrent.info === undefined ? row.size : wantedBytes,
      done: isExamined ? doneBytes : row.done,
      seeded_ms: row.seeded_ms + (this.isFinished ? elapsedMs : 0),
      active_at: isActive ? Math.floor(wallMs) : row.active_at,
    };
  }

  /** The columns that `count` changes. */
  figures(): TransferChange {
    const { uploaded, downloaded, size, done, seeded_ms, active_at } = this.row;
    return { uploaded, downloaded, size, done, seeded_ms, active_at };
  }
}
